package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// The test binary is its own child: it writes into the store that these name.
const (
	childPath = "LLMX_STORE_TEST_PATH"
	childRun  = "LLMX_STORE_TEST_RUN"
	childRows = "LLMX_STORE_TEST_ROWS"

	childCache = "LLMX_STORE_TEST_CACHE" // set: cache entries in place of results
	childCalls = "LLMX_STORE_TEST_CALLS" // set: calls outside of runs in place of results
	childServe = "LLMX_STORE_TEST_SERVE" // set: under a server
	// childOwner makes it spend from the store's budgets instead, under this name.
	childOwner = "LLMX_STORE_TEST_OWNER"
)

// childOf is what this process is to do in place of the tests, or nil.
func childOf() func() {
	path := os.Getenv(childPath)
	if path == "" {
		return nil
	}
	write := writeAsChild
	if os.Getenv(childCache) != "" {
		write = cacheAsChild
	}
	if os.Getenv(childCalls) != "" {
		write = callsAsChild
	}
	return func() {
		act := func() error { return write(path, os.Getenv(childRun), os.Getenv(childRows)) }
		if owner := os.Getenv(childOwner); owner != "" {
			act = func() error { return spendAsChild(path, owner) }
		}
		if err := act(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// writeAsChild adds results, and says after each when it was handed over. With 0
// rows it goes on until it is killed.
func writeAsChild(path, id, count string) error {
	rows, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	s, err := Open(context.Background(), path, Options{Now: time.Now})
	if err != nil {
		return err
	}
	run := eval.Run{ID: id, Started: time.Now(), State: eval.Running}
	if err := s.BeginRun(context.Background(), run); err != nil {
		return err
	}
	for i := 0; rows == 0 || i < rows; i++ {
		s.Record(sampleCall(id, i))
		if err := s.AddResult(sampleResult(id, i)); err != nil {
			return err
		}
		if rows == 0 {
			fmt.Println(time.Now().UnixNano())
		}
	}
	run.State = eval.Complete
	if err := s.EndRun(context.Background(), run); err != nil {
		return err
	}
	return s.Close()
}

func child(t *testing.T, path, run string, rows int) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childPath+"="+path, childRun+"="+run, fmt.Sprintf("%s=%d", childRows, rows))
	command.Stderr = os.Stderr
	return command
}

func TestKillLosesAtMostTheLast50ms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	victim := child(t, path, "killed", 0)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var handed []int64 // when each result was handed over
	const enough = 1500
	for lines := bufio.NewScanner(out); lines.Scan(); {
		at, err := strconv.ParseInt(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			break // the last line was cut
		}
		if handed = append(handed, at); len(handed) == enough {
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil || len(handed) < enough {
		t.Fatalf("the child was not killed: %v, %d results", err, len(handed))
	}

	s := openTest(t, path, Options{})
	run, err := s.Run(ctx, "killed")
	if err != nil || run.State != eval.Running {
		t.Fatalf("state %q, %v", run.State, err)
	}
	kept := len(results(t, s, "killed", ResultFilter{}))
	if calls := listed(t, s, CallFilter{Run: "killed"}); len(calls) < kept {
		t.Errorf("%d results, but %d calls", kept, len(calls))
	}
	// The last line that was read is from just before the kill. A machine that
	// is busy delays the writer too, so some slack stands on top of the 50 ms.
	const slack = 450 * time.Millisecond
	older := 0
	for _, at := range handed {
		if at < handed[len(handed)-1]-int64(50*time.Millisecond+slack) {
			older++
		}
	}
	t.Logf("%d handed over, %d kept", len(handed), kept)
	if kept < older {
		t.Errorf("%d results are kept, %d were older than the bound", kept, older)
	}
	var sound string
	if err := s.readers.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity: %q, %v", sound, err)
	}
}

func TestTwoProcessesWriteAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	const rows = 500
	commands := []*exec.Cmd{child(t, path, "one", rows), child(t, path, "two", rows)}
	for _, command := range commands { // both make the file
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
	}
	s := openTest(t, path, Options{}) // and a third
	fill(t, s, "three", rows, false)
	for _, command := range commands {
		if err := command.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"one", "two", "three"} {
		run, err := s.Run(ctx, id)
		if err != nil || run.State != eval.Complete {
			t.Errorf("%s: state %q, %v", id, run.State, err)
		}
		if n, err := s.ResultCount(ctx, id, ResultFilter{}); err != nil || n != rows {
			t.Errorf("%s: %d results, %v", id, n, err)
		}
		if calls := listed(t, s, CallFilter{Run: id}); len(calls) != rows {
			t.Errorf("%s: %d calls", id, len(calls))
		}
	}
}
