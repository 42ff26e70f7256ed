package scorer

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// passages are a context: a text, or a list of them in the order in which they were
// found.
type passages []string

// UnmarshalNode reads a text or a list of texts.
func (c *passages) UnmarshalNode(n strictyaml.Node) error {
	texts, ok := textsOf(n.Value())
	if !ok {
		return n.Mismatch("a text, or a list of texts").WithHint("strings may use the case's row: \"{{ row.article }}\"")
	}
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			return n.Errorf("a passage of the context is empty").WithHint("a row without one needs no check of it")
		}
	}
	*c = texts
	return nil
}

type contextArgs struct {
	Context   passages  `yaml:"context" json:"context,omitempty"`
	Value     *wanted   `yaml:"value" json:"value,omitempty"`
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// contextCheck is one of the three checks that look at a context.
type contextCheck struct {
	judgement
	referred bool // it looks at the right answer, too
	least    threshold
	about    string
	weigh    func(a *contextArgs, said answered) (float64, string, error)
}

// parseFaithfulness: {faithfulness: text} with the suite's judge, or {faithfulness:
// {context: "{{ row.article }}", judge: large, threshold: 1}}. The score is the share
// of the answer's claims that the context supports.
func parseFaithfulness(p *Parser, n strictyaml.Node) (rule, error) {
	return contextCheck{
		judgement: judgement{
			check: "faithfulness", gives: map[string]string{"answer": "string", "context": "array"},
			needs: []string{"answer", "context"}, fields: []string{"claims"},
		},
		least: 1, about: "says nothing that the context does not support",
		weigh: func(_ *contextArgs, said answered) (float64, string, error) {
			found, err := said.claims("claims", "supported")
			if err != nil {
				return 0, "", err
			}
			if len(found) == 0 {
				return 1, "the answer claims nothing", nil
			}
			value, reason := shareOf(found, "claims have no support in the context")
			return value, reason, nil
		},
	}.parse(p, n)
}

// parseContextRecall: {context_recall: text} with the suite's judge, or
// {context_recall: {context: …, judge: large, value: …, threshold: 1}}. The score is
// the share of the right answer's claims that stand in the context.
func parseContextRecall(p *Parser, n strictyaml.Node) (rule, error) {
	return contextCheck{
		judgement: judgement{
			check: "context_recall", gives: map[string]string{"answer": "string", "context": "array", "reference": "string"},
			needs: []string{"context", "reference"}, fields: []string{"claims"},
		},
		referred: true, least: 1, about: "the context has all that the right answer needs",
		weigh: func(_ *contextArgs, said answered) (float64, string, error) {
			found, err := said.claims("claims", "supported")
			if err == nil && len(found) == 0 {
				err = fault.New(fault.Judge, "claims is empty: the right answer claims something")
			}
			if err != nil {
				return 0, "", err
			}
			value, reason := shareOf(found, "claims of the right answer are not in the context")
			return value, reason, nil
		},
	}.parse(p, n)
}

// parseContextPrecision: {context_precision: [text, …]} with the suite's judge, or
// {context_precision: {context: […], judge: large, value: …, threshold: 0.7}}. The
// score is the average precision of the passages in their order: useful ones first
// score more.
func parseContextPrecision(p *Parser, n strictyaml.Node) (rule, error) {
	return contextCheck{
		judgement: judgement{
			check: "context_precision", gives: map[string]string{"answer": "string", "context": "array", "reference": "string"},
			needs: []string{"context", "reference"}, fields: []string{"verdicts"},
		},
		referred: true, least: goodEnough, about: "the useful passages of the context come first",
		weigh: func(a *contextArgs, said answered) (float64, string, error) {
			found, err := said.numbered("verdicts", "passage", "useful", a.Context)
			if err != nil {
				return 0, "", err
			}
			_, reason := shareOf(found, "passages are of no use")
			return averagePrecision(found), reason, nil
		},
	}.parse(p, n)
}

// averagePrecision is the mean, over the passages that are useful, of the share of
// useful ones among those up to it; 0 where none is.
func averagePrecision(found []finding) float64 {
	useful, sum := 0, 0.0
	for i, f := range found {
		if f.holds {
			useful++
			sum += float64(useful) / float64(i+1)
		}
	}
	if useful == 0 {
		return 0
	}
	return sum / float64(useful)
}

func (c contextCheck) parse(p *Parser, n strictyaml.Node) (rule, error) {
	args := contextArgs{Threshold: c.least}
	if err := decodeOr(n, &args, args.Context.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if len(args.Context) == 0 {
		return rule{}, n.Errorf("the key \"context\" is missing").WithHint("write {%s: {context: \"{{ row.article }}\", judge: MODEL}}", c.check)
	}
	var needs eval.Need
	switch {
	case !c.referred && args.Value != nil:
		return rule{}, n.Get("value").Errorf("%s looks at no right answer", c.check).WithHint("factuality compares with one")
	case c.referred && args.Value == nil:
		needs = eval.NeedGolden
	}
	if err := args.find(p, n, n.Place(), c.judgement); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: c.check, extract: args.Extract,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			inputs := map[string]any{"answer": answer, "context": anyList(args.Context)}
			if c.referred {
				reference, err := args.reference(s)
				if err != nil {
					return nil, err
				}
				inputs["reference"] = reference
			}
			asked := args.ask(s, inputs)
			if c.check == "context_precision" {
				asked.Hint = numberedHint("verdicts", "passage", "useful", len(args.Context))
			}
			return []llm.Request{asked}, nil
		},
		weigh: func(answers []llm.Response) (float64, string, error) {
			said, err := objectOf(answers[0])
			if err != nil {
				return 0, "", err
			}
			return c.weigh(&args, said)
		},
	}.rule(rule{args: args, options: args.options, threshold: args.Threshold, needs: needs, aside: true, about: fmt.Sprintf("%s: %s", c.check, c.about)}), nil
}

func (a *contextArgs) reference(s *eval.Subject) (string, error) {
	if a.Value == nil {
		return wanted{}.reference(s)
	}
	return a.Value.reference(s)
}
