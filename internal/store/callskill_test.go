package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// callsAsChild records a call outside of runs about every millisecond until it is
// killed, and says after each when it was handed over.
func callsAsChild(path, _, _ string) error {
	var s *Store
	var err error
	if os.Getenv(childServe) != "" {
		s = OpenServing(path, Options{Now: time.Now}, Serving{})
		err = s.Opened(context.Background())
	} else {
		s, err = Open(context.Background(), path, Options{Now: time.Now})
	}
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		s.Record(sampleCall("", i))
		fmt.Println(time.Now().UnixNano())
		time.Sleep(time.Millisecond)
	}
}

// The calls of ask, and of a server, belong to no run: nothing flushes them.
func TestKillLosesAtMostTheLastSecondOfCalls(t *testing.T) {
	t.Run("of a command", func(t *testing.T) { killAmongCalls(t) })
	t.Run("of a server", func(t *testing.T) { killAmongCalls(t, childServe+"=1") })
}

func killAmongCalls(t *testing.T, env ...string) {
	const bound = time.Second
	path := filepath.Join(t.TempDir(), "llmx.db")
	victim := child(t, path, "", 0)
	victim.Env = append(victim.Env, append(env, childCalls+"=1")...)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var handed []int64 // when each call was handed over
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		at, err := strconv.ParseInt(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			break // the last line was cut
		}
		if handed = append(handed, at); !killed && at-handed[0] > int64(bound*3/2) {
			killed = true
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := victim.Wait(); err == nil || !killed {
		t.Fatalf("the child was not killed: %v, %d calls", err, len(handed))
	}
	due := 0
	for _, at := range handed {
		if at < handed[len(handed)-1]-int64(bound) {
			due++
		}
	}
	kept := listed(t, openTest(t, path, Options{}), CallFilter{})
	t.Logf("%d handed over, %d of them more than %v before the end; %d kept", len(handed), due, bound, len(kept))
	if due < 10 || len(kept) < due {
		t.Errorf("%d calls are kept, %d were older than the bound", len(kept), due)
	}
	areTheFirst(t, kept)
	wantIntegrity(t, path)
}

// areTheFirst wants the first sample calls without a gap, each with its attempt.
func areTheFirst(t *testing.T, newestFirst []*llm.Call) {
	t.Helper()
	for i, call := range newestFirst {
		want := sampleCall("", len(newestFirst)-1-i)
		if call.ID != want.ID || len(call.Turns) != 1 || cmp.Diff(want.Turns[0].Attempts, call.Turns[0].Attempts) != "" {
			t.Fatalf("%s stands where %s should, with %+v", call.ID, want.ID, call.Turns)
		}
	}
}

func TestACleanStopLosesNoCall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	const goroutines, each = 8, 100
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range each {
				s.Record(sampleCall("", g*each+i))
			}
		})
	}
	all.Wait()
	if err := s.Close(); err != nil { // at once, with the queue full
		t.Fatal(err)
	}
	kept := listed(t, openTest(t, path, Options{}), CallFilter{})
	if len(kept) != goroutines*each {
		t.Fatalf("%d of %d calls are kept", len(kept), goroutines*each)
	}
	areTheFirst(t, kept)
}
