package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// everyGate is one relative gate of each kind: shares, scores, costs, and latency as it is
// compared where both arms are asked in turn.
var everyGate = []eval.Gate{
	maxDrop(metricAccuracy, 0), maxDrop(metricValidity, 0), maxDrop("helpful", 0),
	maxRise(metricCost, 0), maxRise(metricP50, 0),
}

// drawnInAll draws a repeat in which everything varies on its own.
func drawnInAll(random *rand.Rand, repeat int) *eval.Result {
	r := drawn(repeat, random.Float64() < 0.8)
	r.Valid = eval.Violated
	if random.Float64() < 0.9 {
		r.Valid = eval.Valid
	}
	r.Scores[0].Value = random.Float64()
	r.Cost = llm.KnownCost(llm.Money(10_000 * math.Exp(random.NormFloat64()/3)))
	r.Service = time.Duration(float64(time.Second) * math.Exp(random.NormFloat64()))
	return r
}

// lineOf is what a baseline keeps of the repeats of a case.
func lineOf(id string, results []*eval.Result) eval.BaselineLine {
	line := eval.BaselineLine{Case: id, Model: "m", Input: "i", Criteria: "c", Repeats: len(results)}
	score, cost := 0.0, llm.Money(0)
	for _, r := range results {
		if r.Status == eval.Pass {
			line.Passes++
		}
		if r.Valid == eval.Valid {
			line.Valid++
		}
		score += r.Scores[0].Value / float64(len(results))
		cost += r.Cost.Amount / llm.Money(len(results))
		line.Service += r.Service / time.Duration(len(results))
	}
	line.Cost, line.Scores = &cost, map[string]float64{"helpful": score}
	return line
}

// TestEveryGateAgainstTheTruth draws suites in which nothing has changed: no gate, of
// whatever metric, nor the run as a whole says "regressed" in more than one of twenty.
func TestEveryGateAgainstTheTruth(t *testing.T) {
	const cases = 50
	for at, repeats := range []int{1, 3, 10} {
		random := rand.New(rand.NewPCG(uint64(at), 6))
		regressed, whole := map[string]int{}, 0
		for range *suites {
			baseline := &eval.Baseline{Headers: []eval.BaselineHeader{{Suite: "s", Model: "m", Treatment: "old"}}}
			settings := Settings{Baseline: baseline, Gates: everyGate, Against: &eval.Comparison{}}
			for i := range cases {
				var before []*eval.Result
				for repeat := range repeats {
					before = append(before, drawnInAll(random, repeat))
				}
				baseline.Lines = append(baseline.Lines, lineOf(caseID(i), before))
			}
			tally := NewTally(eval.Group{Suite: "s", Model: "m", Treatment: "new", Planned: cases * repeats, Cases: cases}, settings)
			for i := range cases {
				c := &eval.Case{ID: caseID(i), Repeats: repeats, InputHash: "i", CriteriaHash: "c"}
				for repeat := range repeats {
					tally.Add(c, drawnInAll(random, repeat))
				}
			}
			v := Judge([]*Tally{tally}, Options{})
			if v.Word == eval.Regressed {
				whole++
			}
			for _, gate := range v.Groups[0].Gates {
				if gate.P == nil {
					t.Fatalf("%s was not tested: %+v", gate.Metric, gate)
				}
				if gate.Word == eval.Regressed {
					regressed[gate.Metric]++
				}
			}
		}
		n := float64(*suites)
		most := alpha + 3*math.Sqrt(alpha*(1-alpha)/n)
		var table strings.Builder
		for _, gate := range everyGate {
			rate := float64(regressed[gate.Metric]) / n
			fmt.Fprintf(&table, " %s %.1f %%,", gate.Metric, 100*rate)
			if rate > most {
				t.Errorf("repeats %d: %s regressed in %.3f of all runs, at most %.3f may be", repeats, gate.Metric, rate, most)
			}
		}
		t.Logf("repeats %d, nothing changed:%s the whole verdict %.1f %%", repeats, table.String(), 100*float64(whole)/n)
		if rate := float64(whole) / n; rate > most || rate == 0 {
			t.Errorf("repeats %d: regressed in %.3f of all runs, at most %.3f may be", repeats, rate, most)
		}
	}
}
