package server

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/llmx-dev/llmx/internal/fault"
)

// maxParam bounds the name of a field in the log, in bytes: a caller may have made it up.
const maxParam = 64

// failureAttrs are what a line of the log has of a failure. A message that may quote the
// request or the answer stays out: the caller is told it, and llmx explain has it where
// contents are kept.
func failureAttrs(err error) []slog.Attr {
	e := fault.As(err)
	attrs, message := []slog.Attr{slog.String("class", string(e.Class))}, e.Message
	if r := (*refusal)(nil); errors.As(err, &r) {
		attrs = append(attrs, slog.String("code", r.code))
		if r.param != "" {
			attrs = append(attrs, slog.String("param", r.param[:min(len(r.param), maxParam)]))
		}
		if r.status == http.StatusBadRequest || r.status == http.StatusUnprocessableEntity {
			message = ""
		}
	} else if quotes(e) {
		message = ""
	}
	if message != "" {
		attrs = append(attrs, slog.String("error", message))
	}
	return attrs
}

// quotes reports a failure whose message may have what was asked or answered: a contract
// that was broken, and a provider that refused the request for what stands in it.
func quotes(e *fault.Error) bool {
	switch e.Class {
	case fault.Contract, fault.Usage:
		return true
	case fault.BadRequest, fault.ContentFilter, fault.ContextLength:
		return e.Status != 0
	}
	return false
}
