package scorer

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxCriteria bounds the criteria of one check: a judge of more loses count.
const maxCriteria = 20

type criteriaArgs struct {
	All       []string  `yaml:"all" json:"all,omitempty"`
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// parseCriteria: {criteria: ["names the order", …]} with the suite's judge, or
// {criteria: {all: […], judge: large, threshold: 1}}. The judge says yes or no to
// each; the score is the share that is met.
func parseCriteria(p *Parser, n strictyaml.Node) (rule, error) {
	args := criteriaArgs{Threshold: 1}
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.All) }); err != nil {
		return rule{}, err
	}
	const hint = "write {criteria: {all: [\"names the order number\", \"does not blame the customer\"], judge: MODEL}}"
	switch {
	case len(args.All) == 0:
		return rule{}, n.Errorf("the key \"all\" is missing, or has no criterion").WithHint(hint)
	case len(args.All) > maxCriteria:
		return rule{}, n.Errorf("%d criteria are too many for one question, at most %d are allowed", len(args.All), maxCriteria).
			WithHint("write more than one check")
	}
	for _, criterion := range args.All {
		if strings.TrimSpace(criterion) == "" {
			return rule{}, n.Errorf("a criterion is empty").WithHint(hint)
		}
	}
	j := judgement{
		check: "criteria", gives: map[string]string{"answer": "string", "criteria": "array"},
		needs: []string{"answer", "criteria"}, fields: []string{"verdicts"},
	}
	if err := args.find(p, n, n.Place(), j); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: j.check, extract: args.Extract, weigh: args.weigh,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			asked := args.ask(s, map[string]any{"answer": answer, "criteria": anyList(args.All)})
			asked.Hint = numberedHint("verdicts", "criterion", "met", len(args.All))
			return []llm.Request{asked}, nil
		},
	}.rule(rule{args: args, options: args.options, threshold: args.Threshold, about: "meets the criteria " + quoteAll(args.All)}), nil
}

// weigh counts what is met, and says of each why.
func (a *criteriaArgs) weigh(answers []llm.Response) (float64, string, error) {
	said, err := objectOf(answers[0])
	if err != nil {
		return 0, "", err
	}
	found, err := said.numbered("verdicts", "criterion", "met", a.All)
	if err != nil {
		return 0, "", err
	}
	met := 0
	lines := make([]string, len(found))
	for i, f := range found {
		word := "not met"
		if f.holds {
			word = "met"
			met++
		}
		lines[i] = word + ": " + f.String()
	}
	return float64(met) / float64(len(found)),
		fmt.Sprintf("%d of %d met; %s", met, len(found), cutTo(maxReasons, strings.Join(lines, "; "))), nil
}

func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
