package server

import (
	_ "embed"
	"net/http"
)

// OpenAPI describes all that is answered, as OpenAPI 3.1. Every request of this room's
// tests, and its answer, is held against it.
//
//go:embed openapi.json
var OpenAPI []byte

// openapi answers GET /v1/openapi.json.
func (s *Server) openapi(x *exchange) error {
	return x.write(http.StatusOK, "application/json", OpenAPI)
}
