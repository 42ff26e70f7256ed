package scorer

import (
	"context"
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// negation passes where its check does not.
type negation struct {
	of   *check
	spec json.RawMessage
}

func parseNot(field strictyaml.Field) (eval.Check, error) {
	inner, err := Parse(field.Value)
	if err != nil {
		return nil, err
	}
	of, plain := inner.(*check)
	if !plain {
		return nil, fault.At(field.Place, "not stands within not").WithHint("write the check without them")
	}
	if of.kind.operational {
		return nil, fault.At(field.Place, "not cannot stand around %s", of.kind.name).
			WithHint("a limit is there to be kept; what is slow or dear on purpose needs no check")
	}
	return &negation{of: of, spec: specOf(map[string]any{"check": not, "version": 1, "of": of.spec})}, nil
}

func (c *negation) Name() string          { return not + " " + c.of.Name() }
func (c *negation) Metric() string        { return c.of.Metric() }
func (c *negation) Spec() json.RawMessage { return c.spec }
func (c *negation) Operational() bool     { return false }
func (c *negation) Deterministic() bool   { return true }

func (c *negation) Score(_ context.Context, subject eval.Subject) (eval.Score, error) {
	holds, _, err := c.of.rule.judge(&subject)
	if err != nil {
		return eval.Score{}, err
	}
	if holds {
		return score(c, false, "must not hold: "+c.of.rule.about), nil
	}
	return score(c, true, ""), nil
}
