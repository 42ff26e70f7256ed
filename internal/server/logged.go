package server

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// failureAttrs are what the log says of a failure. Where the message may quote what the
// request or the answer has, it names the field, or only what kind of failure it was: the
// caller is told the rest, and llmx explain has it of a call that was made.
func failureAttrs(err error) []slog.Attr {
	e := fault.As(err)
	attrs := []slog.Attr{slog.String("class", string(e.Class))}
	if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusBadRequest {
		attrs = append(attrs, slog.String("code", r.code))
		if r.param != "" {
			attrs = append(attrs, slog.String("param", cut(r.param, maxLogged)))
		}
		return attrs
	}
	return append(attrs, slog.String("error", cut(unquoting(e), maxLogged)))
}

// unquoting is the message without the words that may come out of the request or the answer.
func unquoting(e *fault.Error) string {
	switch e.Class {
	case fault.Contract:
		return "the answer breaks its contract"
	case fault.BadRequest, fault.ContentFilter: // providers say what they do not like
		if e.Said != "" {
			return strings.Replace(e.Message, ": "+e.Said, "", 1)
		}
	}
	return e.Message
}

// maxLogged bounds what a line of the log has of a name that a caller made up, in bytes.
const maxLogged = 300
