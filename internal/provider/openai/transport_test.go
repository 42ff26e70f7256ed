package openai

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	"github.com/llmx-dev/llmx/internal/llm"
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
	for name, raw := range map[string]string{"": "", ", within a line": usageChunk[:50]} {
		t.Run("closed after the finish"+name, func(t *testing.T) {
			got, err := ask(t, serve(t, hijacked(head+firstChunk+lastChunk+raw, false)))
			if err != nil || got.Text != "Hello" || got.End.Usage != estimated || got.End.Finish != llm.FinishStop {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
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
}

// Errors that loopback cannot make: from a transport that makes them.
func TestDialFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		class fault.Class
	}{
		"dial timeout":  {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, fault.TimeoutConnect},
		"no such host":  {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x.test"}}, fault.Network},
		"read timeout":  {&net.OpError{Op: "read", Err: context.DeadlineExceeded}, fault.Network},
		"proxy":         {&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, fault.Network},
		"proxy timeout": {&net.OpError{Op: "proxyconnect", Err: context.DeadlineExceeded}, fault.TimeoutConnect},
		"with the key":  {fmt.Errorf("proxy says: %s", testKey), fault.Network},
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

// A reset comes after what was sent before it, or in its place: the server waits
// until the client has seen the piece.
func TestResetInTheAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		body, text string
		want       fault.Class
	}{
		"before the finish": {firstChunk, "Hel", fault.Cut},
		"after the finish":  {firstChunk + lastChunk, "Hello", ""},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan struct{})
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					panic(err)
				}
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9000\r\n\r\n"+test.body)
				<-seen
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			})
			text, class, ended := "", fault.Class(""), false
			for event, err := range p.Model("m", Caps{}).Stream(t.Context(), hello()) {
				if err != nil {
					class = fault.ClassOf(err)
				}
				if text += event.Text; event.Text != "" && text == test.text {
					close(seen)
				}
				ended = ended || event.End != nil
			}
			if class != test.want || ended != (test.want == "") {
				t.Errorf("after %q: class %q, ended %v; want %q", text, class, ended, test.want)
			}
		})
	}
}

// A certificate that is refused is no reason to ask again, and every kind of it has
// its remedy.
func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(says("text/event-stream", firstChunk+lastChunk+doneLine))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of our refusal
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	elsewhere := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	later := func() time.Time { return server.Certificate().NotAfter.Add(time.Hour) }
	for name, test := range map[string]struct {
		url  string
		tls  *tls.Config
		said string
		hint string
	}{
		"of nobody":         {server.URL, &tls.Config{}, "certificate signed by unknown authority", "SSL_CERT_FILE"},
		"of another server": {elsewhere, &tls.Config{RootCAs: trusted}, "certificate is valid for", "base_url"},
		"out of date":       {server.URL, &tls.Config{RootCAs: trusted, Time: later}, "certificate has expired", "clock"},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Options{Name: "acme", BaseURL: test.url, Transport: &http.Transport{TLSClientConfig: test.tls}})
			defer p.Close()
			_, err := ask(t, p)
			e := fault.As(err)
			if e.Class != fault.Network || !strings.Contains(e.Message, test.said) || !strings.Contains(e.Hint, test.hint) || e.RetryAfter != 0 {
				t.Errorf("got %s: %v", e.Class, err)
			}
		})
	}
	t.Run("accepted", func(t *testing.T) {
		p := New(Options{Name: "acme", BaseURL: server.URL, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}})
		defer p.Close()
		if got, err := ask(t, p); err != nil || got.Text != "Hello" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("our own pool", func(t *testing.T) {
		if _, err := ask(t, provider(t, server.URL)); fault.ClassOf(err) != fault.Network || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no TLS at all", func(t *testing.T) {
		plain := httptest.NewServer(says("", ""))
		defer plain.Close()
		_, err := ask(t, provider(t, strings.Replace(plain.URL, "http", "https", 1)))
		if e := fault.As(err); e.Class != fault.Network || !strings.Contains(e.Hint, "speaks http") {
			t.Errorf("got %v", err)
		}
	})
}
