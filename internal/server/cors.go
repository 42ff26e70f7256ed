package server

import (
	"net/http"
	"slices"
	"strings"
)

// crossOrigin lets pages of the listed origins ask, and read what they get. Without a
// list there is not one header of it, and no browser lets a page of another origin read
// anything. It reports whether it has answered, as it does what a browser asks before.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(s.Origins) == 0 {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.Origins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", strings.Join(append([]string{"X-Request-Id", headerPrompt, headerHash}, late...), ", "))
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, POST")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	if asked := r.Header.Get("Access-Control-Request-Headers"); len(asked) < 1000 && asked != "" {
		header.Set("Access-Control-Allow-Headers", asked) // official clients send a dozen of their own
	}
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
