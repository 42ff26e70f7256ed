package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// patience bounds the time from a cancel to the end of the stream.
const patience = 100 * time.Millisecond

// lost bounds what should never take this long, so that a broken provider fails
// the test and does not hang it.
const lost = 10 * time.Second

func testBreakStopsUpstream(t *testing.T, s Subject) {
	if s.Stuck == nil {
		t.Skip("the provider cannot wait")
	}
	got := 0
	for event, err := range s.Stuck.Stream(t.Context(), s.Request) {
		if err != nil || event.Text == "" {
			t.Fatalf("a stuck model first sends text, got %+v, %v", event, err)
		}
		got++
		break
	}
	if got != 1 {
		t.Fatal("the stream was empty")
	}
	s.awaitStopped(t)
}

// awaitStopped waits until what is upstream has noticed.
func (s Subject) awaitStopped(t *testing.T) {
	t.Helper()
	if s.Stopped == nil {
		return
	}
	select {
	case <-s.Stopped:
	case <-time.After(lost):
		t.Error("what is upstream was not stopped")
	}
}

func testCanceledBefore(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := listen(ctx, s.Model, s.Request, nil)
	if len(h.events) > 0 {
		t.Errorf("%d events came, want none", len(h.events))
	}
	h.wantFault(t, fault.Canceled)
}

func testCancelSilent(t *testing.T, s Subject) { s.cancelWaiting(t, s.Silent, 0) }
func testCancelStuck(t *testing.T, s Subject)  { s.cancelWaiting(t, s.Stuck, 1) }

// cancelWaiting cancels a model that waits, once so many events have come.
func (s Subject) cancelWaiting(t *testing.T, model llm.Model, events int) {
	if model == nil {
		t.Skip("the provider cannot wait")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard, ended := make(chan struct{}, 64), make(chan happened, 1)
	go func() {
		ended <- listen(ctx, model, s.Request, func() { heard <- struct{}{} })
	}()
	for range events {
		select {
		case <-heard:
		case h := <-ended:
			t.Fatalf("the stream ended before its first piece: %v", h.err)
		case <-time.After(lost):
			t.Fatal("the first piece did not come")
		}
	}
	canceled := time.Now()
	cancel()
	select {
	case h := <-ended:
		if took := time.Since(canceled); took > patience {
			t.Errorf("the stream ended %v after the cancel, want at most %v", took, patience)
		}
		h.wantFault(t, fault.Canceled)
	case <-time.After(lost):
		t.Fatal("the cancel did not end the stream")
	}
	if events > 0 {
		s.awaitStopped(t)
	}
}

func testDeadline(t *testing.T, s Subject) {
	if s.Silent == nil {
		t.Skip("the provider cannot wait")
	}
	const allowed = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), allowed)
	defer cancel()
	start := time.Now()
	h := listen(ctx, s.Silent, s.Request, nil)
	if took := time.Since(start); took > allowed+patience {
		t.Errorf("the stream ended after %v, want at most %v", took, allowed+patience)
	}
	h.wantFault(t, fault.TimeoutTotal)
}

func testFailures(t *testing.T, s Subject) {
	if len(s.Failures) == 0 {
		t.Fatal("the subject shows no failure")
	}
	for _, f := range s.Failures {
		t.Run(f.Name, func(t *testing.T) { listen(t.Context(), f.Model, f.Request, nil).wantFault(t, f.Class) })
	}
}

func testConcurrentFailures(t *testing.T, s Subject) {
	var wg sync.WaitGroup
	for _, f := range s.Failures {
		for range 8 {
			wg.Go(func() { listen(t.Context(), f.Model, f.Request, nil).wantFault(t, f.Class) })
		}
	}
	wg.Wait()
}

// wantFault checks that the stream ended in one failure, told as every failure is.
func (h happened) wantFault(t *testing.T, class fault.Class) {
	t.Helper()
	if h.err == nil {
		t.Errorf("no failure came, want %s", class)
		return
	}
	if h.after > 0 {
		t.Errorf("%d events came after the failure", h.after)
	}
	e, told := errors.AsType[*fault.Error](h.err)
	if !told {
		t.Errorf("the failure is a %T (%v), want a *fault.Error", h.err, h.err)
		return
	}
	if e.Class != class {
		t.Errorf("class = %s (%v), want %s", e.Class, e, class)
	}
	if e.Message == "" || strings.HasSuffix(e.Message, ".") {
		t.Errorf("message %q: want words without a period at the end", e.Message)
	}
	for _, event := range h.events {
		if event.End != nil {
			t.Error("an answer that failed has an end")
		}
	}
}
