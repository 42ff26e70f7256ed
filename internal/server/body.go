package server

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// body reads the whole body as a JSON object, no object of which has a key twice.
func (x *exchange) body() (map[string]json.RawMessage, error) {
	if !isJSON(x.r.Header) {
		return nil, refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "the body must be JSON, and say so: Content-Type: application/json")
	}
	text, err := x.text()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) {
		return nil, invalid("", "the body is not UTF-8")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, invalid("", "the body is not a JSON object: %s", jsonTrouble(err))
	}
	if fields == nil {
		return nil, invalid("", "the body is not a JSON object: it is null")
	}
	if twice := strings.TrimPrefix(keyTwice(text), "."); twice != "" {
		return nil, invalid(twice, "%s stands here twice", twice)
	}
	return fields, nil
}

// isJSON reports a body that says it is JSON, or says nothing. curl -d calls every body
// a form; that is taken from programs, and not from the pages of a browser, which may
// send a form anywhere unasked.
func isJSON(header http.Header) bool {
	said := header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(said)
	switch {
	case said == "", err == nil && kind == "application/json":
		return true
	case kind == "application/x-www-form-urlencoded":
		return header.Get("Origin") == "" && header.Get("Sec-Fetch-Mode") == ""
	}
	return false
}

// text reads the body. The time that this takes is the caller's.
func (x *exchange) text() ([]byte, error) {
	begin := time.Now()
	text, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.server.MaxBody))
	x.timing.reading += time.Since(begin)
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case err == nil:
		return text, nil
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "body_too_large", "the body is larger than %s", size(x.server.MaxBody))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "request_timeout", "the body did not come in time")
	case x.r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.New(fault.Canceled, "the caller went away").Because(err)
	}
	return nil, invalid("", "the body cannot be read")
}

// jsonTrouble says what is wrong in JSON, without the words of Go.
func jsonTrouble(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && strings.HasPrefix(syntax.Error(), "unexpected end"):
		return "it ends too early"
	case errors.As(err, &syntax):
		return "wrong at byte " + decimal(syntax.Offset)
	case errors.As(err, &kind):
		return "it is " + gotWords[kind.Value]
	}
	return "it cannot be read"
}
