package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// TestRowsAreWrittenAsTheyCome adds one result and lets 50 ms pass, without a
// flush and far from a full batch.
func TestRowsAreWrittenAsTheyCome(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, filepath.Join(dir, "llmx.db"), Options{})
		run := beginRun(t, s, "run")
		for want := range 3 {
			n, err := s.ResultCount(ctx, run.ID, ResultFilter{})
			if err != nil || n != want {
				t.Fatalf("%d results are written, want %d, %v", n, want, err)
			}
			add(t, s, run.ID, sampleResult(run.ID, want))
			time.Sleep(50 * time.Millisecond) // of the bubble's clock
			synctest.Wait()
		}
	})
}

func TestManyGoroutines(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	const goroutines, each = 16, 50
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range each {
				s.Record(sampleCall(run.ID, g*each+i))
				if err := s.AddResult(sampleResult(run.ID, g*each+i)); err != nil {
					t.Error(err)
				}
				if i%25 == 0 {
					if _, err := s.ResultCount(ctx, run.ID, ResultFilter{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	endRun(t, s, run)
	got := results(t, s, run.ID, ResultFilter{})
	if len(got) != goroutines*each {
		t.Fatalf("%d results", len(got))
	}
	for i, r := range got {
		if want := fmt.Sprintf("ticket-%07d", i); r.Case != want {
			t.Fatalf("%s stands where %s should", r.Case, want)
		}
		if call, err := s.Call(ctx, r.CallID); err != nil || call.Origin.Case != r.Case {
			t.Fatalf("%s: %v", r.CallID, err)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	holder := foreign(t, path, "BEGIN EXCLUSIVE")
	hurry, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	err := s.BeginRun(hurry, eval.Run{ID: "run", State: eval.Running})
	wantFault(t, err, fault.Canceled, "gave up waiting")
	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
}

// TestNothingIsWrittenAfterAnError: what was in the queue when a write failed
// must not be kept without the rows before it.
func TestNothingIsWrittenAfterAnError(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	failure := s.writer.fail(errors.New("torn off"))
	result, done := sampleResult(run.ID, 1), make(chan error, 1)
	s.writer.queue <- work{result: &result, done: done} // past send, which refuses
	if err := <-done; err != failure {
		t.Errorf("got %v", err)
	}
	if n, err := s.ResultCount(ctx, run.ID, ResultFilter{}); n != 0 || err != nil {
		t.Errorf("%d results, %v", n, err)
	}
}

// TestCallsOutsideOfRuns has two processes number theirs.
func TestCallsOutsideOfRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	one, two := openTest(t, path, Options{}), openTest(t, path, Options{})
	for i := range 6 {
		s := []*Store{one, two}[i%2]
		s.Record(sampleCall("", i))
		if err := s.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if calls := listed(t, one, CallFilter{}); len(calls) != 6 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestEndOfARunThatWasNotBegun(t *testing.T) {
	s := tempStore(t)
	wantFault(t, s.EndRun(ctx, eval.Run{ID: "x", State: eval.Complete}), fault.Internal, `run "x" was not begun`)
	run := beginRun(t, s, "run") // a refusal does not stop the writing
	add(t, s, run.ID, sampleResult(run.ID, 1))
	endRun(t, s, run)
}
