package verdict

import (
	"math"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// repaired has n cases that all passed before; they are valid now with a repair score,
// 0 for one that the contract refused.
func repaired(score float64, gates ...eval.Gate) *bench {
	b := newBench(append(gates, minimum("accuracy", 0))...)
	b.settings.Contract.Output = llm.Output{Kind: llm.OutputJSON}
	for i := range 8 {
		b.many(1, "p", "p")
		b.settings.Baseline.Lines[i].Valid = 1
		b.results[i].Valid, b.results[i].RepairScore = eval.Valid, score
		if score == 0 {
			b.results[i].Valid = eval.Violated
		}
	}
	return b
}

func TestRepairScore(t *testing.T) {
	const metric = eval.MetricRepair
	for name, test := range map[string]struct {
		score float64
		gate  eval.Gate
		want  eval.Word
	}{
		"as asked":              {1, minimum(metric, 1), eval.Met},
		"repaired too far":      {0.8, minimum(metric, 0.9), eval.Missed},
		"repaired a little":     {0.95, minimum(metric, 0.9), eval.Met},
		"refused counts as 0":   {0, minimum(metric, 0.1), eval.Missed},
		"worse than before":     {0.7, maxDrop(metric, 0.1), eval.Regressed},
		"the baseline had none": {1, maxDrop(metric, 0), eval.Unchanged},
	} {
		v := repaired(test.score, test.gate).judge()
		got := gateOf(t, v, metric, test.gate.Kind)
		if got.Word != test.want || math.Abs(*got.Value-test.score) > 1e-9 {
			t.Errorf("%s: %+v", name, got)
		}
		if m := metricOf(t, v, metric); math.Abs(*m.Value-test.score) > 1e-9 || *m.Baseline != 1 {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// The figure is silent where it would say again what the validity says.
func TestRepairScoreIsShownWhereSomethingWasRepaired(t *testing.T) {
	for score, shown := range map[float64]bool{1: false, 0: false, 0.9: true} {
		found := false
		for _, m := range repaired(score).judge().Groups[0].Metrics {
			found = found || m.Name == eval.MetricRepair
		}
		if found != shown {
			t.Errorf("with %v it is shown: %v, want %v", score, found, shown)
		}
	}
}

// What the baseline has of repairs is what is compared with, also where its answers
// are scored again by other checks.
func TestRepairScoreOfTheBaseline(t *testing.T) {
	for _, criteria := range []string{"c1", "other"} {
		b := repaired(0.9, maxDrop(eval.MetricRepair, 0))
		for i := range b.settings.Baseline.Lines {
			line := &b.settings.Baseline.Lines[i]
			line.Criteria, line.Scores = criteria, map[string]float64{eval.MetricRepair: 0.8}
		}
		if m := metricOf(t, b.judge(), eval.MetricRepair); m.Baseline == nil || *m.Baseline < 0.79 || *m.Baseline > 0.81 {
			t.Errorf("criteria %s: %+v, want 0.8 before", criteria, m)
		}
	}
}

func TestRepairScoreOfPlainTextIsUnknown(t *testing.T) {
	b := newBench(minimum(eval.MetricRepair, 0.5))
	b.many(1, "", "p")
	if v := b.judge(); v.Exit != 4 || !strings.Contains(v.Sentence, "the prompt has no output contract") {
		t.Errorf("exit %d, %q", v.Exit, v.Sentence)
	}
}
