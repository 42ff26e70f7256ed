package verdict

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// A bound on cost or time is no part of accuracy, and still must not fail unheard.
func TestOperationalChecksFailTheirOwnGate(t *testing.T) {
	group := eval.Group{Suite: "triage", Model: "small", Planned: 2}
	gates := []eval.Gate{
		{Metric: "accuracy", Kind: eval.GateMin, Limit: 1},
		{Metric: eval.MetricOperational, Kind: eval.GateMin, Limit: 1, Default: true},
	}
	for name, test := range map[string]struct {
		within bool
		exit   int
		value  float64
	}{
		"within the bound": {true, fault.ExitOK, 1},
		"beyond the bound": {false, fault.ExitGate, 0.5},
	} {
		tally := NewTally(group, Settings{Gates: gates})
		for i, id := range []string{"a", "b"} {
			c := &eval.Case{ID: id, Repeats: 1}
			tally.Add(c, &eval.Result{Case: id, Status: eval.Pass, Cost: llm.KnownCost(1), Scores: []eval.Score{
				{Check: "equals", Pass: true, Value: 1},
				{Check: "max_cost", Operational: true, Pass: i == 0 || test.within},
			}})
		}
		v := Judge([]*Tally{tally}, Options{})
		if v.Exit != test.exit {
			t.Errorf("%s: exit %d (%s), want %d", name, v.Exit, v.Sentence, test.exit)
		}
		for _, m := range v.Groups[0].Metrics {
			switch {
			case m.Name == eval.MetricOperational && *m.Value != test.value:
				t.Errorf("%s: operational %v, want %v", name, *m.Value, test.value)
			case m.Name == "accuracy" && *m.Value != 1:
				t.Errorf("%s: accuracy %v: the bound is no part of it", name, *m.Value)
			}
		}
	}
}

// What asking for the missing replies would cost is kept apart from what was spent.
func TestUnjudgedResultsCarryAnEstimate(t *testing.T) {
	tally := NewTally(eval.Group{Suite: "triage", Model: "small", Planned: 2}, Settings{})
	for _, id := range []string{"a", "b"} {
		tally.Add(&eval.Case{ID: id, Repeats: 1}, &eval.Result{Case: id, Status: eval.Unjudged, Cost: llm.KnownCost(700), Attempts: 1, Paid: llm.KnownCost(0)})
	}
	v := Judge([]*Tally{tally}, Options{})
	if v.Groups[0].MissingCost != llm.KnownCost(1400) || v.Cost != llm.KnownCost(0) || v.Exit != fault.ExitUnjudged {
		t.Errorf("missing %v, cost %v, exit %d; want the estimate apart", v.Groups[0].MissingCost, v.Cost, v.Exit)
	}
}

// What is said of a run must not depend on which call was the first to come back.
func TestErrorsReadTheSameInAnyOrder(t *testing.T) {
	for _, order := range [][]string{{"b", "a", "c"}, {"c", "b", "a"}} {
		tally := NewTally(eval.Group{Suite: "triage", Model: "small", Planned: 3}, Settings{})
		for _, id := range order {
			tally.Add(&eval.Case{ID: id, Repeats: 1}, &eval.Result{Case: id, Status: eval.Unjudged, Failure: &llm.Failure{Class: fault.Missing, Message: "no reply for " + id}})
		}
		g := Judge([]*Tally{tally}, Options{}).Groups[0]
		if len(g.ErrorClasses) != 1 || g.ErrorClasses[0].First != "no reply for a" || g.ErrorClasses[0].Count != 3 || g.Draws != "" {
			t.Errorf("%v: %+v, draws %q; want three of a class, the same first, and no draws", order, g.ErrorClasses, g.Draws)
		}
	}
}
