package suite

import (
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// meanings are the metrics that checks name, each with what it is the mean of: the
// scores of one kind of check. Other arguments, row by row, are no other meaning.
type meanings map[string]*meaning

type meaning struct {
	check   string // its name
	place   fault.Place
	refused bool // told once already
}

// add refuses a metric that a check of another kind has already.
func (m meanings) add(check eval.Check, c *eval.Case) error {
	name := check.Metric()
	if name == "" {
		return nil
	}
	if name == eval.MetricCritical {
		return fault.At(placeOf(check, c), "the metric %q is that of the cases with the tag critical", name).WithHint("give this one another name")
	}
	first := m[name]
	if first == nil {
		m[name] = &meaning{check: check.Name(), place: placeOf(check, c)}
		return nil
	}
	if first.check == check.Name() || first.refused {
		return nil
	}
	first.refused = true
	return fault.At(placeOf(check, c), "the metric %q is the mean of %s already, and cannot be that of %s, too", name, first.check, check.Name()).
		WithHint("the first stands at %s; name this one otherwise, or put both into one {all_of: {checks: […], metric: %s}}", first.place, name)
}

// placeOf is where a check stands, or the case that has it.
func placeOf(check eval.Check, c *eval.Case) fault.Place {
	if p, ok := check.(interface{ Place() fault.Place }); ok && p.Place() != (fault.Place{}) {
		return p.Place()
	}
	return c.Place
}
