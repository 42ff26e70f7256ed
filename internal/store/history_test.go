package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
)

func TestHistories(t *testing.T) {
	s := tempStore(t)
	add := func(run, treatment string, results ...eval.Result) {
		t.Helper()
		if err := s.BeginRun(ctx, eval.Run{ID: run, Started: testNow, State: eval.Running}); err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			r.Run, r.Suite, r.Model, r.Treatment = run, "tickets", "small", treatment
			r.Started = testNow.Add(time.Duration(i) * time.Second)
			if err := s.AddResult(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	live := func(name, input string, repeat int, status eval.Status) eval.Result {
		return eval.Result{Case: name, InputHash: input, CriteriaHash: "c", Repeat: repeat, Status: status}
	}
	recorded := func(name string, repeat int, at time.Time, status eval.Status) eval.Result {
		r := live(name, "i", repeat, status)
		r.StoredBy, r.StoredAt, r.Digest = "recording", at, "d"
		return r
	}
	add("r1", "old", live("coin", "i", 0, eval.Fail), live("edited", "before", 0, eval.Fail))
	add("r2", "new",
		live("coin", "i", 0, eval.Pass), live("coin", "i", 1, eval.Fail), live("coin", "i", 2, eval.Error),
		live("edited", "after", 0, eval.Pass), recorded("kept", 0, testNow, eval.Pass), recorded("kept", 1, testNow, eval.Pass))
	add("r3", "new", live("coin", "i", 0, eval.Pass), recorded("kept", 0, testNow, eval.Pass), recorded("kept", 0+2, testNow.Add(time.Hour), eval.Fail))
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	at := func(seconds int) time.Time { return testNow.Add(time.Duration(seconds) * time.Second) }
	want := []History{
		{"tickets", "small", "coin", 3, 2, at(1)},   // not the run under another treatment, nor the error
		{"tickets", "small", "edited", 1, 1, at(3)}, // not what was asked before
		{"tickets", "small", "kept", 3, 2, at(5)},   // the same recording in two runs is one draw
	}
	got, err := s.Histories(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := s.Histories(ctx, "other"); err != nil || len(got) != 0 {
		t.Errorf("of another suite: %v, %v", got, err)
	}
}
