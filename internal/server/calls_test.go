package server_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/server"
)

// twoKeys are the keys of two callers, by their texts.
type twoKeys struct{}

func (twoKeys) Known() bool { return true }
func (twoKeys) Any() bool   { return true }

func (twoKeys) Find(secret string) (server.Caller, bool) {
	switch secret {
	case "ann", "bob":
		return server.Caller{Key: "key-" + secret, Name: secret, Tenant: secret}, true
	}
	return server.Caller{}, false
}

// A call can be asked for right after its answer, though the store is behind; nobody
// waits for one that there never was.
func TestACallIsFoundAtOnce(t *testing.T) {
	h := plan{upstream: says(t, upstream.Reply{Text: "yes"}).URL(), models: []string{"small"}, options: func(o *server.Options) {
		explain, behind := o.Explain, 60*time.Millisecond
		var first time.Time
		o.Explain = func(ctx context.Context, id string, whole bool) (*llm.Call, json.RawMessage, error) {
			if first.IsZero() {
				first = time.Now()
			}
			if time.Since(first) < behind {
				return nil, nil, fault.New(fault.Usage, "there is no call %q", id)
			}
			return explain(ctx, id, whole)
		}
	}}.build(t)
	w := h.chat(hello).whole(t)
	if a := h.send(t.Context(), "GET", "/v1/calls/"+w.ID, ""); a.status != 200 || !strings.Contains(a.body, `"id": "req-1"`) {
		t.Errorf("%s: %d %s", w.ID, a.status, a.body)
	}
	if a := h.send(t.Context(), "GET", "/v1/calls/none", ""); a.status != 404 || a.header.Get("Retry-After") != "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
}

// Where the store is lost the answer says when to come again.
func TestACallThatIsNotStoredYet(t *testing.T) {
	h := plan{upstream: says(t, upstream.Reply{Text: "yes"}).URL(), models: []string{"small"}, options: func(o *server.Options) {
		o.Explain = func(_ context.Context, id string, _ bool) (*llm.Call, json.RawMessage, error) {
			return nil, nil, fault.New(fault.Usage, "there is no call %q", id)
		}
	}}.build(t)
	h.chat(hello).whole(t)
	if a := h.send(t.Context(), "GET", "/v1/calls/req-1", ""); a.status != 404 || a.header.Get("Retry-After") != "1" || a.failure(t).Code != "call_not_found" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
}

func TestFeedback(t *testing.T) {
	var kept []server.Feedback
	h := plan{upstream: says(t, upstream.Reply{Text: "yes"}).URL(), models: []string{"small"}, options: func(o *server.Options) {
		o.Keys = twoKeys{}
		o.Feedback = func(_ context.Context, said server.Feedback) error { kept = append(kept, said); return nil }
	}}.build(t)
	ann := []string{"Authorization", "Bearer ann"}
	h.post("/v1/chat/completions", hello, ann...).whole(t)
	if a := h.post("/v1/calls/chatcmpl-req-1/feedback", `{"score":0.5,"correction":{"n":2},"comment":"so so"}`, ann...); a.status != 201 || len(kept) != 1 {
		t.Fatalf("%d %s: %+v", a.status, a.body, kept)
	}
	if f := kept[0]; f.Call != "req-1" || f.Key != "key-ann" || *f.Score != 0.5 || string(f.Correction) != `{"n":2}` || f.Comment != "so so" || f.At.IsZero() {
		t.Errorf("%+v", f)
	}
	for _, test := range []struct {
		body, key string
		status    int
		said      string
	}{
		{`{"score":1}`, "bob", 404, "there is no call"},
		{`{"score":1}`, "eve", 401, "this is no key of llmx"},
		{`{"score":2}`, "ann", 400, "score: want a number from 0 to 1"},
		{`{"score":"good"}`, "ann", 400, "score: want a number from 0 to 1, got a string"},
		{`{}`, "ann", 400, "there is no feedback"},
		{`{"stars":5}`, "ann", 400, "stars is not passed on"},
		{`{"comment":"` + strings.Repeat("x", 5000) + `"}`, "ann", 400, "comment is longer than 4 KB"},
		{`{"correction":"` + strings.Repeat("x", 70000) + `"}`, "ann", 400, "correction is longer than 64 KB"},
	} {
		a := h.post("/v1/calls/req-1/feedback", test.body, "Authorization", "Bearer "+test.key)
		if a.status != test.status || !strings.Contains(a.failure(t).Message, test.said) {
			t.Errorf("%.40s: %d %s", test.body, a.status, a.body)
		}
	}
	if a := h.send(t.Context(), "GET", "/v1/calls/req-1", "", "Authorization", "Bearer bob"); a.status != 404 {
		t.Errorf("another's call: %d %s", a.status, a.body)
	}
	if len(kept) != 1 {
		t.Errorf("kept %+v", kept)
	}
}

// The words of providers are for who may administer the server.
func TestWhoIsToldTheWholeOfACall(t *testing.T) {
	var whole bool
	h := plan{upstream: says(t, upstream.Reply{Text: "yes"}).URL(), models: []string{"small"}, options: func(o *server.Options) {
		explain := o.Explain
		o.Explain = func(ctx context.Context, id string, w bool) (*llm.Call, json.RawMessage, error) {
			whole = w
			return explain(ctx, id, w)
		}
	}}.build(t)
	h.chat(hello).whole(t)
	if a := h.send(t.Context(), "GET", "/v1/calls/req-1", ""); a.status != 200 || !whole {
		t.Errorf("this machine, without keys: %d, whole: %v", a.status, whole)
	}
	h = plan{upstream: says(t, upstream.Reply{Text: "yes"}).URL(), models: []string{"small"}, options: func(o *server.Options) {
		o.Keys = twoKeys{}
		explain := o.Explain
		o.Explain = func(ctx context.Context, id string, w bool) (*llm.Call, json.RawMessage, error) {
			whole = w
			return explain(ctx, id, w)
		}
	}}.build(t)
	ann := []string{"Authorization", "Bearer ann"}
	h.post("/v1/chat/completions", hello, ann...).whole(t)
	if a := h.send(t.Context(), "GET", "/v1/calls/req-1", "", ann...); a.status != 200 || whole {
		t.Errorf("a key: %d, whole: %v", a.status, whole)
	}
}
