package server

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// methods are the methods of every path that is answered.
type methods map[string][]string

// add takes a pattern such as "GET /v1/models".
func (m methods) add(pattern string) {
	method, path, _ := strings.Cut(pattern, " ")
	m[path] = append(m[path], method)
	if method == http.MethodGet {
		m[path] = append(m[path], http.MethodHead)
	}
}

// refuseOthers answers every other method with those that there are.
func (m methods) refuseOthers(mux *http.ServeMux, handler func(pattern string, answer func(*exchange) error) http.Handler) {
	for path, allowed := range m {
		slices.Sort(allowed)
		allow := strings.Join(allowed, ", ")
		mux.Handle(path, handler(path, func(x *exchange) error {
			x.w.Header().Set("Allow", allow)
			return refuse(http.StatusMethodNotAllowed, "method_not_allowed", "%s %s: the method is not allowed; allowed: %s", x.r.Method, x.r.URL.Path, allow)
		}))
	}
}

// cleanPaths keeps paths such as //v1/models from the mux, which would redirect them
// with a page of its own.
func cleanPaths(mux, refused http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clean := path.Clean("/" + r.URL.Path); r.URL.Path != clean && r.URL.Path != clean+"/" {
			refused.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// notThere refuses a path that there is not.
func notThere(r *http.Request) error {
	return refuse(http.StatusNotFound, "unknown_url", "there is no %s %s", r.Method, r.URL.Path)
}
