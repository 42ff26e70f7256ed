package openai

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// hijacked answers with raw bytes and then closes the connection, or resets it.
func hijacked(raw string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte(raw))
		if reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
	}
}

func TestTransportFailures(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9000\r\n\r\n"
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		class   fault.Class
	}{
		"closed":                {hijacked("", false), fault.Network},
		"reset":                 {hijacked("", true), fault.Network},
		"not HTTP":              {hijacked("SSH-2.0-x\r\n", false), fault.Network},
		"closed in the answer":  {hijacked(head+firstChunk, false), fault.Cut},
		"closed in an object":   {hijacked(strings.Replace(head, "text/event-stream", "application/json", 1)+`{"choices":[`, false), fault.Cut},
		"closed before a piece": {hijacked(head, false), fault.Cut},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, serve(t, test.handler))
			if fault.ClassOf(err) != test.class || !strings.Contains(err.Error(), `"acme"`) {
				t.Errorf("got %s: %v", fault.ClassOf(err), err)
			}
		})
	}
	t.Run("closed after the finish", func(t *testing.T) {
		got, err := ask(t, serve(t, hijacked(head+firstChunk+lastChunk, false)))
		if err != nil || got.Text != "Hello" || got.End.Usage != estimated {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		_, err = ask(t, provider(t, "http://"+listener.Addr().String()+"/v1"))
		if fault.ClassOf(err) != fault.Network || fault.As(err).Hint == "" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		server := httptest.NewUnstartedServer(says("", ""))
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of our refusal
		server.StartTLS()
		defer server.Close()
		_, err := ask(t, provider(t, server.URL))
		if fault.ClassOf(err) != fault.Network {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no handshake", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		p := New(Options{Name: "acme", BaseURL: "https://" + listener.Addr().String(), ConnectTimeout: 20 * time.Millisecond})
		defer p.Close()
		_, err = ask(t, p)
		if fault.ClassOf(err) != fault.TimeoutConnect {
			t.Errorf("got %s: %v", fault.ClassOf(err), err)
		}
	})
}

// Errors that loopback cannot make: from a transport that makes them.
func TestDialFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		class fault.Class
	}{
		"dial timeout": {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, fault.TimeoutConnect},
		"no such host": {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x.test"}}, fault.Network},
		"read timeout": {&net.OpError{Op: "read", Err: context.DeadlineExceeded}, fault.Network},
		"with the key": {fmt.Errorf("proxy says: %s", testKey), fault.Network},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Options{Name: "acme", BaseURL: "http://user:hunter22@x.test", APIKey: testKey, Transport: transportFunc(func(*http.Request) (*http.Response, error) { return nil, test.err })})
			_, err := ask(t, p)
			if fault.ClassOf(err) != test.class {
				t.Errorf("got %s: %v", fault.ClassOf(err), err)
			}
			if text := err.Error(); strings.Contains(text, testKey) || strings.Contains(text, "hunter22") {
				t.Errorf("a secret in %q", text)
			}
		})
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	host := strings.TrimPrefix(elsewhere.URL, "http://")
	for _, status := range []int{301, 302, 303, 307, 308} {
		_, err := ask(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/v1?token="+testKey, status)
		}))
		e := fault.As(err)
		if e.Class != fault.BadRequest || e.Status != status || !strings.Contains(e.Message, host) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests were sent elsewhere", asked)
	}
}
