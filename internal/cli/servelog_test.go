package cli

import (
	"bytes"
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
		if out.n != 0 {
			t.Errorf("%d writes at once", out.n)
		}
		time.Sleep(logHeld + time.Millisecond)
		if out.n != 1 || bytes.Count(out.text.Bytes(), []byte("\n")) != 2 {
			t.Errorf("after a moment %d writes: %s", out.n, &out.text)
		}
		log.Info("three")
		log.WithGroup("g").Warn("four")
		if out.n < 2 || !bytes.Contains(out.text.Bytes(), []byte("msg=three")) || !bytes.HasSuffix(out.text.Bytes(), []byte("msg=four\n")) {
			t.Errorf("a warning waits: %s", &out.text)
		}
		log.Info("five")
		end()
		if !bytes.HasSuffix(out.text.Bytes(), []byte("msg=five\n")) {
			t.Errorf("the end is lost: %s", &out.text)
		}
	})
}

func TestAFullLogIsWritten(t *testing.T) {
	out := &countedWrites{}
	lines := &logLines{w: out}
	for range 2 * logBytes / 1024 {
		_, _ = lines.Write(make([]byte, 1024))
	}
	if out.n != 2 || out.text.Len() != 2*logBytes {
		t.Errorf("%d writes, %d bytes", out.n, out.text.Len())
	}
}
