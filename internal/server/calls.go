package server

import (
	"net/http"

	"github.com/llmx-dev/llmx/internal/fault"
)

// call answers GET /v1/calls/{id}: what llmx explain says, as JSON. A key sees its own
// calls; those of others are not there for it.
func (s *Server) call(x *exchange) error {
	id := x.r.PathValue("id")
	call, text, err := s.Explain(x.r.Context(), id)
	if err != nil && fault.ClassOf(err) != fault.Usage {
		return err
	}
	if err != nil || call.Key != x.caller.Key {
		return refuse(http.StatusNotFound, "call_not_found", "there is no call %q; a call is kept a moment after its answer", id)
	}
	return x.write(http.StatusOK, "application/json", text)
}
