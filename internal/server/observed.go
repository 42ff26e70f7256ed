package server

import (
	"net/http"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Observed is a request that was answered.
type Observed struct {
	Pattern  string // METHOD /path/{name} that it matched, "" for none
	ID       string
	Header   http.Header // of the request
	Begun    time.Time
	Took     time.Duration
	Status   int
	Overhead time.Duration // of a call that was made
	Call     *llm.Call     // nil for none
}

// begin tells of a request that has come.
func (s *Server) begin() (done func(Observed)) {
	if s.Observe == nil {
		return func(Observed) {}
	}
	return s.Observe()
}

// over tells of the request's end, and logs it.
func (x *exchange) over(done func(Observed)) {
	done(Observed{
		Pattern: x.pattern, ID: x.id, Header: x.r.Header, Begun: x.begun, Took: time.Since(x.begun), Status: x.status, Overhead: x.overhead(), Call: x.call,
	})
	x.log()
}

// metrics answers GET /metrics.
func (s *Server) metrics(x *exchange) error {
	x.deadline()
	s.Metrics.ServeHTTP(x.w, x.r)
	x.sent, x.status = true, http.StatusOK
	return nil
}
