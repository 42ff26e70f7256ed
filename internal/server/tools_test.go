package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

const offered = `"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}}},` +
	`{"type":"function","function":{"name":"now"}}]`

func asking(more ...string) string {
	return `{"model":"small","messages":[{"role":"user","content":"hi"}],` + strings.Join(append([]string{offered}, more...), ",") + `}`
}

// The calls that a model proposes pass through, several at once too, whole and in
// pieces, with their ids and in their order.
func TestToolCallsPassThrough(t *testing.T) {
	up := says(t, upstream.Reply{
		Text: "let me see", Finish: "tool_calls", Pieces: 3, Mixed: true, Usage: &upstream.Usage{Prompt: 3, Completion: 2},
		ToolCalls: []upstream.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"city": "Kyiv"}`}, {ID: "c2", Name: "now", Arguments: `{}`}},
	})
	h := plan{upstream: up.URL(), models: []string{"small"}}.build(t)
	want := []llm.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"city": "Kyiv"}`}, {ID: "c2", Name: "now", Arguments: `{}`}}
	w := h.chat(asking()).whole(t)
	var got []llm.ToolCall
	for _, call := range w.Choices[0].Message.Calls {
		got = append(got, llm.ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
		if call.Type != "function" {
			t.Errorf("the type is %q", call.Type)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || w.Choices[0].Finish != "tool_calls" || *w.Choices[0].Message.Content != "let me see" {
		t.Errorf("%s: %+v", diff, w)
	}
	s := h.chat(asking(`"stream":true`, `"stream_options":{"include_usage":true}`)).stream(t)
	if diff := cmp.Diff(want, s.calls); diff != "" || s.finish != "tool_calls" || s.text != "let me see" || !s.done || s.usage == nil || s.usage.Total != 5 {
		t.Errorf("%s: %+v", diff, s)
	}
}

// What a model calls and may not is no answer.
func TestInvalidToolCallsAre422(t *testing.T) {
	for name, test := range map[string]struct {
		call upstream.ToolCall
		more string
		said string
	}{
		"another tool":        {upstream.ToolCall{ID: "c", Name: "weathr", Arguments: `{}`}, "", `no tool is called "weathr"`},
		"bad arguments":       {upstream.ToolCall{ID: "c", Name: "weather", Arguments: `{"city": 5}`}, "", "weather: /city: expected a string, got 5"},
		"arguments cut":       {upstream.ToolCall{ID: "c", Name: "weather", Arguments: `{"city": "Ky`}, "", "weather: not JSON"},
		"not the chosen one":  {upstream.ToolCall{ID: "c", Name: "now"}, `"tool_choice":{"type":"function","function":{"name":"weather"}}`, "now is called: tool_choice is weather"},
		"none may be called":  {upstream.ToolCall{ID: "c", Name: "now"}, `"tool_choice":"none"`, "tool_choice is none"},
		"none, and one must":  {upstream.ToolCall{}, `"tool_choice":"required"`, "no tool is called"},
		"a text, and it must": {upstream.ToolCall{}, `"tool_choice":{"type":"function","function":{"name":"now"}}`, "no tool is called"},
	} {
		reply := upstream.Reply{Text: "well", Usage: &upstream.Usage{}}
		if test.call.Name != "" {
			reply = upstream.Reply{Finish: "tool_calls", ToolCalls: []upstream.ToolCall{test.call}}
		}
		h := plan{upstream: says(t, reply).URL(), models: []string{"small"}}.build(t)
		more := []string{}
		if test.more != "" {
			more = append(more, test.more)
		}
		a := h.chat(asking(more...))
		if said := a.failure(t); a.status != 422 || said.Code != "contract_violation" || !strings.Contains(said.Message, test.said) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		a = h.chat(asking(append(more, `"stream":true`)...))
		if said := a.failure(t); said.Code != "contract_violation" || strings.Contains(a.body, "[DONE]") || strings.Contains(a.body, "tool_calls\":") {
			t.Errorf("%s, streaming: %d %s", name, a.status, a.body)
		}
	}
}

// A conversation goes on with what the tools said.
func TestARoundOfTools(t *testing.T) {
	up := upstream.New(t, func(_ string, messages []upstream.Message, _ map[string]any) upstream.Reply {
		if last := messages[len(messages)-1]; last.Role == "tool" {
			return upstream.Reply{Text: "it is " + last.Content}
		}
		return upstream.Reply{Finish: "tool_calls", ToolCalls: []upstream.ToolCall{{ID: "c1", Name: "now"}}}
	})
	h := plan{upstream: up.URL(), models: []string{"small"}}.build(t)
	first := h.chat(asking()).whole(t).Choices[0].Message.Calls[0]
	body := `{"model":"small",` + offered + `,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"` + first.ID +
		`","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"` + first.ID + `","content":"noon"}]}`
	if w := h.chat(body).whole(t); *w.Choices[0].Message.Content != "it is noon" {
		t.Errorf("%+v", w)
	}
}
