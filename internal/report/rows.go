package report

import (
	"fmt"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
)

// row is one line of a verdict's table: a metric, or one more gate over it.
type row struct {
	metric   string
	baseline string
	now      string
	change   string
	gate     string
	word     eval.Word // "" where nothing gates the metric
	pass     bool
	said     string   // in place of the word
	figures  string   // what the gate's test found: p, cases up and down
	settled  bool     // the gate compares, and passes on evidence: what it found needs no line of its own
	notes    []string // sentences for people
	command  string   // that would settle an inconclusive gate
}

// rowsOf lays out a group's metrics and their gates, in the order of the verdict.
// A gate over a metric that the verdict does not carry has a row of its own.
func rowsOf(g eval.GroupVerdict) []row {
	var rows []row
	named := map[string]bool{}
	for _, m := range g.Metrics {
		named[m.Name] = true
		gates := gatesOf(g.Gates, m.Name)
		first := metricRow(m, g.HasBaseline)
		if noise(gates) && first.change != "" && first.change != same {
			first.change = "~ " + first.change
		}
		if len(gates) == 0 && m.Value != nil { // what nobody knows and nobody asks for is no news
			rows = append(rows, noted(first, m.Note))
		}
		explained := false // by a gate's note, which says what the metric's own would say again
		start := len(rows)
		for i, gate := range gates {
			r := row{}
			if i == 0 {
				r = first
			}
			r = gated(r, gate, m.Unit, g.HasBaseline)
			explained = explained || gate.Note != "" && slices.Contains(r.notes, gate.Note)
			rows = append(rows, r)
		}
		if len(gates) > 0 && !explained {
			rows[start] = noted(rows[start], m.Note)
		}
	}
	for _, gate := range g.Gates {
		if !named[gate.Metric] {
			r := row{metric: gate.Metric, baseline: known("", gate.Baseline), now: figure("", gate.Value)}
			rows = append(rows, gated(r, gate, "", g.HasBaseline))
		}
	}
	return rows
}

func gatesOf(gates []eval.GateResult, metric string) []eval.GateResult {
	var list []eval.GateResult
	for _, g := range gates {
		if g.Metric == metric {
			list = append(list, g)
		}
	}
	return list
}

// noise reports whether a relative gate over a metric found a difference that
// cannot be told from chance.
func noise(gates []eval.GateResult) bool {
	return slices.ContainsFunc(gates, func(g eval.GateResult) bool {
		return g.Kind.Relative() && g.Word == eval.Inconclusive
	})
}

// settled reports whether a relative gate passes by what its test found, rather
// than by a rule for what cannot be told.
func settled(g eval.GateResult) bool {
	return g.Kind.Relative() && g.Pass && (g.Word == eval.Held || g.Word == eval.Improved || g.Word == eval.Unchanged)
}

func noted(r row, note string) row {
	if note != "" {
		r.notes = append(r.notes, note)
	}
	return r
}

func metricRow(m eval.Metric, compared bool) row {
	r := row{metric: m.Name, now: figure(m.Unit, m.Value)}
	if compared {
		r.baseline = known(m.Unit, m.Baseline)
	}
	paired := m.Paired
	if paired == nil {
		paired = m.Value
	}
	if m.Baseline != nil {
		r.change = change(m.Unit, m.Baseline, paired)
	}
	if m.Baseline != nil && m.Paired != nil && figure(m.Unit, m.Paired) != r.now {
		r.notes = append(r.notes, "now "+figure(m.Unit, m.Paired)+" over the cases that the baseline knows; the change is that of these")
	}
	return r
}

// known leaves a cell blank where there is no value.
func known(unit string, value *float64) string {
	if value == nil {
		return ""
	}
	return figure(unit, value)
}

func gated(r row, gate eval.GateResult, unit string, compared bool) row {
	r.gate = limit(gate.Gate, unit)
	r.word, r.pass, r.settled = gate.Word, gate.Pass, settled(gate)
	if gate.P != nil {
		r.figures = pValue(*gate.P)
		if gate.Adjusted != nil && pValue(*gate.Adjusted) != pValue(*gate.P) {
			r.figures += " (Holm " + pValue(*gate.Adjusted) + ")"
		}
		r.figures += fmt.Sprintf(": %s worse, %s better of %s", number(gate.Down), number(gate.Up), count(gate.N, "case", "cases"))
	}
	r.command = commandOf(gate)
	if gate.Default && !gate.Pass && gate.Metric != eval.MetricCritical {
		r.notes = append(r.notes, "the suite has no gate on "+gate.Metric+"; this is the default")
	}
	switch {
	case gate.Word == eval.NotGated && gate.Kind.Relative() && !compared:
		r.said = "no baseline"
	case gate.Note != "" && !r.settled:
		r.notes = append(r.notes, gate.Note)
	}
	return r
}

// result is what the last column says.
func (r row) result() string {
	if r.said != "" {
		return r.said
	}
	return wordInText(r.word)
}

// wordRole says how a word looks: failures loud, the rest by what it means.
func wordRole(word eval.Word, pass bool) role {
	switch {
	case word == eval.NotGated, word == eval.Inconclusive && pass:
		return doubtful
	case !pass:
		return bad
	case word == eval.Held, word == eval.Met, word == eval.Improved:
		return good
	}
	return plain
}
