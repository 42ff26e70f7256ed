package server

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// exchange is one request and its answer. It belongs to one goroutine.
type exchange struct {
	server    *Server
	pattern   string // that the request matched, "" for none
	r         *http.Request
	w         http.ResponseWriter
	id        string
	begun     time.Time
	runtime   *Runtime
	caller    Caller
	admission *admission // nil where the key has no limits

	sent   bool      // the head of the answer
	status int       // that was sent, or would have been
	failed error     // why, of an answer that is none
	call   *llm.Call // the call that it made; nil for none
}

// body reads the whole body as a JSON object.
func (x *exchange) body() (map[string]json.RawMessage, error) {
	if kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); x.r.Header.Get("Content-Type") != "" && (err != nil || kind != "application/json") {
		return nil, refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "the body must be application/json")
	}
	text, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.server.MaxBody))
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "body_too_large", "the body is larger than %d MB", x.server.MaxBody>>20)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "request_timeout", "the body did not come in time")
	case err != nil:
		return nil, fault.New(fault.Canceled, "the caller went away").Because(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, invalid("", "the body is not a JSON object: %s", jsonTrouble(err))
	}
	if fields == nil {
		return nil, invalid("", "the body is not a JSON object: it is null")
	}
	return fields, nil
}

// jsonTrouble says what is wrong in JSON, without the words of Go.
func jsonTrouble(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Error()
	case errors.As(err, &kind):
		return "got " + kind.Value
	}
	return "it cannot be read"
}

// json answers with a value.
func (x *exchange) json(status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fault.New(fault.Internal, "the answer cannot be written: %v", err)
	}
	return x.write(status, "application/json", text)
}

func (x *exchange) write(status int, kind string, text []byte) error {
	x.head(status, kind)
	x.deadline()
	if _, err := x.w.Write(text); err != nil {
		return fault.New(fault.Canceled, "the caller went away").Because(err)
	}
	return nil
}

func (x *exchange) head(status int, kind string) {
	x.w.Header().Set("Content-Type", kind)
	x.admission.tellLimits(x.w.Header())
	x.w.WriteHeader(status)
	x.sent, x.status = true, status
}

// deadline bounds the writing of what comes next, so that a caller that does not read
// holds nothing.
func (x *exchange) deadline() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.server.Write)) // a recorder has none
}

// log writes the line of the request. It has no contents and no secrets.
func (x *exchange) log() {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("id", x.id), slog.String("method", x.r.Method), slog.String("path", x.r.URL.Path), slog.Int("status", x.status),
		slog.Float64("ms", float64(time.Since(x.begun).Microseconds())/1000),
	}
	if x.caller.Name != "" {
		attrs = append(attrs, slog.String("key", x.caller.Name))
	}
	if c := x.call; c != nil {
		attrs = append(attrs, slog.String("prompt", c.Prompt.String()), slog.String("model", c.Model), slog.String("answered", c.Answered),
			slog.Int("attempts", c.Attempts()), slog.Bool("cached", c.Stored != nil))
	}
	if x.failed != nil {
		e := fault.As(x.failed)
		attrs = append(attrs, slog.String("class", string(e.Class)), slog.String("error", e.Message))
		if level = slog.LevelWarn; x.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	x.server.Log.LogAttrs(x.r.Context(), level, "request", attrs...)
}

func stack() string { return string(debug.Stack()) }
