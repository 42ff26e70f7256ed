package scorer

import (
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// The verdicts on an answer beside the right one, and what each scores. That an answer
// says more cannot be held against the golden one, which is silent there; that it says
// less can.
const (
	factsSame       = "same"
	factsSuperset   = "superset"
	factsSubset     = "subset"
	factsContradict = "contradiction"
)

var factScores = map[string]float64{factsSame: 1, factsSuperset: 0.6, factsSubset: 0.4, factsContradict: 0}

type factualityArgs struct {
	Value     wanted    `yaml:"value" json:"value,omitzero"`
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// parseFactuality: factuality beside the golden answer, {factuality: text}, or
// {factuality: {value: …, judge: large, threshold: 0.6}}.
func parseFactuality(p *Parser, n strictyaml.Node) (rule, error) {
	args := factualityArgs{Threshold: threshold(factScores[factsSuperset])}
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	j := judgement{
		check: "factuality", gives: map[string]string{"answer": "string", "reference": "string"},
		needs: []string{"answer", "reference"}, fields: []string{"verdict"},
	}
	if err := args.find(p, n, n.Place(), j); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: j.check, extract: args.Extract, weigh: weighFacts,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			reference, err := args.Value.reference(s)
			if err != nil {
				return nil, err
			}
			return []llm.Request{args.ask(s, map[string]any{"answer": answer, "reference": reference})}, nil
		},
	}.rule(rule{
		args: args, options: args.options, threshold: args.Threshold, needs: args.Value.needs(),
		about: "has the facts of " + args.Value.about(),
	}), nil
}

func weighFacts(answers []llm.Response) (float64, string, error) {
	said, err := objectOf(answers[0])
	if err != nil {
		return 0, "", err
	}
	verdict, err := said.word("verdict", factsSame, factsSuperset, factsSubset, factsContradict)
	reason := verdict
	if reasons := said.text("reasons"); reasons != "" {
		reason += ": " + cutTo(maxReasons, reasons)
	}
	return factScores[verdict], reason, err
}

// reference is what is wanted as text: a text as it is, anything else as JSON.
func (w wanted) reference(s *eval.Subject) (string, error) {
	value, err := w.of(s, func(any) error { return nil })
	if err != nil {
		return "", err
	}
	return textOf(value), nil
}
