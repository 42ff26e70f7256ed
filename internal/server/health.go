package server

import (
	"net/http"

	"github.com/llmx-dev/llmx/internal/prompt"
)

// Health is how well a server is, besides that it is ending.
type Health struct {
	Reasons   []Trouble         // why it cannot take requests; none: it can
	Warnings  []Trouble         // what is wrong while it answers all the same
	Overrides []prompt.Override // labels that were set on this server and beat its files
}

// Trouble is one thing that is wrong.
type Trouble struct {
	Code    string `json:"code"`            // a word for machines
	Message string `json:"message"`         // for people
	At      string `json:"at,omitempty"`    // file:line:col
	Since   string `json:"since,omitempty"` // RFC 3339
}

// readiness is the body of /readyz. Who is neither on this machine nor has a key gets
// the status alone.
type readiness struct {
	Status    string            `json:"status"` // ready, draining, not_ready
	Reasons   []Trouble         `json:"reasons,omitempty"`
	Warnings  []Trouble         `json:"warnings,omitempty"`
	Overrides []prompt.Override `json:"overrides,omitempty"`
}

// Drain makes the server say that it is ending: /readyz fails from now on, so that
// balancers look for another one, and every answer closes its connection.
func (s *Server) Drain() { s.draining.Store(true) }

// livez answers GET /livez: the process lives.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, readiness{Status: "alive"})
}

// readyz answers GET /readyz: may requests be sent here? Warnings do not change that: a
// server that answers from its last good files, or whose log has a gap, is better than none.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	var health Health
	if s.Health != nil {
		health = s.Health()
	}
	body := readiness{Status: "ready", Reasons: health.Reasons}
	status := http.StatusOK
	switch {
	case s.draining.Load():
		w.Header().Set("Connection", "close")
		status, body.Status = http.StatusServiceUnavailable, "draining"
		body.Reasons = append([]Trouble{{Code: "draining", Message: "the server was told to end"}}, health.Reasons...)
	case len(health.Reasons) > 0:
		status, body.Status = http.StatusServiceUnavailable, "not_ready"
	}
	if s.insider(r) {
		body.Warnings, body.Overrides = health.Warnings, health.Overrides
	} else {
		body.Reasons = nil
	}
	writeHealth(w, status, body)
}

func writeHealth(w http.ResponseWriter, status int, body readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(mustJSON(body), '\n')) // who is gone is not told
}

// insider reports whether who asks may know what goes on here: who asks from this machine,
// or has a key.
func (s *Server) insider(r *http.Request) bool {
	if fromHere(r) {
		return true
	}
	if s.Keys == nil || !s.Keys.Any() {
		return false
	}
	_, err := s.callerOf(r)
	return err == nil
}

// fromHere reports a request of this machine itself. What a proxy on this machine passes
// on is not: it comes from whoever the proxy serves. A page in its browser that was made
// to lead here names another host.
func fromHere(r *http.Request) bool {
	return loopbackPeer(r.RemoteAddr) && !forwarded(r.Header) && loopbackHost(r.Host)
}
