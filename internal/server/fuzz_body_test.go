package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// fuzzed are the endpoints that take a body.
var fuzzed = []string{"/v1/chat/completions", "/v1/embeddings", "/v1/prompts/triage", "/v1/responses", "/v1/calls/x/feedback"}

// FuzzBody gives any body to any endpoint: it is answered with JSON or with events, and
// never with a failure of the server's own.
func FuzzBody(f *testing.F) {
	for i := range fuzzed {
		for _, body := range []string{askEcho, strings.Replace(askEcho, "{", `{"stream": true, "stream_options": {"include_usage": true}, `, 1), `{"model": "echo", "input": ["a"]}`, `{"variables": {"a": [1e9, null]}, "user": "x"}`,
			`{"prompt": {"id": "triage", "version": "1.0.0", "variables": {}}}`, `{"model": "echo", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]}`,
			`{"model": "echo", "messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "x"}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "auto"}`,
			`{"model": "echo", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}}`, "null", "[", ""} {
			f.Add(uint8(i), []byte(body))
		}
	}
	g := &guarded{ring: NewKeyring(time.Now), log: &logged{}}
	runtime := &Runtime{Engine: llm.ModelFunc(g.stream), Models: []ModelCard{{"echo", "test"}}, Prompts: noPrompts{}}
	s := New(Options{
		Current: func() *Runtime { return runtime }, Now: time.Now, NewID: func() string { return "id" }, Log: slog.New(slog.DiscardHandler),
		Explain: func(context.Context, string) (*llm.Call, json.RawMessage, error) {
			return nil, nil, fault.New(fault.Usage, "there is none")
		},
	})
	f.Fuzz(func(t *testing.T, endpoint uint8, body []byte) {
		r := httptest.NewRequest("POST", "http://localhost"+fuzzed[int(endpoint)%len(fuzzed)], strings.NewReader(string(body)))
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		answer := w.Body.String()
		if w.Code >= 500 || w.Code < 200 || !json.Valid([]byte(answer)) && !strings.HasPrefix(answer, "data: ") {
			t.Errorf("%d %q to %q", w.Code, answer, body)
		}
	})
}
