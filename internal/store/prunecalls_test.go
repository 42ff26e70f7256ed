package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestPruneCalls removes what is old, of calls outside of runs alone, while others are
// recorded.
func TestPruneCalls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	runs := openTest(t, path, Options{})
	fill(t, runs, "run", 20, false) // as old as the calls
	if err := runs.Close(); err != nil {
		t.Fatal(err)
	}
	s := serveTest(t, path, Options{}, Serving{}).opened(t)
	const old, young = 450, 70
	for i := range old + young {
		s.Record(sampleCall("", i)) // a millisecond apart
	}
	put(t, s.Store, "expired", 5, testNow.Add(-time.Hour))
	put(t, s.Store, "alive", 3, testNow.Add(time.Hour))
	s.flush(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.record(t, old+young, old+young+30)
	}()
	n, err := s.PruneCalls(ctx, testNow.Add(old*time.Millisecond))
	if err != nil || n != old {
		t.Errorf("%d removed, %v", n, err)
	}
	<-done
	s.flush(t)
	counts := rowCounts(t, s.Store)
	if left := young + 30 + 20; counts["calls"] != left || counts["turns"] != left || counts["attempts"] != left || counts["results"] != 20 {
		t.Errorf("left are %v", counts)
	}
	if size, err := s.CacheStats(ctx); err != nil || size.Expired != 0 || size.Entries != 3 {
		t.Errorf("the cache: %+v, %v", size, err)
	}
	if n, err := s.PruneCalls(ctx, testNow.Add(old*time.Millisecond)); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}

// TestPruneCallsLetsOthersIn: the lock is not held long, however much there is to remove.
func TestPruneCallsLetsOthersIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := serveTest(t, path, Options{}, Serving{}).opened(t)
	for i := range 3000 {
		call := sampleCall("", i)
		call.Turns[0].Messages[1] = llm.Text(llm.User, strings.Repeat("x", 5000))
		s.Record(call)
	}
	s.flush(t)
	pruned := make(chan error, 1)
	go func() {
		n, err := s.PruneCalls(ctx, testNow.Add(time.Hour))
		if n != 3000 {
			t.Errorf("%d removed", n)
		}
		pruned <- err
	}()
	other := foreign(t, path, "PRAGMA busy_timeout = 10000")
	longest, times := time.Duration(0), 0
	for going := true; going; times++ {
		begin := time.Now()
		if _, err := other.ExecContext(ctx, "BEGIN IMMEDIATE; COMMIT"); err != nil {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(begin))
		select {
		case err := <-pruned:
			if err != nil {
				t.Error(err)
			}
			going = false
		case <-time.After(time.Millisecond):
		}
	}
	t.Logf("another process wrote %d times meanwhile, and waited at most %v", times, longest)
	if times < 10 || longest > 2*time.Second {
		t.Errorf("another process wrote %d times meanwhile, and waited up to %v", times, longest)
	}
}

func TestOldCallsAreFoundByTheIndex(t *testing.T) {
	s := tempStore(t)
	var id, parent, unused int
	var detail string
	if err := s.readers.QueryRowContext(ctx, "EXPLAIN QUERY PLAN "+oldestCalls, 1, 1).Scan(&id, &parent, &unused, &detail); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(detail, "calls_by_age") {
		t.Errorf("the plan: %s", detail)
	}
}

func TestPruneCallsOfAReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	openTest(t, path, Options{})
	_, err := openTest(t, path, Options{ReadOnly: true}).PruneCalls(ctx, testNow)
	wantFault(t, err, fault.Store, "reading only")
}
