package server

import (
	"net/http"
	"strings"
)

// Caller is who asks.
type Caller struct {
	Key     string   // id of the key, "" without one
	Name    string   // of the key, for people
	Tenant  string   // whose cache
	Prompts []string // that it may ask; nil: all
	Models  []string // models and routes that it may ask by their names; nil: all
	Admin   bool     // it may change what all are served: labels
}

// Keys tell who a caller is.
type Keys interface {
	// Any reports whether there are keys at all. Without any nobody needs one.
	Any() bool
	// Find gives the caller that a key's text belongs to; ok is false for nobody's.
	Find(secret string) (_ Caller, ok bool)
}

// serveTenant has the cache of callers that have no tenant of their own.
const serveTenant = "serve"

// callerOf finds who sends a request.
func (s *Server) callerOf(r *http.Request) (Caller, error) {
	if s.Keys == nil || !s.Keys.Any() {
		return Caller{Tenant: serveTenant}, nil
	}
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || secret == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "missing_api_key", "a key is needed: Authorization: Bearer KEY")
	}
	caller, ok := s.Keys.Find(strings.TrimSpace(secret))
	if !ok {
		return Caller{}, refuse(http.StatusUnauthorized, "invalid_api_key", "the key is not known here")
	}
	return caller, nil
}
