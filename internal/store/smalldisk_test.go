//go:build linux

package store

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// smallDisk names a disk of a few MB that a child of the tests has for itself.
const smallDisk = "LLMX_STORE_TEST_DISK"

// onASmallDisk runs a test once more, in a child that has mounted a disk, where that
// may be done. The child works on the disk.
func onASmallDisk(t *testing.T, work func(t *testing.T, dir string)) {
	t.Helper()
	if dir := os.Getenv(smallDisk); dir != "" {
		work(t, dir)
		return
	}
	dir := t.TempDir()
	const script = `mount -t tmpfs -o size=4m none "$1" 2>/dev/null || exit 77; exec "$0" -test.run "^$2\$" -test.v`
	child := exec.CommandContext(t.Context(), "unshare", "-rm", "sh", "-c", script, os.Args[0], dir, t.Name())
	child.Env = append(os.Environ(), smallDisk+"="+dir)
	out, err := child.CombinedOutput()
	switch {
	case err == nil && strings.Contains(string(out), "--- PASS"):
		t.Logf("%s", out)
	case child.ProcessState == nil || child.ProcessState.ExitCode() == 77 || strings.Contains(string(out), "unshare:"):
		t.Skipf("no disk can be mounted here: %v %s", err, out)
	default:
		t.Errorf("%v\n%s", err, out)
	}
}

func TestServingOnADiskThatIsFull(t *testing.T) { onASmallDisk(t, servingOnADiskThatIsFull) }

func TestServingOnADiskThatIsReadOnly(t *testing.T) { onASmallDisk(t, servingOnADiskThatIsReadOnly) }

func servingOnADiskThatIsFull(t *testing.T, dir string) {
	path, filler := filepath.Join(dir, "llmx.db"), filepath.Join(dir, "filler")
	s := serveTest(t, path, Options{}, Serving{}).opened(t)
	s.record(t, 0, 20)
	s.flush(t)
	if err := os.WriteFile(filler, make([]byte, 8<<20), 0o644); err == nil {
		t.Fatal("the disk is larger than it should be")
	}
	s.record(t, 20, 2000)
	why := s.next(t, "cannot write the store", "space")
	t.Logf("told: %v", why.Why)
	within(t, func() {
		if _, err := s.Call(ctx, sampleCall("", 3).ID); err != nil { // reading goes on
			t.Error(err)
		}
		if err := s.change("a", 5); err == nil {
			t.Error("a budget was counted on a full disk")
		}
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.next(t)
	s.flush(t)
	inFile(t, path, 2000)
	wantIntegrity(t, path)
	if err := s.change("a", 5); err != nil {
		t.Error(err)
	}
	s.quiet(t)
}

func servingOnADiskThatIsReadOnly(t *testing.T, dir string) {
	mount := func(how string) {
		if out, err := exec.Command("mount", "-o", "remount,"+how, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	path := filepath.Join(dir, ".llmx", "llmx.db")
	mount("ro")
	s := serveTest(t, path, Options{}, Serving{})
	s.next(t, "read-only file system", "make it writable")
	s.record(t, 0, 100)
	mount("rw")
	s.next(t)
	s.flush(t)
	inFile(t, path, 100)
	s.quiet(t)
}
