package verdict

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// criticalTally counts the cases with the tag critical, of which every repeat must
// pass. Errors are no fails: a case is counted once a repeat of it was judged.
type criticalTally struct {
	cases  int // judged ones
	failed keeper[string]
	fails  int
	open   int // cases without a judged repeat
}

func newCriticalTally() criticalTally {
	return criticalTally{failed: keeper[string]{before: func(a, b *string) int { return strings.Compare(*a, *b) }}}
}

func (m *criticalTally) add(f *caseFold) {
	switch {
	case !f.c.Critical():
	case f.judged == 0:
		m.open++
	default:
		m.cases++
		if f.passes < f.judged {
			m.fails++
			m.failed.add(f.c.ID)
		}
	}
}

// any reports whether the suite has such cases: then the rule holds, whoever wrote it.
func (m *criticalTally) any() bool { return m.cases+m.open > 0 }

// criticalRule is the gate that nobody has to write.
var criticalRule = eval.Gate{Metric: eval.MetricCritical, Kind: eval.GateMin, Limit: 1, Default: true}

// value is the share of cases that pass; at best those that were not judged do.
func (m *criticalTally) value(best bool) *float64 {
	if best {
		return ratio(float64(m.cases+m.open-m.fails), m.cases+m.open)
	}
	return ratio(float64(m.cases-m.fails), m.cases)
}

func (m *criticalTally) figure() eval.Metric {
	return eval.Metric{Name: eval.MetricCritical, Unit: "share", Value: m.value(false), N: m.cases}
}

// maxNamed bounds the cases that a sentence names.
const maxNamed = 5

// tryCritical judges the rule, and names who breaks it.
func (t *Tally) tryCritical(out *trial, best bool) {
	m := &t.critical
	out.Value, out.N = m.value(best), m.cases
	if out.Value == nil {
		out.block("none of the %s was judged", count(m.open, "critical case"))
		return
	}
	out.specify(*out.Value)
	if m.fails > 0 {
		out.Note = fmt.Sprintf("%d of %s failed: %s", m.fails, count(m.cases, "case"), named(m.failed.sorted(), m.fails))
	}
}

// named lists the first of so many names.
func named(names []string, all int) string {
	shown := strings.Join(names[:min(len(names), maxNamed)], ", ")
	if all > maxNamed {
		shown += fmt.Sprintf(" and %d more", all-maxNamed)
	}
	return shown
}
