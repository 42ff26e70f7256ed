package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestServingAFileThatIsRemoved: SQLite would go on writing into it, and nobody would
// ever find that.
func TestServingAFileThatIsRemoved(t *testing.T) {
	for title, remove := range map[string]func(t *testing.T, path string){
		"the file alone": func(t *testing.T, path string) { remove(t, path) },
		"with its log":   func(t *testing.T, path string) { remove(t, path, path+"-wal", path+"-shm") },
		"its directory": func(t *testing.T, path string) {
			if err := os.RemoveAll(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(title, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), ".llmx", "llmx.db")
			s := serveTest(t, path, Options{}, Serving{}).opened(t)
			ref := llm.PromptRef{Name: "triage", Version: "1.0.0", Hash: "abc"}
			if err := s.SavePrompt(ref, []byte("text")); err != nil {
				t.Fatal(err)
			}
			for i := 100; i < 200; i++ { // will be lost
				s.Record(sampleCall("", i))
			}
			s.flush(t)
			reading, err := s.readers.Conn(ctx) // a read that goes on meanwhile
			if err != nil {
				t.Fatal(err)
			}
			defer reading.Close()
			remove(t, path)
			s.record(t, 0, 100)
			s.next(t, "was removed while it was open", "opened anew")
			s.next(t)
			s.flush(t)
			inFile(t, path, 100)
			wantIntegrity(t, path)
			if err := reading.Close(); err != nil {
				t.Error(err)
			}
			if content, _, err := s.Prompt(ctx, "abc"); err != nil || string(content) != "text" {
				t.Errorf("the prompt: %q, %v", content, err)
			}
			if _, err := s.Call(ctx, sampleCall("", 100).ID); fault.ClassOf(err) != fault.Usage {
				t.Errorf("a call of the file that is lost: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			inFile(t, path, 100)
			s.quiet(t)
		})
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func wantIntegrity(t *testing.T, path string) {
	t.Helper()
	var word string
	if err := foreign(t, path).QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&word); err != nil || word != "ok" {
		t.Errorf("integrity: %q, %v", word, err)
	}
}

// TestServingAFileThatIsReplaced by a copy of before: its log must not be played into
// the copy.
func TestServingAFileThatIsReplaced(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "llmx.db"), filepath.Join(dir, "copy.db")
	before := openTest(t, copied, Options{})
	for i := range 50 {
		before.Record(sampleCall("", i))
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	s := serveTest(t, path, Options{}, Serving{}).opened(t)
	for i := 1000; i < 1300; i++ {
		s.Record(sampleCall("", i))
	}
	s.flush(t) // all of it stands in the log
	if err := os.Rename(copied, path); err != nil {
		t.Fatal(err)
	}
	s.next(t, "was replaced while it was open") // though nobody writes
	s.next(t)
	s.record(t, 50, 80)
	s.flush(t)
	wantIntegrity(t, path)
	inFile(t, path, 80)
}

// TestServersLoseOneFile: two servers find that the file is gone, and end up with one.
func TestServersLoseOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	one := serveTest(t, path, Options{}, Serving{}).opened(t)
	two := serveTest(t, path, Options{}, Serving{}).opened(t)
	for _, s := range []*served{one, two} {
		s.Record(sampleCall("lost", 1))
		s.Flush(ctx)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	const each = 300
	for i := range each {
		one.Record(sampleCall("", 2*i))
		two.Record(sampleCall("", 2*i+1))
	}
	for _, s := range []*served{one, two} {
		s.next(t, "while it was open") // removed, or replaced by what the other has made
		for s.Recording().Why != nil {
			time.Sleep(time.Millisecond)
		}
		s.flush(t)
	}
	wantIntegrity(t, path)
	if kept := listed(t, openTest(t, path, Options{ReadOnly: true}), CallFilter{}); len(kept) != 2*each {
		t.Errorf("%d of %d calls are in the file", len(kept), 2*each)
	}
	for _, s := range []*served{one, two} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wantIntegrity(t, path)
}
