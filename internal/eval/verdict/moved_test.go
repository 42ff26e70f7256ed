package verdict

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// Six of twenty cases down and none up has p = 2 · ½⁶ = 0.03125: a model has moved, if it
// was looked at alone; of two that were looked at, it may be chance.
func TestDriftOfManyGroupsIsCorrected(t *testing.T) {
	moved, still := newBench(), newBench()
	moved.many(6, "p", "f")
	moved.many(14, "p", "p")
	still.group.Suite = "extract"
	still.many(19, "p", "p")
	still.many(1, "p", "f")
	if v := JudgeDrift([]*Tally{moved.tally()}, Options{}); v.Word != eval.Drifted || v.Exit != 1 || !v.Groups[0].Drift.Shown {
		t.Errorf("alone: %s, exit %d: %s", v.Word, v.Exit, v.Sentence)
	}
	v := JudgeDrift([]*Tally{moved.tally(), still.tally()}, Options{})
	if v.Word == eval.Drifted || v.Exit != 0 || v.Groups[0].Drift.Shown || !near(v.Groups[0].Drift.P, 0.03125, 1e-12) {
		t.Errorf("beside another: %s, exit %d: %s", v.Word, v.Exit, v.Sentence)
	}
	sure := newBench()
	sure.group.Suite = "sure"
	sure.many(12, "p", "f")
	sure.many(8, "p", "p")
	if v := JudgeDrift([]*Tally{moved.tally(), still.tally(), sure.tally()}, Options{}); v.Word != eval.Drifted || v.Exit != 1 || !v.Groups[2].Drift.Shown {
		t.Errorf("what is beyond doubt: %s, exit %d: %s", v.Word, v.Exit, v.Sentence)
	}
}
