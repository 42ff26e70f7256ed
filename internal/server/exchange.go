package server

import (
	"encoding/json"
	"log/slog"
	"net/http"
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
	timing timing

	fellBack bool // not the first model of the route answered
}

// json answers with a value.
func (x *exchange) json(status int, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fault.New(fault.Internal, "the answer cannot be written: %v", err)
	}
	return x.write(status, "application/json", text)
}

// log writes the line of the request. It has no contents and no secrets.
func (x *exchange) log() {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("id", x.id), slog.String("method", cut(x.r.Method, maxParam)), slog.String("path", cut(x.r.URL.Path, maxPath)), slog.Int("status", x.status),
		slog.Float64("ms", milliseconds(time.Since(x.begun))),
	}
	if asked := clientID(x.r); asked != "" {
		attrs = append(attrs, slog.String("client_id", asked))
	}
	if x.caller.Name != "" {
		attrs = append(attrs, slog.String("key", x.caller.Name))
	}
	if x.call != nil {
		attrs = append(attrs, x.callAttrs()...)
	}
	if x.failed != nil {
		attrs = append(attrs, failureAttrs(x.failed)...)
		if level = slog.LevelWarn; x.status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	x.server.Log.LogAttrs(x.r.Context(), level, "request", attrs...)
}

// callAttrs are what a line of the log has of a call.
func (x *exchange) callAttrs() []slog.Attr {
	c := x.call
	used, cost := c.Usage(), "unknown"
	if known := c.Cost(); known.Known {
		cost = usd(known.Amount)
	}
	attrs := []slog.Attr{
		slog.String("prompt", c.Prompt.String()), slog.String("model", c.Model), slog.String("answered", c.Answered),
		slog.Int("attempts", c.Attempts()), slog.Int("turns", len(c.Turns)), slog.Bool("cached", c.Stored != nil), slog.Bool("fallback", x.fellBack),
		slog.Int64("input_tokens", used.Input), slog.Int64("output_tokens", used.Output), slog.String("cost_usd", cost),
		slog.Int64("overhead_us", x.overhead().Microseconds()),
	}
	if c.FirstToken > 0 {
		attrs = append(attrs, slog.Float64("first_token_ms", milliseconds(c.FirstToken)))
	}
	return attrs
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func stack() string { return string(debug.Stack()) }
