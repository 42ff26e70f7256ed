package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// rowCounts counts the rows of the tables that a run fills, and of more.
func rowCounts(t *testing.T, s *Store, more ...string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range append([]string{"runs", "result_groups", "results", "calls", "turns", "attempts", "prompts", "cache"}, more...) {
		var n int
		if err := s.readers.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

func TestPruneRuns(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		title  string
		keep   int
		before time.Time
		want   []string // the runs that stay, newest first
	}{
		{"all", 0, time.Time{}, []string{"young", "begun here"}},
		{"keep the last", 3, time.Time{}, []string{"young", "begun here", "new"}},
		{"older than", 0, testNow.Add(-5 * day), []string{"young", "begun here", "new"}},
		{"older than, but keep the last", 4, testNow.Add(-5 * day), []string{"young", "begun here", "new", "old"}},
	} {
		t.Run(test.title, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "llmx.db")
			s := openTest(t, path, Options{})
			many := 300
			if test.before.IsZero() && test.keep == 0 {
				many = 2*pruneRows + 1 // more than one batch removes
			}
			for _, one := range []struct {
				id    string
				age   time.Duration
				rows  int
				state eval.RunState
			}{
				{"dead", 30 * day, 1, eval.Running}, {"old", 10 * day, many, eval.Complete}, {"new", 2 * day, 2, eval.Complete},
				{"young", time.Hour, 1, eval.Running}, // of another process, as far as we know
			} {
				writeRun(t, path, one.id, testNow.Add(-one.age), one.state, one.rows)
			}
			run := eval.Run{ID: "begun here", Started: testNow.Add(-36 * time.Hour), State: eval.Running}
			if err := s.BeginRun(ctx, run); err != nil {
				t.Fatal(err)
			}
			s.Record(sampleCall("", 1)) // outside of runs: stays
			if err := s.CachePut("expired", CacheEntry{Expires: testNow}); err != nil {
				t.Fatal(err)
			}
			if err := s.Flush(ctx); err != nil {
				t.Fatal(err)
			}

			n, bytes, err := s.PruneRuns(ctx, test.keep, test.before)
			if err != nil {
				t.Fatal(err)
			}
			runs, err := s.Runs(ctx, 0)
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			rows := 0
			for _, run := range runs {
				left = append(left, run.ID)
				count, err := s.ResultCount(ctx, run.ID, ResultFilter{})
				if err != nil {
					t.Fatal(err)
				}
				rows += count
			}
			if diff := cmp.Diff(test.want, left); diff != "" || n != 5-len(left) {
				t.Errorf("removed %d: %s", n, diff)
			}
			if len(left) < 4 && bytes < int64(many)*1000 {
				t.Errorf("%d bytes were given back", bytes)
			}
			want := map[string]int{
				"runs": len(left), "result_groups": len(left) - 1, "results": rows, "calls": rows + 1,
				"turns": rows + 1, "attempts": rows + 1, "prompts": 1, "cache": 0,
			}
			if diff := cmp.Diff(want, rowCounts(t, s)); diff != "" {
				t.Error(diff)
			}
			endRun(t, s, run) // writing goes on
		})
	}
}

// writeRun writes a run, as another process would.
func writeRun(t *testing.T, path, id string, started time.Time, state eval.RunState, rows int) {
	t.Helper()
	s := openTest(t, path, Options{Now: func() time.Time { return started }})
	run := eval.Run{ID: id, Started: started, State: eval.Running}
	if err := s.BeginRun(ctx, run); err != nil {
		t.Fatal(err)
	}
	if err := s.SavePrompt(llm.PromptRef{Name: "unused", Version: "1.0.0", Hash: id}, []byte("x")); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		s.Record(sampleCall(id, i))
		add(t, s, id, sampleResult(id, i))
	}
	if state == eval.Complete {
		endRun(t, s, run)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPruneShrinksTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	writeRun(t, path, "run", testNow.Add(-48*time.Hour), eval.Complete, 500)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := openTest(t, path, Options{})
	_, bytes, err := s.PruneRuns(ctx, 0, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := before.Size() - after.Size(); got != bytes || after.Size() > 200_000 {
		t.Errorf("from %d to %d bytes, %d said", before.Size(), after.Size(), bytes)
	}
}
