package server_test

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// bodies are of all endpoints, right ones and wrong ones.
var bodies = []string{
	`{"prompt":"plain","label":"canary","version":"1.0.0","percent":1,"until":"2h","because":"x"}`, `{"prompt":"plain","label":"production","rollback":true,"because":"x"}`,
	`{"model":"prompt:desk","prompt":{"variables":{"who":{"type":"input_text","text":"Ann"}}},"input":[{"role":"user","content":"hi"}],"text":{"format":{"type":"json_schema","name":"x","schema":{}}}}`,
	hello, helloStream, asking(`"stream":true`, `"stream_options":{"include_usage":true}`),
	`{"model":"small","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAEC","detail":"low"}}]}],"n":1,"seed":7}`,
	`{"model":"small","messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"a","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"x"}]}`,
	`{"model":"small","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}`,
	`{"model":"prompt:desk","prompt":{"variables":{"who":"Ann"}},"messages":[{"role":"user","content":"hi"}],"temperature":0,"tools":[]}`,
	`{"prompt":{"id":"plain","version":"draft","variables":{"q":"one"}}}`, `{"variables":{"q":"one"},"user":"ann"}`,
	`{"model":"small","input":["a","b"],"dimensions":3,"encoding_format":"base64"}`, `{"score":1,"correction":{"a":[1,2]},"comment":"x"}`,
	`{"model":"small","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"}],"instructions":"x","stream":true}`,
	`{"model":"small","input":"hi","text":{"format":{"type":"json_schema","name":"x","schema":{"type":"object"}}},"reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f"}],"tool_choice":"auto"}`,
	`{"prompt":{"id":"plain","vAriables":{"q":"one"}}}`,
	`{"model":"small","model":"x"}`, `{"a":{"b":1,"b":2}}`, `[`, `{"a":"\u`, "{\"a\":\"\xff\"}", `{"messages":[[[[]]]]}`, `null`, `{"tools":[{"type":"function","function":{"name":"a","parameters":{"$ref":"#"}}}]}`,
}

// yes is a model that says something that pleases most contracts.
func yes(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	text := `{"n":1}`
	if req.Output.Kind == llm.OutputEmbedding {
		text = "AACAQAAAAD8="
	}
	return llm.Replay(text, llm.End{Finish: llm.FinishStop})
}

// anyLabel takes every change of a label.
type anyLabel struct{}

func (anyLabel) SetLabel(_ context.Context, c server.LabelChange) (prompt.Override, error) {
	return prompt.Override{ID: 1, Prompt: c.Prompt, Label: c.Label, Version: c.Version, Because: c.Because}, nil
}

func (anyLabel) LabelLog(context.Context, string, int) ([]prompt.Override, error) { return nil, nil }

// Whatever the body of a request is: an answer, and where it is a failure one in
// OpenAI's form that tells nothing internal.
func FuzzEndpoints(f *testing.F) {
	paths := []string{"/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/prompts/plain", "/v1/prompts/desk", "/v1/calls/req-1/feedback", "/v1/labels"}
	for _, body := range bodies {
		for i := range paths {
			f.Add(i, body)
		}
	}
	p := plan{prompts: map[string]string{"desk": desk, "plain": plain, "p": optimisticPrompt}}
	h := over(f, llm.ModelFunc(yes), func(o *server.Options) {
		runtime := &server.Runtime{Engine: llm.ModelFunc(traced), Models: []server.ModelCard{{Name: "small"}}, Prompts: p.library()}
		o.Current = func() *server.Runtime { return runtime }
		o.Explain = func(context.Context, string, bool) (*llm.Call, json.RawMessage, error) {
			return &llm.Call{ID: "req-1"}, nil, nil
		}
		o.Labels = anyLabel{}
		o.Feedback = func(context.Context, server.Feedback) error { return nil }
	})
	f.Fuzz(func(t *testing.T, path int, body string) {
		r := httptest.NewRequest(http.MethodPost, paths[(path%len(paths)+len(paths))%len(paths)], strings.NewReader(body))
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost" // who needs no key
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == http.StatusForbidden {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		openapitest.Of(server.OpenAPI).Hold(t, openapitest.Seen(r, body, w.Result(), w.Body.String()))
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
			return
		}
		if !json.Valid(w.Body.Bytes()) || w.Header().Get("X-Request-Id") == "" {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
		var said struct{ Error *failure }
		if w.Code >= 400 && (json.Unmarshal(w.Body.Bytes(), &said) != nil || said.Error == nil || said.Error.Message == "" || said.Error.Type == "" || said.Error.Code == "") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, word := range []string{"goroutine", ".go:", "json: ", "invalid character"} {
			if strings.Contains(w.Body.String(), word) && !strings.Contains(body, word) {
				t.Fatalf("%s", w.Body)
			}
		}
	})
}

// traced is yes with the record that the engine makes of every call.
func traced(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		for event, err := range yes(ctx, req) {
			if !yield(event, err) {
				return
			}
		}
		yield(llm.Event{Call: &llm.Call{ID: req.ID, Prompt: req.Prompt, Model: req.Model}}, nil)
	}
}
