package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// TestServingStopsCleanly has hardly begun to write when it is closed.
func TestServingStopsCleanly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := serveTest(t, path, Options{}, Serving{CloseFor: time.Minute})
	const calls = 5000
	s.record(t, 0, calls)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the log was not folded into the file")
	}
	inFile(t, path, calls)
	s.Record(sampleCall("", calls))
	if s.Dropped() != 1 {
		t.Errorf("a call after the end is not counted: %d", s.Dropped())
	}
	wantFault(t, s.Flush(ctx), fault.Store, "closed")
}

// TestServingIsClosedWhileLocked waits for the lock as long as it may, and no longer.
func TestServingIsClosedWhileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	for _, freed := range []bool{true, false} {
		t.Run(fmt.Sprintf("freed %t", freed), func(t *testing.T) {
			path := path + fmt.Sprint(freed)
			patience := 500 * time.Millisecond
			if freed {
				patience = servingClose
			}
			s := serveTest(t, path, Options{}, Serving{CloseFor: patience}).opened(t)
			holder := foreign(t, path, "BEGIN EXCLUSIVE")
			s.record(t, 0, 1000)
			s.next(t, "locked")
			closed := make(chan error, 1)
			begin := time.Now()
			go func() { closed <- s.Close() }()
			if freed {
				time.Sleep(100 * time.Millisecond)
				if _, err := holder.ExecContext(context.Background(), "ROLLBACK"); err != nil {
					t.Fatal(err)
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
				inFile(t, path, 1000)
				return
			}
			wantFault(t, <-closed, fault.Store, "1000 calls could not be recorded", "locked by another process")
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("closing took %v", took)
			}
		})
	}
}
