package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Looking leaves no trace: neither a file of SQLite's own beside the store, as
// another reader leaves, nor a changed store. What stands in a log is seen as well.
func TestUntouchedLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	look := func(when string) {
		t.Helper()
		seen, err := Open(ctx, path, Options{Now: time.Now, ReadOnly: true, Untouched: true})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if _, found, err := seen.CacheGet(ctx, "key"); err != nil || !found {
			t.Errorf("%s: found %v, %v", when, found, err)
		}
		if err := seen.Close(); err != nil {
			t.Error(err)
		}
	}
	kept := openTest(t, path, Options{})
	entry := CacheEntry{Text: "yes", End: llm.End{Finish: llm.FinishStop, Stored: &llm.Stored{At: time.Now()}}}
	if err := kept.CachePut("key", entry); err != nil {
		t.Fatal(err)
	}
	if err := kept.writer.wait(ctx, work{do: func(*sql.Conn) error { return nil }}); err != nil {
		t.Fatal(err)
	}
	look("while it is written")
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	look("after it was closed")
	if after, err := os.Stat(path); err != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() {
		t.Errorf("the store was changed, %v", err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("files: %v, %v", files, err)
	}
}
