package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// diffBound is that of DESIGN §9 for two runs of 100,000 results.
const diffBound = time.Second

// BenchmarkDiff is the work of llmx diff on two stored runs of 100,000 results, of
// which every tenth differs.
func BenchmarkDiff(b *testing.B) {
	const cases = 100_000
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(b.TempDir(), "llmx.db"), store.Options{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	before, after := storeRun(b, s, "before", cases, 0), storeRun(b, s, "after", cases, 10)
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		err := report.DiffRuns(&out, before, after,
			s.Results(ctx, before.ID, store.ResultFilter{}), s.Results(ctx, after.ID, store.ResultFilter{}), report.Style{Limit: 20})
		if err != nil {
			b.Fatal(err)
		}
	}
	if text := out.String(); !strings.Contains(text, "90,000 the same, 10,000 worse") {
		b.Fatalf("the diff says\n%s", text)
	}
	one := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(one.Seconds(), "s/diff")
	if one > diffBound {
		b.Errorf("a diff takes %v, the bound is %v", one, diffBound)
	}
}

// storeRun stores a complete run of n results, of which every so many-th has another
// answer and fails; 0 for none.
func storeRun(b *testing.B, s *store.Store, id string, n, other int) eval.Run {
	b.Helper()
	run := eval.Run{ID: id, Started: time.Now(), State: eval.Running}
	if err := s.BeginRun(b.Context(), run); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		r := eval.Result{
			Run: id, Suite: "load", Case: fmt.Sprintf("case-%07d", i), InputHash: fmt.Sprintf("%032d", i), CriteriaHash: "c", Treatment: "t",
			Prompt: llm.PromptRef{Name: "solve", Version: "draft"}, Model: "candidate", Answered: "fixed", Status: eval.Pass, Answer: loadAnswer,
			Finish: llm.FinishStop, CallID: fmt.Sprintf("%s-%d", id, i), Turns: 1, Attempts: 1, Usage: llm.Usage{Input: 60, Output: 30},
			Cost: llm.KnownCost(120_000), Paid: llm.KnownCost(120_000), Service: loadLatency, Started: run.Started,
		}
		if other > 0 && i%other == 0 {
			r.Status, r.Answer = eval.Fail, "A: 17"
		}
		r.Digest = eval.DigestOf(r.Answer)
		if err := s.AddResult(r); err != nil {
			b.Fatal(err)
		}
	}
	run.State, run.Ended = eval.Complete, run.Started.Add(time.Minute)
	if err := s.EndRun(b.Context(), run); err != nil {
		b.Fatal(err)
	}
	return run
}
