package scorer

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestTools(t *testing.T) {
	call := func(name, arguments string) llm.ToolCall { return llm.ToolCall{Name: name, Arguments: arguments} }
	search, lookup := call("search", `{"q":"refund  policy","limit":{"n":3,"of":"pages"}}`), call("lookup", `{"id":17}`)
	for _, test := range []struct {
		check  string
		calls  []llm.ToolCall
		reason string
	}{
		{"tool_called", []llm.ToolCall{lookup}, ""},
		{"tool_called", nil, "want a call of any tool, got no call"},
		{"not: tool_called", nil, ""},
		{"not: tool_called", []llm.ToolCall{lookup}, "must not hold: calls any tool"},
		{"tool_called: lookup", []llm.ToolCall{search, lookup}, ""},
		{"tool_called: refund", []llm.ToolCall{search, lookup}, "want a call of refund, got search, lookup"},
		{"not: {tool_called: refund}", []llm.ToolCall{search, lookup}, ""},
		{"tool_called: {name: search, arguments: {q: refund policy, limit: {n: 3.0}}}", []llm.ToolCall{search}, ""},
		{"tool_called: {name: search, arguments: {q: refund policy, limit: {n: 3}}, match: exact}", []llm.ToolCall{search}, `search: limit.of: want nothing, got "pages"`},
		{"tool_called: {name: lookup, arguments: {id: 17.0}, match: exact}", []llm.ToolCall{lookup}, ""},
		{"tool_called: {name: lookup, arguments: {id: 18}}", []llm.ToolCall{search, lookup}, "lookup: id: want 18, got 17"},
		{"tool_called: {name: lookup, arguments: {id: '17'}}", []llm.ToolCall{lookup}, `lookup: id: want the text "17", got the number 17`},
		{"tool_called: {name: lookup, arguments: {id: 18}}", []llm.ToolCall{lookup, call("lookup", `{"id":18}`)}, ""},
		{"tool_called: {name: lookup, schema: {required: [id], properties: {id: {type: integer}}}}", []llm.ToolCall{lookup}, ""},
		{"tool_called: {name: lookup, schema: {properties: {id: {type: string}}}}", []llm.ToolCall{lookup}, "lookup: /id: "},
		{"tool_called: {name: lookup, arguments: {}, match: exact}", []llm.ToolCall{call("lookup", "")}, ""},
		{"tool_called: {name: lookup, arguments: {}}", []llm.ToolCall{call("lookup", `{"id":`)}, `lookup: the arguments are not JSON: "{\"id\":"`},
		{"tool_called: {arguments: {id: 17}}", []llm.ToolCall{search, lookup}, ""},

		{"tool_sequence: [search, lookup]", []llm.ToolCall{search, lookup}, ""},
		{"tool_sequence: [search]", []llm.ToolCall{search, lookup}, "want 1 calls (search), got 2: search, lookup"},
		{"tool_sequence: [lookup, search]", []llm.ToolCall{search, lookup}, `call 1: want lookup, got "search"`},
		{"tool_sequence: {exact: [{name: search}, {name: lookup, arguments: {id: 1}}]}", []llm.ToolCall{search, lookup}, "call 2: lookup: id: want 1, got 17"},
		{"tool_sequence: {in_order: [search, lookup]}", []llm.ToolCall{search, search, lookup, search}, ""},
		{"tool_sequence: {in_order: [lookup, search]}", []llm.ToolCall{search, lookup}, "search does not follow in search, lookup"},
		{"tool_sequence: {in_order: [search, search]}", []llm.ToolCall{search}, "search does not follow in search"},
		{"tool_sequence: {any_order: [lookup, search]}", []llm.ToolCall{search, call("x", ""), lookup}, ""},
		{"tool_sequence: {any_order: [search, search]}", []llm.ToolCall{search, lookup}, "no call for search in search, lookup"},
		// The first takes the only call that the second could have, and gives it back.
		{"tool_sequence: {any_order: [lookup, {name: lookup, arguments: {id: 17}}]}", []llm.ToolCall{lookup, call("lookup", `{"id":1}`)}, ""},
		{"tool_sequence: {any_order: [lookup, {name: lookup, arguments: {id: 1}}]}", []llm.ToolCall{lookup, call("lookup", `{"id":1}`)}, ""},
	} {
		got := scored(t, test.check, eval.Subject{ToolCalls: test.calls})
		if got.Pass != (test.reason == "") || len(got.Reason) < len(test.reason) || got.Reason[:len(test.reason)] != test.reason {
			t.Errorf("%s: %v %q, want %q", test.check, got.Pass, got.Reason, test.reason)
		}
	}
}

func TestOperation(t *testing.T) {
	usage := llm.Usage{Input: 100, Output: 20, Reasoning: 15}
	for _, test := range []struct {
		check   string
		subject eval.Subject
		reason  string
	}{
		{"max_tokens: 20", eval.Subject{Usage: usage}, ""},
		{"max_tokens: 19", eval.Subject{Usage: usage}, "want at most 19 output tokens, took 20"},
		{"max_tokens: {value: 99, of: input}", eval.Subject{Usage: usage}, "want at most 99 input tokens, took 100"},
		{"max_tokens: {value: 120, of: total}", eval.Subject{Usage: usage}, ""},
		{"max_tokens: 5", eval.Subject{Usage: llm.Usage{Output: 6, Estimated: true}}, "want at most 5 output tokens, took 6, by estimate"},
		{"cached", eval.Subject{StoredBy: "cache"}, ""},
		{"cached: true", eval.Subject{StoredBy: "shared"}, "want an answer from the cache, got one shared with an equal call"},
		{"cached", eval.Subject{}, "want an answer from the cache, got one asked now"},
		{"cached: false", eval.Subject{StoredBy: "cache"}, "want an answer that is not from the cache, got one from the cache"},
		{"cached: {value: false, metric: fresh}", eval.Subject{StoredBy: "recording"}, ""},
	} {
		got := scored(t, test.check, test.subject)
		if got.Pass != (test.reason == "") || got.Reason != test.reason || !got.Operational {
			t.Errorf("%s: %+v, want %q", test.check, got, test.reason)
		}
	}
}
