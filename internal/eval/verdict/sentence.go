package verdict

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// sentence is the verdict of a group in one line for people; trials are those
// that decided it.
func sentence(g *eval.GroupVerdict, trials []trial, s standing) string {
	where := g.Name()
	switch s {
	case broken:
		return fmt.Sprintf("unjudged: %s: %s", where, imbalance(g.Group))
	case open:
		return fmt.Sprintf("unjudged: %s: %s", where, whyOpen(g))
	}
	if s == passing && g.Word == eval.NotGated && g.Judged == 0 {
		return fmt.Sprintf("unjudged: %s: none of %s has a reply", where, count(g.Planned, "result"))
	}
	if s == passing && g.Word == eval.NotGated {
		return fmt.Sprintf("unjudged: %s: %s of %d have no reply, the others keep the gates", where, count(g.Unjudged, "result"), g.Planned)
	}
	gate := leading(trials, g.Word, s)
	if gate == nil || s == failing && gate.Pass {
		return fmt.Sprintf("lost coverage: %s: %s of the baseline %s gone", where, count(len(g.Gone), "case"), is(len(g.Gone)))
	}
	text := fmt.Sprintf("%s: %s: %s", wordOf(gate.Word), where, figures(gate))
	if n := g.Errors + g.Unjudged; s == failing && n > 0 {
		text += fmt.Sprintf(", even with the %s that were not judged as passes", count(n, "result"))
	}
	return text
}

// wordOf is a word as it opens a sentence.
func wordOf(word eval.Word) string {
	if word == eval.Missed {
		return "gate missed"
	}
	return string(word)
}

// imbalance says that results were lost or counted twice: a bug of ours.
func imbalance(g eval.Group) string {
	return fmt.Sprintf("the counts do not add up: %d planned, but %d judged + %d errors + %d unjudged", g.Planned, g.Judged, g.Errors, g.Unjudged)
}

func whyOpen(g *eval.GroupVerdict) string {
	var parts []string
	if g.Errors > 0 {
		text := count(g.Errors, "error")
		for _, class := range g.ErrorClasses {
			if class.Class != fault.Missing {
				text += fmt.Sprintf(" (%s: %s)", class.Class, class.First)
				break
			}
		}
		parts = append(parts, text)
	}
	if g.Unjudged > 0 {
		parts = append(parts, fmt.Sprintf("%d without a reply", g.Unjudged))
	}
	if len(parts) > 0 {
		return fmt.Sprintf("%d of %s judged, %s", g.Judged, count(g.Planned, "result"), strings.Join(parts, ", "))
	}
	for _, gate := range g.Gates {
		if gate.Word == eval.NotGated && !gate.Pass {
			return gate.Note
		}
	}
	for _, gate := range g.Gates {
		if gate.Word == eval.NotGated {
			return gate.Note
		}
	}
	return "no gate has a figure to judge"
}

// leading is the gate that the group's word comes from.
func leading(trials []trial, word eval.Word, s standing) *eval.GateResult {
	var first *eval.GateResult
	for i := range trials {
		gate := &trials[i].GateResult
		if gate.Word == eval.NotGated || gate.Word != word {
			continue
		}
		if gate.Pass == (s != failing) {
			return gate
		}
		if first == nil {
			first = gate
		}
	}
	return first
}

// figures words a gate: "accuracy 0.91, was 0.97 (p = 0.0016, 209 down, 152 up)".
func figures(gate *eval.GateResult) string {
	if gate.Value == nil {
		return gate.Metric + " is unknown"
	}
	if gate.Metric == eval.MetricCritical && gate.Note != "" {
		return gate.Metric + ": " + gate.Note
	}
	if gate.Baseline == nil {
		now, limit := pairOf(gate.Metric, *gate.Value, gate.Limit)
		rule := "at least"
		if gate.Kind == eval.GateMax {
			rule = "at most"
		}
		if gate.Word == eval.Missed {
			return fmt.Sprintf("%s %s, must be %s %s", gate.Metric, now, rule, limit)
		}
		return fmt.Sprintf("%s %s, %s %s is asked", gate.Metric, now, rule, limit)
	}
	now, before := pairOf(gate.Metric, *gate.Value, *gate.Baseline)
	var notes []string
	if gate.Adjusted != nil {
		notes = append(notes, "p "+pWord(*gate.Adjusted))
	}
	if gate.Down+gate.Up > 0 {
		notes = append(notes, fmt.Sprintf("%d down, %d up", gate.Down, gate.Up))
	}
	if gate.Word == eval.Unchanged {
		notes = append(notes, count(gate.N, "case"))
	}
	return fmt.Sprintf("%s %s, was %s (%s)", gate.Metric, now, before, strings.Join(notes, ", "))
}

// pairOf words two values of a metric with as many digits as tell them apart.
func pairOf(metric string, a, b float64) (string, string) {
	switch metric {
	case metricCost:
		return dollars(a), dollars(b)
	case metricP50, metricP95:
		return seconds(a), seconds(b)
	}
	digits := 2
	for digits < 4 && a != b && fmt.Sprintf("%.*f", digits, a) == fmt.Sprintf("%.*f", digits, b) {
		digits++
	}
	return fmt.Sprintf("%.*f", digits, a), fmt.Sprintf("%.*f", digits, b)
}

func dollars(usd float64) string {
	return llm.Money(math.Round(usd * float64(llm.USD))).String()
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}

func pWord(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("= %.2g", p)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func fail(n int) string {
	if n == 1 {
		return "fails"
	}
	return "fail"
}
