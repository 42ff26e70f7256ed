package scorer

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// asked is every check there is.
type asked interface {
	eval.Check
	Weight() float64
	Needs() eval.Need
	FitsGolden(golden any) error
	Place() fault.Place
	about() string // what is asked, in a few words

	// Questions are what Score is going to ask models of a subject, in order; nothing
	// for a check that asks nobody, or has its answer without.
	Questions(subject eval.Subject) ([]llm.Request, error)
}

// check is a rule with its name.
type check struct {
	kind kind
	rule rule
	at   fault.Place
	spec json.RawMessage

	fields []eval.FieldPath // that it looks at
}

func newCheck(k kind, r rule, at fault.Place) *check {
	spec := map[string]any{"check": k.name, "version": k.version, "args": r.args}
	r.options.describe(spec)
	return &check{kind: k, rule: r, at: at, spec: specOf(spec)}
}

func (c *check) Name() string          { return c.kind.name }
func (c *check) Metric() string        { return string(c.rule.options.Metric) }
func (c *check) Weight() float64       { return c.rule.options.Weight.or1() }
func (c *check) Place() fault.Place    { return c.at }
func (c *check) Spec() json.RawMessage { return c.spec }
func (c *check) Operational() bool     { return c.kind.operational }
func (c *check) Deterministic() bool   { return !c.rule.asksModel }
func (c *check) about() string         { return c.rule.about }

// Tools are those that the check names.
func (c *check) Tools() []string { return c.rule.tools }

// Fields are the parts of an answer that the check looks at.
func (c *check) Fields() []eval.FieldPath { return c.fields }

// Needs says besides whether the golden answer decides: with a threshold of 0 it is
// only measured.
func (c *check) Needs() eval.Need {
	if c.rule.needs&eval.NeedGolden != 0 && !c.rule.aside && (!c.rule.byDegrees() || c.rule.threshold > 0) {
		return c.rule.needs | eval.JudgesGolden
	}
	return c.rule.needs
}

func (c *check) Questions(subject eval.Subject) ([]llm.Request, error) {
	if c.rule.questions == nil {
		return nil, nil
	}
	return c.rule.questions(&subject)
}

// byDegrees tells a check that has a threshold.
func (r *rule) byDegrees() bool { return r.rate != nil || r.ask != nil || r.whole != nil }

func (c *check) FitsGolden(golden any) error {
	if c.rule.fits == nil || c.rule.needs&eval.NeedGolden == 0 {
		return nil
	}
	return c.rule.fits(golden)
}

func (c *check) Score(ctx context.Context, subject eval.Subject) (eval.Score, error) {
	if c.rule.whole != nil {
		found, err := c.rule.whole(ctx, &subject)
		if err != nil {
			return eval.Score{Asked: found.Asked}, err
		}
		named := newScore(c, found.Value, found.Pass, found.Reason)
		named.Want, named.Got, named.Asked = found.Want, found.Got, found.Asked
		return named, nil
	}
	if c.rule.ask != nil {
		value, reason, asked, err := c.rule.ask(ctx, &subject)
		if err != nil {
			return eval.Score{Asked: asked}, err
		}
		s := rated(c, value, c.rule.threshold, reason)
		s.Asked, s.Unasked = asked, asked == nil
		return s, nil
	}
	if c.rule.rate == nil {
		pass, reason, err := c.rule.judge(&subject)
		if err != nil {
			return eval.Score{}, err
		}
		return score(c, pass, reason), nil
	}
	value, reason, err := c.rule.rate(&subject)
	if err != nil {
		return eval.Score{}, err
	}
	return rated(c, value, c.rule.threshold, reason), nil
}

// score is that of a check which holds or does not.
func score(c asked, pass bool, reason string) eval.Score {
	value := 0.0
	if pass {
		value = 1
	}
	return newScore(c, value, pass, reason)
}

// rated is the score of a check which holds by degrees.
func rated(c asked, value float64, least threshold, reason string) eval.Score {
	pass := least.reached(value)
	if !pass && least < 1 {
		reason = below(value, least, reason)
	}
	return newScore(c, value, pass, reason)
}

func below(value float64, least threshold, reason string) string {
	why := fmt.Sprintf("score %.3g, want %.3g", value, float64(least))
	if reason != "" {
		why += ": " + reason
	}
	return why
}

func newScore(c asked, value float64, pass bool, reason string) eval.Score {
	s := eval.Score{Check: c.Name(), Metric: c.Metric(), Value: value, Pass: pass, Reason: reason, Operational: c.Operational()}
	if w := c.Weight(); w != 1 {
		s.Weight = w
	}
	return s
}
