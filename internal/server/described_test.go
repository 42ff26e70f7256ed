package server_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// oneLabel is the label that was set.
type oneLabel struct{}

var setLabel = prompt.Override{ID: 1, Prompt: "plain", Label: "canary", Version: "1.0.0", Percent: 10, Because: "try it", By: "app", At: time.Unix(1, 0), Until: time.Unix(2, 0)}

func (oneLabel) SetLabel(_ context.Context, change server.LabelChange) (prompt.Override, error) {
	if change.Version != "1.0.0" {
		return prompt.Override{}, fault.New(fault.Invalid, "there is no release %q", change.Version)
	}
	return setLabel, nil
}

func (oneLabel) LabelLog(context.Context, string, int) ([]prompt.Override, error) {
	return []prompt.Override{setLabel}, nil
}

// describedHouse is a server with everything that can be asked, by a key alone.
func describedHouse(t *testing.T, upstream, key string) *house {
	ring := server.NewKeyring(time.Now)
	ring.Set([]server.Key{{
		Hash: server.HashKey(key), Caller: server.Caller{Key: "k1", Name: "app", Tenant: "app", Admin: true}, Bounds: server.KeyBounds{RPM: 1000, TPM: 1_000_000},
	}})
	p := plan{upstream: upstream, models: []string{"small", "large"}, prompts: map[string]string{"desk": desk, "plain": plain, "p": optimisticPrompt}, options: func(o *server.Options) {
		o.Keys, o.Labels = ring, oneLabel{}
		o.Feedback = func(context.Context, server.Feedback) error { return nil }
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprintln(w, "up 1")
		})
		o.Health = func() server.Health {
			return server.Health{Warnings: []server.Trouble{{Code: "reload_failed", Message: "no", At: "llmx.yaml:1:1", Since: time.Unix(1, 0).UTC().Format(time.RFC3339)}}, Overrides: []prompt.Override{setLabel}}
		}
	}}
	return p.build(t)
}

// successes are requests that are answered, by their operation. The first of a chat is
// the call that others ask for: req-1.
var successes = []struct{ route, path, body string }{
	{"POST /v1/chat/completions", "", `{"model":"prompt:plain","prompt":{"variables":{"q":"one"}},"user":"u"}`},
	{"POST /v1/chat/completions", "", `{"model":"small","messages":[{"role":"system","content":"Be short."},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}]}],` +
		`"stream":true,"stream_options":{"include_usage":true},"temperature":0,"stop":["x"],"max_tokens":5,"n":1,"top_k":7}`},
	{"POST /v1/chat/completions", "", `{"model":"small","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"object"}}}}`},
	{"POST /v1/responses", "", `{"model":"small","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}],"instructions":"Be short.","max_output_tokens":50,"metadata":{"a":"b"},"text":{"format":{"type":"json_object"}}}`},
	{"POST /v1/responses", "", `{"prompt":{"id":"plain","variables":{"q":"one"}},"stream":true}`},
	{"POST /v1/prompts/{name}", "/v1/prompts/plain", `{"variables":{"q":"one"},"user":"u"}`},
	{"GET /v1/models", "", ""}, {"GET /v1/models/{name}", "/v1/models/prompt:plain", ""}, {"GET /v1/prompts", "", ""},
	{"GET /v1/calls/{id}", "/v1/calls/req-1", ""},
	{"POST /v1/calls/{id}/feedback", "/v1/calls/chatcmpl-req-1/feedback", `{"score":0,"correction":{"n":2},"comment":"one too few"}`},
	{"GET /v1/labels", "/v1/labels?prompt=plain", ""},
	{"POST /v1/labels", "", `{"prompt":"plain","label":"canary","version":"1.0.0","percent":10,"until":"2h","because":"try it"}`},
	{"GET /v1/openapi.json", "", ""}, {"GET /metrics", "", ""}, {"GET /livez", "", ""}, {"GET /readyz", "", ""},
}

// failures are requests that are not, besides those without a key.
var failures = []struct {
	route, path, body string
	status            int
}{
	{"POST /v1/chat/completions", "", `{"model":"nobody","messages":[{"role":"user","content":"hi"}]}`, 404},
	{"POST /v1/chat/completions", "", `{"model":"small","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"array"}}},"stream":true}`, 422},
	{"POST /v1/responses", "", `{"model":"small","input":"hi","previous_response_id":"resp_1"}`, 400},
	{"POST /v1/embeddings", "", `{"model":"small"}`, 400},
	{"POST /v1/prompts/{name}", "/v1/prompts/plain", `{"variables":{}}`, 400},
	{"POST /v1/prompts/{name}", "/v1/prompts/nobody", `{"variables":{}}`, 404},
	{"GET /v1/models/{name}", "/v1/models/nobody", "", 404},
	{"GET /v1/calls/{id}", "/v1/calls/none", "", 404},
	{"POST /v1/calls/{id}/feedback", "/v1/calls/req-1/feedback", `{"score":7}`, 400},
	{"POST /v1/calls/{id}/feedback", "/v1/calls/none/feedback", `{"score":1}`, 404},
	{"POST /v1/labels", "", `{"prompt":"plain","label":"canary","version":"2.0.0","because":"try it"}`, 422},
	{"POST /v1/labels", "", `{"prompt":"plain"}`, 400},
}

// Every operation is asked, with and without success; what is answered is as the document
// says (send holds it against it), and every header that is named of a success is sent.
func TestEveryOperationIsAsDescribed(t *testing.T) {
	key := server.NewKeyText()
	h, vectors := describedHouse(t, says(t, upstream.Reply{Text: `{"n": 1}`}).URL(), key), describedHouse(t, newVectors(t).URL+"/v1", key)
	sent := map[string]map[string]bool{} // by operation, of its successes
	ask := func(h *house, route, path, body string, headers ...string) answer {
		method, there, _ := strings.Cut(route, " ")
		if path != "" {
			there = path
		}
		return h.send(t.Context(), method, there, body, append(headers, "X-Client-Request-Id", "mine")...)
	}
	succeeds := func(h *house, route, path, body string) {
		t.Helper()
		a := ask(h, route, path, body, "Authorization", "Bearer "+key)
		if a.err != nil || a.status >= 300 {
			t.Errorf("%s %s: %d %s %v", route, body, a.status, a.body, a.err)
		}
		if sent[route] == nil {
			sent[route] = map[string]bool{}
		}
		for _, header := range []http.Header{a.header, a.trailer} {
			for name := range header {
				sent[route][name] = true
			}
		}
	}
	for _, one := range successes {
		succeeds(h, one.route, one.path, one.body)
	}
	succeeds(vectors, "POST /v1/embeddings", "", `{"model":"small","input":["hi","there"]}`)
	succeeds(vectors, "POST /v1/embeddings", "", `{"model":"small","input":"hi","encoding_format":"base64","dimensions":2}`)
	refused := map[string]bool{}
	for _, one := range failures {
		if a := ask(h, one.route, one.path, one.body, "Authorization", "Bearer "+key); a.status != one.status {
			t.Errorf("%s %s: %d %s, want %d", one.route, one.body, a.status, a.body, one.status)
		}
		refused[one.route] = true
	}
	h.server.Drain()
	for _, route := range openapitest.Of(server.OpenAPI).Routes() {
		path := strings.NewReplacer("{name}", "plain", "{id}", "req-1").Replace(strings.SplitN(route, " ", 2)[1])
		switch a := ask(h, route, path, ""); {
		case route == "GET /livez": // never fails
			refused[route] = true
		case a.status == 401, route == "GET /readyz" && a.status == 503:
			refused[route] = true
		default:
			t.Errorf("%s without a key: %d %s", route, a.status, a.body)
		}
		if !refused[route] || sent[route] == nil {
			t.Errorf("%s was not asked with success and without", route)
		}
		for name := range openapitest.Of(server.OpenAPI).Operation(route).Success().Headers {
			if !sent[route][http.CanonicalHeaderKey(name)] {
				t.Errorf("%s is described with the header %s, and never sends it; it sends %v", route, name, slices.Sorted(maps.Keys(sent[route])))
			}
		}
	}
}
