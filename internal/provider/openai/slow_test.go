package openai

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// pipes is a network in the test's own process: on a real one a fake clock does
// not run.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// onAFakeClock runs a test with a provider whose server answers as the handler
// does.
func onAFakeClock(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, slowly func(text string, every time.Duration)), test func(t *testing.T, p *Provider)) {
	synctest.Test(t, func(t *testing.T) {
		network := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // as in serve
			handler(w, r, func(text string, every time.Duration) {
				for i := range len(text) {
					if _, err := w.Write([]byte{text[i]}); err != nil || r.Context().Err() != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
					time.Sleep(every)
				}
			})
		})}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			network <- theirs
			return ours, nil
		}}
		p := New(Options{Name: "acme", BaseURL: "http://acme.test/v1", APIKey: testKey, Transport: transport})
		test(t, p)
		p.Close()
		close(network)
		_ = server.Close()
		time.Sleep(10 * time.Second) // for handlers that sleep
	})
}

// drips is a whole answer, a byte a second.
func drips(_ http.ResponseWriter, _ *http.Request, slowly func(string, time.Duration)) {
	slowly(firstChunk+strings.Repeat(": a comment\n\n", 10)+lastChunk+doneLine, time.Second)
}

// What a slow server makes a caller wait for ends with the caller's patience, and
// with the reason that it gives.
func TestSlowAnswersEndWithTheCallersPatience(t *testing.T) {
	type handler = func(http.ResponseWriter, *http.Request, func(string, time.Duration))
	never := func(_ http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) { <-r.Context().Done() }
	for name, slow := range map[string]handler{
		"never answers": never,
		"slow headers": func(w http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			for _, c := range []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Padding: 123456789012345678901234567890\r\n\r\n") {
				if _, err := conn.Write([]byte{c}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
			conn.Close()
		},
		"a drip of one byte a second": drips,
		"stalls": func(w http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) {
			fmt.Fprint(w, firstChunk)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"stalls in an object": func(w http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) {
			fmt.Fprint(w, `{"choices":[`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		for _, given := range []fault.Class{fault.TimeoutTotal, fault.Canceled, fault.TimeoutFirstToken} {
			t.Run(name+"/"+string(given), func(t *testing.T) {
				onAFakeClock(t, slow, func(t *testing.T, p *Provider) {
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					switch given {
					case fault.TimeoutTotal:
						var stop context.CancelFunc
						ctx, stop = context.WithTimeout(ctx, 30*time.Second)
						defer stop()
					case fault.Canceled:
						time.AfterFunc(30*time.Second, func() { cancel(nil) })
					default:
						time.AfterFunc(30*time.Second, func() { cancel(fault.New(given, "nothing came")) })
					}
					start := time.Now()
					got, err := collect(ctx, p.Model("m", Caps{}), hello())
					if fault.ClassOf(err) != given || time.Since(start) != 30*time.Second || got.End.Finish != "" {
						t.Errorf("after %v: %+v, %v; want %s after 30s", time.Since(start), got, err, given)
					}
					if given == fault.TimeoutFirstToken && err.Error() != "nothing came" {
						t.Errorf("the reason is %v", err)
					}
				})
			})
		}
	}
}

func TestASlowAnswerIsAnAnswer(t *testing.T) {
	onAFakeClock(t, drips, func(t *testing.T, p *Provider) {
		start := time.Now()
		got, err := ask(t, p)
		if err != nil || got.Text != "Hello" || time.Since(start) < 5*time.Minute {
			t.Errorf("after %v: %+v, %v", time.Since(start), got, err)
		}
	})
}

// A server that is slow with the reason of a failure has told its class already.
func TestASlowFailureIsToldByItsStatus(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request, slowly func(string, time.Duration)) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(503)
		slowly(`{"error":{"message":"busy"}}`, time.Second)
	}
	onAFakeClock(t, slow, func(t *testing.T, p *Provider) {
		start := time.Now()
		_, err := ask(t, p)
		if e := fault.As(err); e.Class != fault.Overloaded || e.Status != 503 || e.RetryAfter != 7*time.Second || time.Since(start) != maxErrorTime {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	onAFakeClock(t, slow, func(t *testing.T, p *Provider) {
		ctx, cancel := context.WithTimeout(t.Context(), maxErrorTime/2)
		defer cancel()
		_, err := collect(ctx, p.Model("m", Caps{}), hello())
		if fault.ClassOf(err) != fault.TimeoutTotal {
			t.Errorf("got %v, want the deadline", err)
		}
	})
}

// After the finish reason there is nothing to wait for but usage and end marker.
func TestAFinishedAnswerIsNotWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		then  func(w http.ResponseWriter, r *http.Request)
		after time.Duration
		usage llm.Usage
	}{
		"nothing follows": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, maxMarkerTime, estimated},
		"comments follow": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, ": still here\n\n")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		}, maxMarkerTime, estimated},
		"usage is slow": {func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Second)
			fmt.Fprint(w, usageChunk+doneLine)
		}, 3 * time.Second, counted},
	} {
		t.Run(name, func(t *testing.T) {
			onAFakeClock(t, func(w http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) {
				fmt.Fprint(w, firstChunk+lastChunk)
				_ = http.NewResponseController(w).Flush()
				test.then(w, r)
			}, func(t *testing.T, p *Provider) {
				start := time.Now()
				got, err := ask(t, p)
				if err != nil || got.Text != "Hello" || got.End.Usage != test.usage || time.Since(start) != test.after {
					t.Errorf("after %v: %+v, %v", time.Since(start), got, err)
				}
			})
			onAFakeClock(t, func(w http.ResponseWriter, r *http.Request, _ func(string, time.Duration)) {
				fmt.Fprint(w, firstChunk+lastChunk)
				_ = http.NewResponseController(w).Flush()
				test.then(w, r)
			}, func(t *testing.T, p *Provider) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := collect(ctx, p.Model("m", Caps{}), hello()); fault.ClassOf(err) != fault.TimeoutTotal {
					t.Errorf("a caller who left got %v", err)
				}
			})
		})
	}
}
