package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) string {
		if err := os.WriteFile(in(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	execute := func(name string, statements ...string) string {
		foreign(t, in(name), statements...)
		return in(name)
	}
	malformed := func(name string) string {
		s := openTest(t, in(name), Options{})
		fill(t, s, "run", 300, false)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		copy(text[100:4096], strings.Repeat("\xff", 3996)) // the schema's page
		return write(name, string(text))
	}
	known, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		title string
		path  string
		o     Options
		want  []string
	}{
		{"a directory", dir, Options{}, []string{"is a directory", "store.path"}},
		{"no file to read", in("none.db"), Options{ReadOnly: true}, []string{"there is no store", "none.db", "llmx test"}},
		{"a file as directory", filepath.Join(write("plain", "x"), "sub", "llmx.db"), Options{}, []string{"not a directory"}},
		{"text", write("text.db", strings.Repeat("this is no database\n", 400)), Options{}, []string{"text.db", "not a database", "move it away"}},
		{"text, to read", in("text.db"), Options{ReadOnly: true}, []string{"not a database"}},
		{"a damaged page", malformed("bad.db"), Options{}, []string{"bad.db", "corrupt", "move it away"}},
		{"another program's", execute("other.db", "CREATE TABLE t (x)"), Options{}, []string{"other.db", "another program", "store.path"}},
		{"a newer version", execute("new.db", "PRAGMA application_id = 1819045240", "PRAGMA user_version = 99"), Options{},
			[]string{"new.db has version 99", fmt.Sprint("up to ", len(known)), "update llmx"}},
		{"a newer version, to read", in("new.db"), Options{ReadOnly: true}, []string{"version 99"}},
		{"an older version, to read", execute("old.db", "PRAGMA application_id = 1819045240"), Options{ReadOnly: true},
			[]string{"has version 0", fmt.Sprint("reads version ", len(known)), "llmx test"}},
		{"the name in messages", dir, Options{Name: ".llmx/llmx.db"}, []string{".llmx/llmx.db is a directory"}},
	} {
		t.Run(test.title, func(t *testing.T) {
			test.o.Now = time.Now
			s, err := Open(ctx, test.path, test.o)
			if s != nil {
				t.Error("a store beside the error")
			}
			wantFault(t, err, fault.Store, test.want...)
		})
	}
}

// foreign is another program that opens the file.
func foreign(t testing.TB, path string, statements ...string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", fileURI(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return conn
}

func TestLockedByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{BusyTimeout: 30 * time.Millisecond})
	run := beginRun(t, s, "run")
	holder := foreign(t, path, "BEGIN EXCLUSIVE")

	if err := s.AddResult(sampleResult(run.ID, 1)); err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.Flush(ctx), fault.Store, "locked by another process", "wait for the other llmx")
	wantFault(t, s.AddResult(sampleResult(run.ID, 2)), fault.Store, "locked") // the error stays
	run.State = eval.Complete
	wantFault(t, s.EndRun(ctx, run), fault.Store, "locked")

	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.EndRun(ctx, run), fault.Store, "locked") // a result is lost: never complete
	if got, err := s.Run(ctx, run.ID); err != nil || got.State != eval.Running {
		t.Errorf("state %q, %v", got.State, err)
	}
	wantFault(t, s.Close(), fault.Store, "locked")
	wantFault(t, s.Close(), fault.Store, "locked")
}

func TestWaitsForALock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	holder := foreign(t, path, "BEGIN EXCLUSIVE")
	began := make(chan error, 1)
	go func() { began <- s.BeginRun(ctx, eval.Run{ID: "run", State: eval.Running}) }()
	select {
	case err := <-began:
		t.Fatalf("written under the lock: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-began; err != nil {
		t.Error(err)
	}
}

func TestOpenWhileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	foreign(t, path, "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE")
	_, err := Open(ctx, path, Options{Now: time.Now, BusyTimeout: 30 * time.Millisecond})
	wantFault(t, err, fault.Store, "locked by another process")
}

// TestOpenWhileAnotherMakesIt is late by one step: the first setting, which waits for
// a lock as it should, is done, and another process has taken the lock since.
func TestOpenWhileAnotherMakesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	holder := foreign(t, path, "PRAGMA journal_mode = DELETE", "BEGIN IMMEDIATE")
	dsn := strings.Replace(writerDSN(path, defaultBusyTimeout, 0), "&_pragma=auto_vacuum(2)", "", 1)
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	_, err = connect(ctx, db, 30*time.Millisecond)
	wantFault(t, failureOf("llmx.db", "open", err), fault.Store, "locked by another process")

	opened := make(chan error, 1)
	go func() {
		conn, err := connect(ctx, db, defaultBusyTimeout)
		if err == nil {
			err = conn.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{maxPages: 300})
	run := beginRun(t, s, "run")
	var err error
	for i := 0; err == nil && i < 100_000; i++ {
		err = s.AddResult(sampleResult(run.ID, i))
	}
	wantFault(t, err, fault.Store, "the disk is full", "llmx runs prune")
	run.State = eval.Complete
	wantFault(t, s.EndRun(ctx, run), fault.Store, "the disk is full")
	wantFault(t, s.Close(), fault.Store, "the disk is full")

	s = openTest(t, path, Options{}) // what was written before is sound
	got, err := s.Run(ctx, run.ID)
	if err != nil || got.State != eval.Running {
		t.Errorf("state %q, %v", got.State, err)
	}
	n := len(results(t, s, run.ID, ResultFilter{}))
	if n == 0 {
		t.Error("nothing is kept")
	}
}

func TestReadOnlyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "llmx.db")
	s := openTest(t, path, Options{})
	fill(t, s, "run", 1, false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	t.Run("to read", func(t *testing.T) {
		s := openTest(t, path, Options{ReadOnly: true})
		if n := len(results(t, s, "run", ResultFilter{})); n != 1 {
			t.Errorf("%d results", n)
		}
		const want = "reading only"
		wantFault(t, s.BeginRun(ctx, eval.Run{ID: "x"}), fault.Store, want)
		wantFault(t, s.AddResult(eval.Result{}), fault.Store, want)
		wantFault(t, s.EndRun(ctx, eval.Run{}), fault.Store, want)
		wantFault(t, s.Flush(ctx), fault.Store, want)
		wantFault(t, s.CachePut("k", CacheEntry{}), fault.Store, want)
		_, err := s.CacheClear(ctx)
		wantFault(t, err, fault.Store, want)
		_, _, err = s.PruneRuns(ctx, 0, time.Time{})
		wantFault(t, err, fault.Store, want)
		s.Record(sampleCall("run", 7)) // has no error to give, and must not crash
	})

	t.Run("to write", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("permission bits do not bind the superuser")
		}
		for _, name := range []string{path, dir} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(name, info.Mode().Perm()&^0o222); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(name, info.Mode().Perm()) })
		}
		_, err := Open(ctx, path, Options{Now: time.Now})
		wantFault(t, err, fault.Store, "read-only", "writable")
	})
}

// TestReadOnlyWords makes SQLite say what it says for a read-only file, also
// where the tests run as the superuser.
func TestReadOnlyWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	openTest(t, path, Options{}).Close()
	db, err := sql.Open("sqlite", readerDSN(path, time.Second, false))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec("INSERT INTO runs DEFAULT VALUES")
	wantFault(t, failureOf("llmx.db", "write", err), fault.Store, "cannot write the store llmx.db", "read-only", "store.path")
}

func TestOpenCanceled(t *testing.T) {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err := Open(gone, filepath.Join(t.TempDir(), "llmx.db"), Options{Now: time.Now})
	wantFault(t, err, fault.Canceled, "before it could open")
}

func TestOddPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"with space.db", "per%20cent.db", "what?mode=ro.db", "hash#tag.db", "plus+ü.db", "sub/dir/llmx.db"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		s := openTest(t, path, Options{})
		fill(t, s, "run", 1, false)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestClosed(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	for i := range 1500 { // more than the queue holds
		if err := s.AddResult(sampleResult(run.ID, i)); err != nil {
			t.Fatal(err)
		}
	}
	path := s.name
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.AddResult(sampleResult(run.ID, 1)), fault.Store, "is closed")
	s.Record(sampleCall(run.ID, 1))
	if n := len(results(t, openTest(t, path, Options{}), run.ID, ResultFilter{})); n != 1500 {
		t.Errorf("Close kept %d results", n)
	}
}

// FuzzOpen opens files of any content: a store or an error, never a crash.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "llmx.db")
	s := openTest(f, path, Options{})
	fill(f, s, "run", 3, false)
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, []byte("text"), whole, whole[:100], whole[:5000], whole[:len(whole)-4096]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "llmx.db")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open(ctx, path, Options{Now: time.Now, BusyTimeout: time.Millisecond})
		if err != nil {
			wantFault(t, err, fault.Store)
			return
		}
		for _, err := range s.Results(ctx, "run", ResultFilter{}) {
			if err != nil && fault.ClassOf(err) != fault.Store && fault.ClassOf(err) != fault.Usage {
				t.Errorf("class %s: %v", fault.ClassOf(err), err)
			}
		}
		_ = s.Close() // may say that the file is corrupt
	})
}
