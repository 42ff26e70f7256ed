package replay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

// namedRecording has a key of its own and what a file is sorted by.
func namedRecording(n int, name, model, prompt string, repeat int) Recording {
	recording := recordingOf(n)
	recording.Case, recording.Model, recording.Prompt, recording.Repeat = name, model, prompt, repeat
	return recording
}

func TestPruneSortsAndRemoves(t *testing.T) {
	dir := t.TempDir()
	inOrder := []Recording{
		namedRecording(5, "a", "large", "triage@1.0.0", 0),
		namedRecording(4, "a", "small", "triage@1.0.0", 0),
		namedRecording(3, "a", "small", "triage@1.0.0", 1),
		namedRecording(2, "a", "small", "triage@draft", 0),
		namedRecording(1, "a-b", "small", "triage@draft", 0),
		namedRecording(0, "b", "small", "triage@draft", 0),
	}
	r := open(t, dir)
	for i := len(inOrder) - 1; i >= 0; i-- {
		if err := r.Append(inOrder[i]); err != nil {
			t.Fatal(err)
		}
	}
	gone := namedRecording(9, "gone", "small", "triage@draft", 0)
	for range 2 {
		if err := r.Append(gone); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := r.Prune(func(recording Recording) bool { return recording.Case != "gone" })
	if err != nil || removed != 2 {
		t.Fatalf("removed %d, %v; want both lines of one key", removed, err)
	}
	var want strings.Builder
	for _, recording := range inOrder {
		want.Write(recording.line())
	}
	if diff := cmp.Diff(want.String(), read(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, recording := range inOrder {
		mustFind(t, r, recording)
	}
	if _, found, _ := r.Lookup(gone.Key); found || r.Duplicates() != 0 || r.Len() != len(inOrder) {
		t.Errorf("found %v, %d duplicates of %d", found, r.Duplicates(), r.Len())
	}
	if err := r.Append(gone); err != nil {
		t.Fatal(err)
	}
	mustFind(t, r, gone)
	left, err := filepath.Glob(filepath.Join(dir, "fixtures", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("files = %v, %v; want the one", left, err)
	}
}

// A line that a person has formatted stays as it is.
func TestPruneKeepsLinesByteForByte(t *testing.T) {
	dir := t.TempDir()
	first, second := string(recordingOf(1).lineText()), string(recordingOf(2).lineText())
	loose := strings.Replace(first, `,"case":`, ` , "case" : `, 1)
	write(t, dir, second+"\r\n\n"+loose+"\n"+`{"key":"torn`)
	r := open(t, dir)
	removed, err := r.Prune(func(Recording) bool { return true })
	if err != nil || removed != 0 {
		t.Fatalf("removed %d, %v", removed, err)
	}
	if want := loose + "\n" + second + "\n"; read(t, dir) != want {
		t.Errorf("file is\n%s", read(t, dir))
	}
	if len(r.Warnings()) != 0 {
		t.Errorf("warnings = %v, want none after the torn line is gone", r.Warnings())
	}
}

func TestPruneOfEverythingRemovesTheFile(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	for range 2 {
		if err := r.Append(recordingOf(1)); err != nil {
			t.Fatal(err)
		}
		if removed, err := r.Prune(func(Recording) bool { return false }); err != nil || removed == 0 {
			t.Fatalf("removed %d, %v", removed, err)
		}
		if _, err := os.Stat(filepath.Join(dir, file)); !os.IsNotExist(err) {
			t.Errorf("the file is there: %v", err)
		}
	}
	if removed, err := r.Prune(func(Recording) bool { return true }); err != nil || removed != 0 {
		t.Errorf("without a file: removed %d, %v", removed, err)
	}
}

func TestRewriteThatFailsLeavesTheFile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("rights do not bind this user: a directory in the way stands in for them")
	}
	dir := t.TempDir()
	write(t, dir, string(recordingOf(1).lineText())+"\n")
	// dir is not the root that was read: a directory stands where the file would go.
	other := t.TempDir()
	if err := os.MkdirAll(filepath.Join(other, filepath.FromSlash(file), "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := Open(os.DirFS(dir), other, "triage")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if _, err := r.Prune(func(Recording) bool { return true }); fault.ClassOf(err) != fault.Store {
		t.Errorf("got %v, want a failure of the store", err)
	}
	mustFind(t, r, recordingOf(1))
	left, err := filepath.Glob(filepath.Join(other, "fixtures", "*.tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRewriteNeedsADirectory(t *testing.T) {
	r, err := Open(fstest.MapFS{file: {Data: recordingOf(1).line()}}, "", "triage")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Prune(func(Recording) bool { return false }); fault.ClassOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	mustFind(t, r, recordingOf(1))
}

func TestImportMergesAndSorts(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, string(recordingOf(3).lineText())+"\n"+string(recordingOf(1).lineText()))
	r := open(t, dir)
	changed := recordingOf(3)
	changed.Text = "better"
	replaced, err := r.Import([]Recording{changed, recordingOf(2)})
	if err != nil || replaced != 1 {
		t.Fatalf("replaced %d, %v; want one", replaced, err)
	}
	if want := string(recordingOf(1).line()) + string(recordingOf(2).line()) + string(changed.line()); read(t, dir) != want {
		t.Errorf("file is\n%s", read(t, dir))
	}
	mustFind(t, r, changed)
	mustFind(t, r, recordingOf(2))
	if _, err := r.Import([]Recording{{Key: "short"}}); fault.ClassOf(err) != fault.Internal {
		t.Errorf("no key: %v", err)
	}
}
