package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

func TestLeavingCancelsTheUpstream(t *testing.T) {
	overBudget := fault.New(fault.TimeoutFirstToken, "no first token in time")
	tests := map[string]struct {
		leave func(cancel context.CancelCauseFunc)
		want  fault.Class
	}{
		"cancel":           {func(cancel context.CancelCauseFunc) { cancel(nil) }, fault.Canceled},
		"a cause of ours":  {func(cancel context.CancelCauseFunc) { cancel(overBudget) }, fault.TimeoutFirstToken},
		"a cause of other": {func(cancel context.CancelCauseFunc) { cancel(errors.New("x")) }, fault.Canceled},
	}
	for _, begun := range []bool{false, true} {
		for name, test := range tests {
			t.Run(fmt.Sprintf("%s, begun %v", name, begun), func(t *testing.T) {
				waiting, gone := make(chan struct{}), make(chan struct{})
				p := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if begun {
						fmt.Fprint(w, firstChunk)
						_ = http.NewResponseController(w).Flush()
					}
					if !begun {
						close(waiting)
					}
					<-r.Context().Done()
					close(gone)
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				var left time.Time
				go func() {
					<-waiting
					left = time.Now()
					test.leave(cancel)
				}()
				var err error
				for event, failure := range p.Model("m", Caps{}).Stream(ctx, hello()) {
					if err = failure; event.Text != "" {
						close(waiting) // for the rest of an answer that has begun
					}
				}
				if took := time.Since(left); took > 100*time.Millisecond {
					t.Errorf("it took %v to leave", took)
				}
				if fault.ClassOf(err) != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
				awaitClosed(t, gone)
			})
		}
	}
}

func TestConsumerThatStopsCancelsTheUpstream(t *testing.T) {
	gone := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, firstChunk)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	for range p.Model("m", Caps{}).Stream(t.Context(), hello()) {
		break
	}
	awaitClosed(t, gone)
}

// A server that turns the connection into something else says nothing after it, and
// what it leaves open is not bound to the request any more.
func TestSwitchingProtocols(t *testing.T) {
	silent := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
		<-silent
	})
	ended := make(chan error, 1)
	go func() {
		_, err := llm.Collect(p.Model("m", Caps{}).Stream(t.Context(), hello()))
		ended <- err
	}()
	select {
	case err := <-ended:
		if fault.ClassOf(err) != fault.ServerError {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for ever")
	}
	close(silent)
}

func TestDeadline(t *testing.T) {
	server := upstream.NewFixed(t, upstream.Reply{Text: "late", Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := collect(ctx, provider(t, server.URL()).Model("m", Caps{}), hello())
	if fault.ClassOf(err) != fault.TimeoutTotal {
		t.Errorf("got %v", err)
	}
}

func awaitClosed(t *testing.T, gone <-chan struct{}) {
	t.Helper()
	select {
	case <-gone:
	case <-time.After(time.Second):
		t.Error("the upstream was not canceled")
	}
}
