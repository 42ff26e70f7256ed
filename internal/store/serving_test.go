package store

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// served is a store under a server, and what was told of it.
type served struct {
	*Store
	path string
	told chan Recording
}

func serveTest(t *testing.T, path string, o Options, v Serving) *served {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 30 * time.Millisecond
	}
	told := make(chan Recording, 100)
	v.Trouble = func(r Recording) { told <- r }
	s := &served{OpenServing(path, o, v), path, told}
	t.Cleanup(func() { s.Close() })
	return s
}

// opened waits until the store is open.
func (s *served) opened(t *testing.T) *served {
	t.Helper()
	if err := s.Opened(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// next is what is told next: trouble in these words, or that all is well where there
// are none.
func (s *served) next(t *testing.T, words ...string) Recording {
	t.Helper()
	select {
	case r := <-s.told:
		if len(words) > 0 {
			wantFault(t, r.Why, fault.Store, words...)
		} else if r.Why != nil {
			t.Fatalf("told %v, wanted that all is well", r.Why)
		}
		if r.Since.IsZero() {
			t.Error("it is not told since when")
		}
		return r
	case <-time.After(20 * time.Second):
		t.Fatalf("nothing was told, wanted %q", words)
	}
	return Recording{}
}

// quiet wants that nothing more was told.
func (s *served) quiet(t *testing.T) {
	t.Helper()
	select {
	case r := <-s.told:
		t.Errorf("told as well: %+v", r)
	default:
	}
}

// record hands calls over, and wants that nobody waits for that.
func (s *served) record(t *testing.T, from, to int) {
	t.Helper()
	within(t, func() {
		for i := from; i < to; i++ {
			s.Record(sampleCall("", i))
		}
	})
}

// within wants something to be over far sooner than any lock or pause.
func within(t *testing.T, work func()) {
	t.Helper()
	const bound = 500 * time.Millisecond
	begin := time.Now()
	work()
	if took := time.Since(begin); took > bound {
		t.Errorf("it took %v, at most %v are allowed", took, bound)
	}
}

// inFile wants the first n sample calls in the file, without a gap.
func inFile(t *testing.T, path string, n int) {
	t.Helper()
	kept := listed(t, openTest(t, path, Options{ReadOnly: true}), CallFilter{})
	if len(kept) != n {
		t.Fatalf("%d calls are in the file, want %d", len(kept), n)
	}
	areTheFirst(t, kept)
}

func (s *served) flush(t *testing.T) {
	t.Helper()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func (s *served) change(owner string, spent llm.Money) error {
	account := budget.Account{Scope: budget.ScopeProject, Per: budget.PerDay, Period: "2026-11-12"}
	return s.Change(owner, []budget.Account{account}, func([]budget.State) []budget.Entry { return []budget.Entry{{Spent: spent}} })
}

// TestServingWhileLocked: nobody waits for the lock of another process, and what comes
// meanwhile is written when it has gone.
func TestServingWhileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := serveTest(t, path, Options{}, Serving{}).opened(t)
	s.record(t, 0, 10)
	s.flush(t)
	holder := foreign(t, path, "BEGIN EXCLUSIVE")
	s.record(t, 10, 500)
	s.next(t, "cannot write the store", "locked by another process")
	if r := s.Recording(); r.Why == nil || r.Since != testNow || r.Dropped != 0 {
		t.Errorf("recording: %+v", r)
	}
	within(t, func() {
		wantFault(t, s.change("a", 5), fault.Store, "locked")
		wantFault(t, s.Flush(ctx), fault.Store, "locked")
		_, _, err := s.PruneRuns(ctx, 0, time.Time{})
		wantFault(t, err, fault.Store)
		if err := s.CachePut("k", CacheEntry{Text: "x"}); err != nil {
			t.Error(err)
		}
		if call, err := s.Call(ctx, sampleCall("", 3).ID); err != nil || call.Answer == "" { // reading goes on
			t.Errorf("got %+v, %v", call, err)
		}
	})
	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if r := s.next(t); r.Dropped != 0 {
		t.Errorf("%d calls were dropped", r.Dropped)
	}
	s.flush(t)
	if err := s.change("a", 5); err != nil {
		t.Error(err)
	}
	inFile(t, path, 500)
	if _, hit, err := s.CacheGet(ctx, "k"); !hit || err != nil {
		t.Errorf("the cache's entry: %t, %v", hit, err)
	}
	if r := s.Recording(); r.Why != nil {
		t.Errorf("recording: %+v", r)
	}
	s.quiet(t)
}

// TestServingOnAFullDisk: what does not fit into the queue any more is counted, the
// rest is written once there is room.
func TestServingOnAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	openTest(t, path, Options{}).Close()
	other := foreign(t, path, "PRAGMA journal_mode = WAL", "CREATE TABLE filler (x BLOB)", "INSERT INTO filler VALUES (zeroblob(1000000))")
	const rows = 300
	s := serveTest(t, path, Options{maxPages: 400}, Serving{Rows: rows}).opened(t)
	handed := 0
	for ; s.Flush(ctx) == nil; handed += 20 {
		s.record(t, handed, handed+20)
	}
	s.next(t, "the disk is full", "free some space")
	s.record(t, handed, handed+rows+150)
	handed += rows + 150
	dropped := s.Dropped()
	if dropped < 100 || s.Recording().Dropped > dropped {
		t.Errorf("%d dropped, %+v", dropped, s.Recording())
	}
	within(t, func() {
		wantFault(t, s.change("a", 5), fault.Store, "the disk is full")
		if _, err := s.Call(ctx, sampleCall("", 3).ID); err != nil { // reading goes on
			t.Error(err)
		}
	})
	if _, err := other.ExecContext(ctx, "DELETE FROM filler"); err != nil {
		t.Fatal(err)
	}
	if r := s.next(t); r.Dropped == 0 || r.Dropped > dropped {
		t.Errorf("told of %d, %d were dropped", r.Dropped, dropped)
	}
	s.flush(t)
	if kept := listed(t, s.Store, CallFilter{}); int64(len(kept)) != int64(handed)-dropped {
		t.Errorf("%d handed over, %d dropped, %d kept", handed, dropped, len(kept))
	}
	if s.Dropped() != dropped {
		t.Errorf("%d were dropped after that", s.Dropped()-dropped)
	}
	s.quiet(t)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestServingBoundsBytes: large calls fill the queue before many do.
func TestServingBoundsBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	foreign(t, path, "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE")
	s := serveTest(t, path, Options{}, Serving{Bytes: 1 << 20, CloseFor: 10 * time.Millisecond})
	for i := range 100 {
		call := sampleCall("", i)
		call.Turns[0].Messages[1] = llm.Text(llm.User, strings.Repeat("x", 100_000))
		s.Record(call)
	}
	if dropped := s.Dropped(); dropped != 90 {
		t.Errorf("%d of 100 calls of 100 KB were dropped, with 1 MB of room", dropped)
	}
	wantFault(t, s.Close(), fault.Store, "10 calls could not be recorded", "locked by another process")
	if s.Dropped() != 100 {
		t.Errorf("%d dropped in all", s.Dropped())
	}
}

// TestServingWithoutAStore starts where the file cannot be opened, answers, and has it
// all once it can be.
func TestServingWithoutAStore(t *testing.T) {
	for title, test := range map[string]struct {
		spoil func(t *testing.T, path string) (mend func())
		words []string
	}{
		"locked": {func(t *testing.T, path string) func() {
			holder := foreign(t, path, "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE")
			return func() { holder.ExecContext(ctx, "ROLLBACK") }
		}, []string{"locked by another process"}},
		"broken": {func(t *testing.T, path string) func() {
			if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o644); err != nil {
				t.Fatal(err)
			}
			return func() { os.Remove(path) }
		}, []string{"the file is not a database", "move it away"}},
		"a directory": {func(t *testing.T, path string) func() {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
			return func() { os.Remove(path) }
		}, []string{"is a directory"}},
		"of a newer llmx": {func(t *testing.T, path string) func() {
			conn := foreign(t, path, "PRAGMA application_id = 1819045240", "PRAGMA user_version = 99")
			return func() { conn.ExecContext(ctx, "PRAGMA user_version = 0") }
		}, []string{"has version 99"}},
		"in a directory that is read-only": {func(t *testing.T, path string) func() {
			if os.Getuid() == 0 {
				t.Skip("permission bits do not bind the superuser")
			}
			dir := filepath.Dir(path)
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			return func() { os.Chmod(dir, 0o755) }
		}, []string{"cannot be opened or made"}},
	} {
		t.Run(title, func(t *testing.T) {
			dir, err := os.MkdirTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "llmx.db")
			mend := test.spoil(t, path)
			var s *served
			within(t, func() { s = serveTest(t, path, Options{Name: ".llmx/llmx.db"}, Serving{}) })
			wantFault(t, s.Opened(ctx), fault.Store, test.words...)
			s.next(t, test.words...)
			s.record(t, 0, 100)
			within(t, func() {
				_, err := s.Call(ctx, "x")
				wantFault(t, err, fault.Store, test.words...)
				_, _, err = s.CacheGet(ctx, "x")
				wantFault(t, err, fault.Store)
				_, err = s.Balances(ctx, budget.ScopeProject, budget.PerDay, "2026-11-12")
				wantFault(t, err, fault.Store)
				wantFault(t, s.change("a", 1), fault.Store, test.words...)
			})
			mend()
			s.next(t)
			s.flush(t)
			inFile(t, path, 100)
			if _, err := s.Call(ctx, sampleCall("", 1).ID); err != nil {
				t.Error(err)
			}
			s.quiet(t)
		})
	}
}

// TestServingLeavesOutWhatNoFileTakes: one call must not keep the others out.
func TestServingLeavesOutWhatNoFileTakes(t *testing.T) {
	s := serveTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{}, Serving{}).opened(t)
	s.record(t, 0, 50)
	s.Record(sampleCall("", 7)) // its id is taken
	s.record(t, 50, 100)
	s.flush(t)
	inFile(t, s.path, 100)
	if s.Dropped() != 1 {
		t.Errorf("%d were dropped", s.Dropped())
	}
	// What was new in the batch that was taken back is written again.
	if call, err := s.Call(ctx, sampleCall("", 0).ID); err != nil || len(call.Turns[0].Options) == 0 {
		t.Errorf("the options are lost: %+v, %v", call, err)
	}
}

// TestServingAsksNobodyToWait: whoever waits for a change that is refused while it is in
// the queue is told, and the change is never made.
func TestServingAsksNobodyToWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := serveTest(t, path, Options{BusyTimeout: 300 * time.Millisecond}, Serving{}).opened(t)
	holder := foreign(t, path, "BEGIN EXCLUSIVE")
	asked := make(chan error, 10)
	for i := range cap(asked) {
		go func() { asked <- s.change(fmt.Sprint("owner ", i), 7) }()
	}
	for range cap(asked) {
		wantFault(t, <-asked, fault.Store, "locked by another process")
	}
	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	s.next(t, "locked")
	s.next(t)
	s.flush(t)
	if found := balances(t, s.Store, budget.ScopeProject, budget.PerDay, "2026-11-12"); len(found) > 0 {
		t.Errorf("what was refused was written: %+v", found)
	}
	if err := s.change("a", 7); err != nil {
		t.Error(err)
	}
}

// TestServingHangs has the writer stay away, as it does at a disk that does not answer.
func TestServingHangs(t *testing.T) {
	s := serveTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{}, Serving{CloseFor: 100 * time.Millisecond}).opened(t)
	hangs, release := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.writer.wait(ctx, work{do: func(*sql.Conn) error { close(hangs); <-release; return nil }})
	}()
	<-hangs
	s.record(t, 0, 100)
	s.next(t, "does not answer", "check the disk")
	within(t, func() { wantFault(t, s.change("a", 1), fault.Store, "does not answer") })
	close(release)
	s.next(t)
	s.flush(t)
	inFile(t, s.path, 100)
}

// TestServingTakesNoRun: a run of which a result may be dropped is none.
func TestServingTakesNoRun(t *testing.T) {
	s := serveTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{}, Serving{}).opened(t)
	wantFault(t, s.BeginRun(ctx, eval.Run{ID: "run"}), fault.Internal, "takes no run")
}
