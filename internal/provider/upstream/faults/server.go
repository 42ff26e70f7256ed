// Package faults is an OpenAI-shaped upstream that does to its callers what
// providers do: it refuses, stalls, cuts, drips and lies, as the name of the model
// says (Names lists them), and keeps a log of what it was asked and when. It stands
// on loopback (New), or in memory inside a bubble of testing/synctest (NewInBubble),
// where twenty seconds pass at once. Tests alone import it; it imports upstream,
// llm and fault.
package faults

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// Server is the upstream. It is safe for concurrent use.
type Server struct {
	t         testing.TB
	network   network
	url       string
	elsewhere string // where Redirect leads to
	strayed   atomic.Int64
	log       attempts

	mu      sync.Mutex
	models  map[string]*asked
	closers []io.Closer

	life context.Context // until the test is over
	end  context.CancelFunc

	exchanges sync.WaitGroup
	serving   sync.WaitGroup
}

// asked is a model that was asked or set.
type asked struct {
	behave Behaviour
	count  int
}

// network is where servers listen and are dialed: loopback, or memory.
type network interface {
	listen(host string) (net.Listener, error)
	dial(ctx context.Context, network, address string) (net.Conn, error)
	refusing(t testing.TB) string    // an address that refuses connections
	unreachable(t testing.TB) string // an address to which connecting hangs
	patience() time.Duration         // how long a test may wait for what must come
}

// New starts a server on a free port of loopback and stops it with the test.
func New(t testing.TB) *Server { return start(t, loopback{}) }

// NewInBubble starts a server in memory, for a test in a bubble of testing/synctest.
// It is reached through Transport alone, and is gone with all its connections when
// the test in the bubble ends.
func NewInBubble(t testing.TB) *Server { return start(t, newMemory()) }

func start(t testing.TB, n network) *Server {
	s := &Server{t: t, network: n, models: map[string]*asked{}}
	s.life, s.end = context.WithCancel(context.Background())
	s.log.begin()
	t.Cleanup(s.close)
	s.url = "http://" + s.serve("faults.test:80", s.answer, nil) + "/v1"
	s.elsewhere = "http://" + s.serve("elsewhere.test:80", func(http.ResponseWriter, *http.Request) { s.strayed.Add(1) }, nil)
	return s
}

// URL is the base URL of a provider: it ends in /v1.
func (s *Server) URL() string { return s.url }

// Strayed is how many requests have come to where Redirect leads.
func (s *Server) Strayed() int { return int(s.strayed.Load()) }

// Set makes a model behave in a way, from its next request on, whatever its name
// says. The count of its attempts goes on.
func (s *Server) Set(model string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.models[model] == nil {
		s.models[model] = &asked{}
	}
	s.models[model].behave = b
}

// answer takes a request to the behaviour of its model.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // only then does a server see that its client leaves
	if err != nil {
		return
	}
	model, messages, _, err := upstream.Decode(body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" {
		http.Error(w, `{"error":{"message":"not a request of chat completions","type":"invalid_request_error"}}`, http.StatusNotFound)
		return
	}
	behave, n := s.enter(model)
	if behave == nil {
		return // the test is over
	}
	defer s.exchanges.Done()
	x := &Exchange{Model: model, N: n, Messages: messages, Body: body, Request: r, server: s, w: w}
	x.run(behave)
}

// enter finds how the model behaves and counts the attempt. A name that says
// nothing fails the test: it is a slip of whoever wrote it.
func (s *Server) enter(model string) (Behaviour, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return nil, 0
	}
	s.exchanges.Add(1)
	m := s.models[model]
	if m == nil {
		m = &asked{}
		s.models[model] = m
	}
	m.count++
	if m.behave == nil {
		named, err := Named(model)
		if err != nil {
			s.t.Errorf("faults: %v", err)
			named = Refuse(http.StatusNotFound)
		}
		m.behave = named
	}
	return m.behave, m.count
}

// serve listens and answers there, with a certificate or in the clear, until the
// test is over. It gives the address.
func (s *Server) serve(host string, handler http.HandlerFunc, secured *tls.Config) string {
	listener, address := s.listen(host)
	if secured != nil {
		listener = tls.NewListener(listener, secured)
	}
	server := &http.Server{
		Handler:     handler,
		ErrorLog:    log.New(io.Discard, "", 0), // it would tell of handshakes that callers refuse
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	s.closes(server)
	s.serving.Go(func() { _ = server.Serve(listener) }) // it ends when the server is closed
	return address
}

func (s *Server) listen(host string) (net.Listener, string) {
	s.t.Helper()
	listener, err := s.network.listen(host)
	if err != nil {
		s.t.Fatalf("faults: %v", err)
	}
	s.closes(listener)
	return listener, listener.Addr().String()
}

// closes has something closed when the test is over.
func (s *Server) closes(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

func (s *Server) close() {
	s.mu.Lock()
	s.end()
	closers := s.closers
	s.mu.Unlock()
	for _, c := range closers {
		_ = c.Close() // some are closed already
	}
	s.exchanges.Wait()
	s.serving.Wait()
}
