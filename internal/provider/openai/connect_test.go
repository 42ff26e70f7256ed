package openai

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

func TestConnectionsAreUsedAgain(t *testing.T) {
	ended := make(chan struct{}, 1)
	bodies := map[string]http.HandlerFunc{
		"stream": says("text/event-stream", firstChunk+lastChunk+usageChunk+doneLine),
		"object": says("application/json", `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`),
		"error":  func(w http.ResponseWriter, r *http.Request) { http.Error(w, `{"error":{"message":"no"}}`, 500) },
		"ended later": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, firstChunk+lastChunk+doneLine)
			_ = http.NewResponseController(w).Flush()
			<-ended
		},
	}
	for name, handler := range bodies {
		t.Run(name, func(t *testing.T) {
			p := serve(t, handler)
			reused := 0
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
				if c.Reused {
					reused++
				}
			}})
			for range 5 {
				for event := range p.Model("m", Caps{}).Stream(ctx, hello()) {
					if event.End != nil && name == "ended later" {
						ended <- struct{}{}
					}
				}
			}
			if reused != 4 {
				t.Errorf("%d of 4 connections were used again", reused)
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	server := upstream.NewFixed(t, upstream.Reply{Text: "ok", Delay: 5 * time.Millisecond})
	p := New(Options{Name: "acme", BaseURL: server.URL(), MaxConns: 2})
	t.Cleanup(p.Close)
	failed := make(chan error)
	for range 8 {
		go func() {
			_, err := collect(t.Context(), p.Model("m", Caps{}), hello())
			failed <- err
		}()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if server.Count() != 8 || server.Peak() > 2 {
		t.Errorf("%d requests, %d at once", server.Count(), server.Peak())
	}
}

// silentTLS accepts connections and says nothing, so that the handshake does not
// come about. closed receives a value when the other end has gone.
func silentTLS(t *testing.T) (url string, closed <-chan time.Time) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan time.Time, 8)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				_, _ = io.Copy(io.Discard, conn) // until the end
				gone <- time.Now()
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		open.Wait() // hangs where a connection was left behind
	})
	return "https://" + listener.Addr().String(), gone
}

func TestAConnectionIsBoundedByTheRequest(t *testing.T) {
	for name, test := range map[string]struct{ ofRequest, ofProvider, want time.Duration }{
		"the request's":      {30 * time.Millisecond, time.Hour, 30 * time.Millisecond},
		"or the provider's":  {0, 30 * time.Millisecond, 30 * time.Millisecond},
		"which is longer":    {60 * time.Millisecond, time.Millisecond, 60 * time.Millisecond},
		"with another above": {30 * time.Millisecond, 0, 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			url, closed := silentTLS(t)
			p := New(Options{Name: "acme", BaseURL: url, ConnectTimeout: test.ofProvider})
			defer p.Close()
			req := hello()
			req.Timeouts.Connect = test.ofRequest
			start := time.Now()
			_, err := collect(t.Context(), p.Model("m", Caps{}), req)
			took := time.Since(start)
			e := fault.As(err)
			if want := fmt.Sprintf(`provider "acme" could not be reached: no connection within %v`, test.want); e.Class != fault.TimeoutConnect || e.Message != want {
				t.Errorf("got %s: %v, want %s", e.Class, err, want)
			}
			if took < test.want || took > test.want+5*patience {
				t.Errorf("it took %v, want %v", took, test.want)
			}
			if left := (<-closed).Sub(start); left > test.want+5*patience {
				t.Errorf("the half-made connection was given up after %v", left)
			}
		})
	}
}

// patience bounds what should take no time.
const patience = 100 * time.Millisecond

func TestLeavingGivesUpTheConnection(t *testing.T) {
	reason := fault.New(fault.TimeoutFirstToken, "nothing came")
	url, closed := silentTLS(t)
	p := New(Options{Name: "acme", BaseURL: url})
	defer p.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	var left time.Time
	timer := time.AfterFunc(30*time.Millisecond, func() {
		left = time.Now()
		cancel(reason)
	})
	defer timer.Stop()
	_, err := collect(ctx, p.Model("m", Caps{}), hello())
	if err != error(reason) {
		t.Errorf("got %v, want the reason", err)
	}
	if took := (<-closed).Sub(left); took > patience {
		t.Errorf("the half-made connection was given up after %v", took)
	}
}

// What is not the making of a connection is not bounded with it.
func TestWhatConnectDoesNotBound(t *testing.T) {
	const bound, slow = 100 * time.Millisecond, 200 * time.Millisecond
	server := upstream.NewFixed(t, upstream.Reply{Text: "ok", Delay: slow})
	p := New(Options{Name: "acme", BaseURL: server.URL(), MaxConns: 1})
	t.Cleanup(p.Close)
	req := hello()
	req.Timeouts.Connect = bound
	t.Run("the wait for headers, and for a place in the pool", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := collect(t.Context(), p.Model("m", Caps{}), req); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("an idle connection", func(t *testing.T) {
		req.Timeouts.Connect = time.Nanosecond
		if _, err := collect(t.Context(), p.Model("m", Caps{}), req); err != nil {
			t.Error(err)
		}
		p.Close()
		if _, err := collect(t.Context(), p.Model("m", Caps{}), req); fault.ClassOf(err) != fault.TimeoutConnect {
			t.Errorf("a new one: got %v", err)
		}
	})
}

// The clock of a connection runs from its beginning to its end, and again where a
// connection of the pool turned out to be dead.
func TestTheClockOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var expired atomic.Int64
		c := &connecting{most: time.Second, expire: func() { expired.Add(1) }}
		trace := c.trace()
		after := func(step string, wait time.Duration, want int64) {
			time.Sleep(wait)
			if synctest.Wait(); expired.Load() != want {
				t.Fatalf("%s: expired %d times, want %d", step, expired.Load(), want)
			}
		}
		trace.GetConn("")
		after("waiting for a place", time.Minute, 0)
		trace.ConnectStart("", "")
		after("connecting", 600*time.Millisecond, 0)
		trace.TLSHandshakeStart()
		trace.GotConn(httptrace.GotConnInfo{})
		after("connected", time.Minute, 0)
		trace.ConnectStart("", "") // of a connection that another one has overtaken
		after("connecting for nobody", time.Minute, 0)
		trace.GetConn("")
		trace.DNSStart(httptrace.DNSStartInfo{})
		after("connecting again", 600*time.Millisecond, 0)
		trace.ConnectStart("", "")
		after("too slowly", 600*time.Millisecond, 1)

		given := 0
		c.hold(func() { given++ })
		c.abandon()
		c.hold(func() { given++ })
		trace.GetConn("")
		trace.ConnectStart("", "")
		if after("abandoned", time.Minute, 1); given != 2 {
			t.Errorf("given up %d times, want 2", given)
		}
	})
}
