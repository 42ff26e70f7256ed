package scorer

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// goodEnough is the threshold of a score that a judge gives, where none is written.
const goodEnough = 0.7

type rubricArgs struct {
	Rubric    string    `yaml:"rubric" json:"rubric,omitempty"`
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// parseRubric: {rubric: "Polite, and names a date"} with the suite's judge, or
// {rubric: {rubric: …, judge: large, threshold: 0.7}}. The judge gives the score.
func parseRubric(p *Parser, n strictyaml.Node) (rule, error) {
	args := rubricArgs{Threshold: goodEnough}
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.Rubric) }); err != nil {
		return rule{}, err
	}
	if strings.TrimSpace(args.Rubric) == "" {
		return rule{}, n.Errorf("the key \"rubric\" is missing").WithHint("write {rubric: {rubric: \"Polite, and names a date\", judge: MODEL}}")
	}
	j := judgement{
		check: "rubric", gives: map[string]string{"answer": "string", "rubric": "string"},
		needs: []string{"answer", "rubric"}, fields: []string{"score", "reasons"},
	}
	if err := args.find(p, n, n.Place(), j); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: j.check, extract: args.Extract, weigh: weighScore,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			return []llm.Request{args.ask(s, map[string]any{"answer": answer, "rubric": args.Rubric})}, nil
		},
	}.rule(rule{args: args, options: args.options, threshold: args.Threshold, about: "meets the rubric " + quote(args.Rubric)}), nil
}

// weighScore reads a judge's own score with its reasons.
func weighScore(answers []llm.Response) (float64, string, error) {
	said, err := objectOf(answers[0])
	if err != nil {
		return 0, "", err
	}
	value, err := said.share("score")
	return value, cutTo(maxReasons, said.text("reasons")), err
}

type relevanceArgs struct {
	Threshold threshold `yaml:"threshold" json:"threshold"`
	judgeArgs `yaml:",inline"`
}

// parseRelevance: relevance with the suite's judge, or {relevance: {judge: large,
// threshold: 0.7}}. The judge says how far the answer is one to what was asked.
func parseRelevance(p *Parser, n strictyaml.Node) (rule, error) {
	args := relevanceArgs{Threshold: goodEnough}
	if err := decodeOr(n, &args, noShort("relevance")); err != nil {
		return rule{}, err
	}
	j := judgement{
		check: "relevance", gives: map[string]string{"answer": "string"},
		needs: []string{"answer", question}, fields: []string{"score"},
	}
	if err := args.find(p, n, n.Place(), j); err != nil {
		return rule{}, err
	}
	return inquiry{
		check: j.check, extract: args.Extract, weigh: weighScore,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			return []llm.Request{args.ask(s, map[string]any{"answer": answer})}, nil
		},
	}.rule(rule{args: args, options: args.options, threshold: args.Threshold, about: "answers what was asked"}), nil
}

// noShort refuses arguments of a check that has no short form.
func noShort(check string) func(strictyaml.Node) error {
	return func(n strictyaml.Node) error {
		return n.Mismatch("a mapping").WithHint("write {%s: {judge: MODEL}}", check)
	}
}
