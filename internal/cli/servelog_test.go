package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// countedWrites counts the writes that reach it.
type countedWrites struct {
	mu   sync.Mutex
	text bytes.Buffer
	n    int
}

func (c *countedWrites) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.text.Write(p)
}

// soFar gives how many writes there were, and their text.
func (c *countedWrites) soFar() (int, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.text.String()
}

// Lines are written together, a moment later; a warning at once, after those before it.
func TestTheLogHoldsLinesBackForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &countedWrites{}
		log, end, err := (&serveOptions{log: "text"}).logger(&World{Stderr: out})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("one")
		log.With("a", 1).Info("two")
		if n, _ := out.soFar(); n != 0 {
			t.Errorf("%d writes at once", n)
		}
		time.Sleep(logHeld + time.Millisecond)
		synctest.Wait()
		if n, text := out.soFar(); n != 1 || strings.Count(text, "\n") != 2 {
			t.Errorf("after a moment %d writes: %s", n, text)
		}
		log.Info("three")
		log.WithGroup("g").Warn("four")
		if n, text := out.soFar(); n < 2 || !strings.Contains(text, "msg=three") || !strings.HasSuffix(text, "msg=four\n") {
			t.Errorf("a warning waits: %s", text)
		}
		log.Info("five")
		end()
		if _, text := out.soFar(); !strings.HasSuffix(text, "msg=five\n") {
			t.Errorf("the end is lost: %s", text)
		}
	})
}

func TestAFullLogIsWritten(t *testing.T) {
	out := &countedWrites{}
	lines := &logLines{w: out}
	for range 2 * logBytes / 1024 {
		_, _ = lines.Write(make([]byte, 1024))
	}
	if n, text := out.soFar(); n != 2 || len(text) != 2*logBytes {
		t.Errorf("%d writes, %d bytes", n, len(text))
	}
}
