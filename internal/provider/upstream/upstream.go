// Package upstream is an OpenAI-shaped server on loopback for tests and
// benchmarks, which alone import it. It imports the standard library.
package upstream

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Answer decides what is answered. Body is the whole request as it was decoded. It
// is called from many goroutines at once.
type Answer func(model string, messages []Message, body map[string]any) Reply

// Message is a message as it came: Content is its text, all text parts joined.
type Message struct {
	Role    string
	Content string
	Raw     json.RawMessage // with images, files and tool calls
}

// Request is a request that was seen.
type Request struct {
	Path   string
	Header http.Header
	Body   []byte
}

// maxKept bounds the log of a server, so that a benchmark may ask a million times.
const maxKept = 1000

// Server answers POST …/chat/completions in stream form.
type Server struct {
	http     *httptest.Server
	answer   Answer
	fixed    *Reply
	prepared []byte // the stream of a fixed reply

	count    atomic.Int64
	canceled atomic.Int64
	open     atomic.Int64
	peak     atomic.Int64

	mu   sync.Mutex
	kept []Request
}

// New starts a server on a free port of loopback and stops it with the test.
func New(t testing.TB, answer Answer) *Server {
	s := &Server{answer: answer}
	s.start(t)
	return s
}

// NewFixed starts a server that answers every request alike. It neither decodes
// nor logs what it is asked, for benchmarks in which the server must not be what
// is measured.
func NewFixed(t testing.TB, reply Reply) *Server {
	s := &Server{fixed: &reply}
	if reply.streams() && reply.CutAfter == 0 {
		s.prepared = reply.appendStream(nil, "fixed")
	}
	s.start(t)
	return s
}

func (s *Server) start(t testing.TB) {
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.http.CloseClientConnections() // ends what still waits
		s.http.Close()
	})
}

// URL is the base URL of a provider: it ends in /v1.
func (s *Server) URL() string { return s.http.URL + "/v1" }

// Count is how many requests have come.
func (s *Server) Count() int { return int(s.count.Load()) }

// Canceled is how many requests were given up by who asked while they waited for
// their answer.
func (s *Server) Canceled() int { return int(s.canceled.Load()) }

// Peak is how many requests were open at once, at most.
func (s *Server) Peak() int { return int(s.peak.Load()) }

// Requests are the first 1,000 requests, in the order in which they came; none of
// a fixed server.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.kept...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.count.Add(1)
	s.raisePeak(s.open.Add(1))
	defer s.open.Add(-1)
	if s.fixed != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		s.send(w, r, s.fixed, "fixed")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.keep(Request{Path: r.URL.Path, Header: r.Header.Clone(), Body: body})
	model, messages, fields, err := Decode(body)
	if err != nil {
		http.Error(w, `{"error":{"message":"the request is not JSON","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	reply := s.answer(model, messages, fields)
	s.send(w, r, &reply, model)
}

func (s *Server) raisePeak(open int64) {
	for {
		peak := s.peak.Load()
		if open <= peak || s.peak.CompareAndSwap(peak, open) {
			return
		}
	}
}

func (s *Server) keep(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) < maxKept {
		s.kept = append(s.kept, r)
	}
}

// send waits as long as the reply wants, and writes it.
func (s *Server) send(w http.ResponseWriter, r *http.Request, reply *Reply, model string) {
	if reply.Delay > 0 {
		timer := time.NewTimer(reply.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			s.canceled.Add(1)
			return
		}
	}
	for name, value := range reply.Headers {
		w.Header().Set(name, value)
	}
	if !reply.streams() {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		if reply.Status != 0 {
			w.WriteHeader(reply.Status)
		}
		_, _ = io.WriteString(w, reply.Body)
		return
	}
	stream := s.prepared
	if stream == nil {
		stream = reply.appendStream(nil, model)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	if reply.CutAfter > 0 && reply.CutAfter < len(stream) {
		_, _ = w.Write(stream[:reply.CutAfter])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // closes the connection in the middle
	}
	_, _ = w.Write(stream)
}

// Decode reads a request: its model, its messages and all its fields. A content is
// a text or a list of parts.
func Decode(body []byte) (string, []Message, map[string]any, error) {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return "", nil, nil, err
	}
	var request struct {
		Model    string
		Messages []json.RawMessage
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return "", nil, nil, err
	}
	messages := make([]Message, len(request.Messages))
	for i, raw := range request.Messages {
		var m struct {
			Role    string
			Content json.RawMessage
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return "", nil, nil, err
		}
		messages[i] = Message{Role: m.Role, Content: contentText(m.Content), Raw: raw}
	}
	return request.Model, messages, fields, nil
}

func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(raw, &parts) // parts that are not text have none
	for _, part := range parts {
		text += part.Text
	}
	return text
}
