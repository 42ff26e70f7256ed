package scorer

import (
	"context"
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// negation passes where its check does not. Its score is 1 or 0, also around a
// check that holds by degrees.
type negation struct {
	of   asked
	spec json.RawMessage
}

func (p *Parser) parseNot(field strictyaml.Field) (asked, error) {
	of, err := p.parseEntry(field.Value)
	if err != nil {
		return nil, err
	}
	if _, labels := eval.LabelsOf(of, llm.Output{}); labels {
		return nil, field.Value.Errorf("label cannot stand in not: what is counted is which labels were right").WithHint("take not out")
	}
	if _, twice := of.(*negation); twice {
		return nil, fault.At(field.Place, "not stands within not").WithHint("write the check without them")
	}
	if of.Operational() {
		return nil, fault.At(field.Place, "not cannot stand around %s", of.Name()).
			WithHint("a limit is there to be kept; what is slow or dear on purpose needs no check")
	}
	return &negation{of: of, spec: specOf(map[string]any{"check": not, "version": 1, "of": of.Spec()})}, nil
}

func (c *negation) Name() string          { return not + " " + c.of.Name() }
func (c *negation) Metric() string        { return c.of.Metric() }
func (c *negation) Weight() float64       { return c.of.Weight() }
func (c *negation) Needs() eval.Need      { return c.of.Needs() }
func (c *negation) Place() fault.Place    { return c.of.Place() }
func (c *negation) Spec() json.RawMessage { return c.spec }
func (c *negation) Operational() bool     { return false }
func (c *negation) Deterministic() bool   { return c.of.Deterministic() }
func (c *negation) about() string         { return "not: " + c.of.about() }

func (c *negation) Questions(subject eval.Subject) ([]llm.Request, error) {
	return c.of.Questions(subject)
}

// Fields are those of the check that must not hold.
func (c *negation) Fields() []eval.FieldPath { return eval.FieldsOf(c.of) }

func (c *negation) FitsGolden(golden any) error { return c.of.FitsGolden(golden) }

func (c *negation) Score(ctx context.Context, subject eval.Subject) (eval.Score, error) {
	inner, err := c.of.Score(ctx, subject)
	if err != nil {
		return eval.Score{Asked: inner.Asked}, err
	}
	outer := score(c, true, "")
	if inner.Pass {
		outer = score(c, false, "must not hold: "+c.of.about())
	}
	outer.Asked, outer.Unasked = inner.Asked, inner.Unasked
	if inner.Unasked && outer.Pass { // nobody has said that it does not hold
		outer = score(c, false, inner.Reason)
		outer.Unasked = true
	}
	return outer, nil
}
