package server

import (
	"net/http"
	"strings"
)

// Caller is who asks.
type Caller struct {
	Key     string     // id of the key, "" without one
	Name    string     // of the key, for people
	Tenant  string     // whose cache
	Prompts []string   // that it may ask; nil: all
	Models  []string   // models and routes that it may ask by their names; nil: all
	Admin   bool       // it may change what all are served: labels
	Limits  *KeyLimits // nil: none
}

// Keys tell who a caller is.
type Keys interface {
	// Known reports whether it is known which keys there are.
	Known() bool
	// Any reports whether there are keys at all. Without any nobody needs one.
	Any() bool
	// Find gives the caller that a key's text belongs to; ok is false for nobody's.
	Find(secret string) (_ Caller, ok bool)
}

// serveTenant has the cache of callers that have no tenant of their own.
const serveTenant = "serve"

// callerOf finds who sends a request.
func (s *Server) callerOf(r *http.Request) (Caller, error) {
	if s.Keys != nil && !s.Keys.Known() {
		return Caller{}, refuse(http.StatusServiceUnavailable, "keys_unavailable", "the keys cannot be read now; try again")
	}
	if s.Keys == nil || !s.Keys.Any() {
		return Caller{Tenant: serveTenant}, s.entersWithoutKey(r)
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "missing_api_key", "a key is needed: Authorization: Bearer KEY")
	}
	caller, ok := s.Keys.Find(secret)
	switch {
	case ok:
		return caller, nil
	case !whole(secret):
		return Caller{}, refuse(http.StatusUnauthorized, "invalid_api_key", "this is no key of llmx, or not the whole of one: it is llmx_ and %d letters and digits", keyLetters)
	}
	return Caller{}, refuse(http.StatusUnauthorized, "invalid_api_key", "the key is not known here, or no longer: it may have been revoked, or have expired")
}
