package scorer

import (
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// The verdicts of a judge who has two answers before it.
const (
	firstPreferred  = "first"
	secondPreferred = "second"
	nonePreferred   = "tie"
)

type preferredArgs struct {
	Over      wanted    `yaml:"over" json:"over,omitzero"`
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// parsePreferred: preferred over the golden answer, {preferred: text}, or {preferred:
// {over: text, judge: large, threshold: 0.5}}. The judge is asked twice, with the
// answers in both orders. A win scores 1, and is one only where both agree; a loss in
// both scores 0; all else is a tie and scores 0.5.
func parsePreferred(p *Parser, n strictyaml.Node) (rule, error) {
	args := preferredArgs{Threshold: 1}
	if err := decodeOr(n, &args, args.Over.UnmarshalNode); err != nil {
		return rule{}, err
	}
	j := judgement{
		check: "preferred", gives: map[string]string{"first": "string", "second": "string"},
		needs: []string{"first", "second"}, fields: []string{"preferred"},
	}
	if err := args.find(p, n, n.Place(), j); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: j.check, extract: args.Extract, weigh: weighPreference, orders: placesPreferred,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			other, err := args.Over.reference(s)
			if err != nil {
				return nil, err
			}
			return []llm.Request{
				args.ask(s, map[string]any{"first": answer, "second": other}),
				args.ask(s, map[string]any{"first": other, "second": answer}),
			}, nil
		},
	}.rule(rule{
		args: args, options: args.options, threshold: args.Threshold, needs: args.Over.needs(),
		about: "is preferred over " + args.Over.about(),
	}), nil
}

// PlaceOf is 1 for the first place, −1 for the second, and 0 for a tie.
func PlaceOf(verdict string) int {
	switch verdict {
	case firstPreferred:
		return 1
	case secondPreferred:
		return -1
	}
	return 0
}

// placesPreferred are the verdicts of answers that were weighed: they can be read.
func placesPreferred(answers []llm.Response) []string {
	var places []string
	for _, answer := range answers {
		said, err := objectOf(answer)
		if err != nil {
			return nil
		}
		place, err := said.word("preferred", firstPreferred, secondPreferred, nonePreferred)
		if err != nil {
			return nil
		}
		places = append(places, place)
	}
	return places
}

// weighPreference puts both verdicts together: the answer stood first, then second.
func weighPreference(answers []llm.Response) (float64, string, error) {
	var verdicts, reasons [2]string
	for i, answer := range answers {
		said, err := objectOf(answer)
		if err != nil {
			return 0, "", err
		}
		if verdicts[i], err = said.word("preferred", firstPreferred, secondPreferred, nonePreferred); err != nil {
			return 0, "", err
		}
		reasons[i] = cutTo(maxReasons/2, said.text("reasons"))
	}
	both := "asked with the answer first: " + reasons[0] + "; with it second: " + reasons[1]
	switch verdicts {
	case [2]string{firstPreferred, secondPreferred}:
		return 1, "preferred in both orders; " + both, nil
	case [2]string{secondPreferred, firstPreferred}:
		return 0, "the other was preferred in both orders; " + both, nil
	case [2]string{firstPreferred, firstPreferred}, [2]string{secondPreferred, secondPreferred}:
		return 0.5, "no win: what was preferred changed with the order (" + verdicts[0] + " both times); " + both, nil
	}
	return 0.5, "no win: a tie in at least one order; " + both, nil
}
