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
	got, stopped := 0, time.Time{}
	for event, err := range s.Stuck.Stream(t.Context(), s.Request) {
		if err != nil || event.Text == "" {
			t.Fatalf("a stuck model first sends text, got %+v, %v", event, err)
		}
		got, stopped = got+1, time.Now()
		break
	}
	if got != 1 {
		t.Fatal("the stream was empty")
	}
	s.awaitStopped(t, stopped)
}

// awaitStopped waits until what is upstream has noticed, in time.
func (s Subject) awaitStopped(t *testing.T, since time.Time) {
	t.Helper()
	if s.Stopped == nil {
		return
	}
	select {
	case <-s.Stopped:
		if took := time.Since(since); took > patience {
			t.Errorf("what is upstream was stopped after %v, want at most %v", took, patience)
		}
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

func testCancelSilent(t *testing.T, s Subject) { s.cancelWaiting(t, s.Silent, 0, nil, nil) }
func testCancelStuck(t *testing.T, s Subject)  { s.cancelWaiting(t, s.Stuck, 1, nil, nil) }

func testCancelSlow(t *testing.T, s Subject) {
	if len(s.Slow) == 0 {
		t.Skip("the provider is not slow")
	}
	for _, slow := range s.Slow {
		t.Run(slow.Name, func(t *testing.T) { s.cancelWaiting(t, slow.Model, 0, slow.Begun, nil) })
	}
}

// testReason cancels with a fault as the cause, which is then the error, and not
// what the cancel did to the provider.
func testReason(t *testing.T, s Subject) {
	silent, stuck := fault.New(fault.TimeoutFirstToken, "nothing came"), fault.New(fault.TimeoutIdle, "nothing more came")
	t.Run("silent", func(t *testing.T) { s.cancelWaiting(t, s.Silent, 0, nil, silent) })
	t.Run("stuck", func(t *testing.T) { s.cancelWaiting(t, s.Stuck, 1, nil, stuck) })
	for _, slow := range s.Slow {
		t.Run(slow.Name, func(t *testing.T) { s.cancelWaiting(t, slow.Model, 0, slow.Begun, silent) })
	}
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(silent)
		listen(ctx, s.Model, s.Request, nil).wantFault(t, silent.Class)
	})
}

// cancelWaiting cancels a model that waits, once so many events have come and it is
// at work, if it says so; with a reason, or nil.
func (s Subject) cancelWaiting(t *testing.T, model llm.Model, events int, begun <-chan struct{}, reason *fault.Error) {
	if model == nil {
		t.Skip("the provider cannot wait")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	heard, ended := make(chan struct{}, 64), make(chan happened, 1)
	go func() {
		ended <- listen(ctx, model, s.Request, func() {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	await := func(what string, sign <-chan struct{}) {
		select {
		case <-sign:
		case h := <-ended:
			t.Fatalf("the stream ended before %s: %v", what, h.err)
		case <-time.After(lost):
			t.Fatalf("%s did not come", what)
		}
	}
	for range events {
		await("its first piece", heard)
	}
	if begun != nil {
		await("its beginning", begun)
	}
	canceled, want := time.Now(), fault.Canceled
	if reason == nil {
		cancel(nil)
	} else {
		cancel(reason)
		want = reason.Class
	}
	select {
	case h := <-ended:
		if took := time.Since(canceled); took > patience {
			t.Errorf("the stream ended %v after the cancel, want at most %v", took, patience)
		}
		h.wantFault(t, want)
	case <-time.After(lost):
		t.Fatal("the cancel did not end the stream")
	}
	if events > 0 || begun != nil {
		s.awaitStopped(t, canceled)
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
