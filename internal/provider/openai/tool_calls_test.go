package openai

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Servers differ in what they repeat, leave out and number in the pieces of a call.
func TestToolCallsAreAssembled(t *testing.T) {
	piece := func(calls string) string {
		return `data: {"choices":[{"delta":{"tool_calls":[` + calls + `]}}]}` + "\n\n"
	}
	f, g := llm.ToolCall{ID: "a", Name: "f", Arguments: `{"x":1}`}, llm.ToolCall{ID: "b", Name: "g", Arguments: "{}"}
	both := []llm.ToolCall{f, g}
	tests := map[string]struct {
		body string
		want []llm.ToolCall
	}{
		"in pieces":                        {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}},{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":0,"function":{"arguments":":1}"}}`) + piece(`{"index":1,"function":{"arguments":"}"}}`), both},
		"out of order":                     {piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`) + piece(`{"index":1,"function":{"arguments":"}"}}`) + piece(`{"index":0,"function":{"arguments":"1}"}}`), both},
		"the name late":                    {piece(`{"index":0,"id":"a","function":{"arguments":"{\"x\":1}"}}`) + piece(`{"index":0,"function":{"name":"f"}}`) + piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"the name in pieces":               {piece(`{"index":0,"id":"a","function":{"name":"look"}}`) + piece(`{"index":0,"function":{"name":"_up","arguments":"{}"}}`), []llm.ToolCall{{ID: "a", Name: "look_up", Arguments: "{}"}}},
		"name and id in every piece":       {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}`) + piece(`{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}`) + piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"}"}}`), both},
		"another id in every piece":        {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`) + piece(`{"index":0,"id":"a2","function":{"arguments":"1"}}`) + piece(`{"index":0,"id":"a3","function":{"arguments":"}"}}`) + piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"a call twice":                     {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`) + piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"at the end all again":             {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`) + piece(`{"index":0,"function":{"arguments":"1}"}}`) + piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"pieces that are alike":            {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1"}}`) + piece(`{"index":0,"function":{"arguments":"1"}}`) + piece(`{"index":0,"function":{"arguments":"1"}}`) + piece(`{"index":0,"function":{"arguments":"}"}}`), []llm.ToolCall{{ID: "a", Name: "f", Arguments: `{"x":111}`}}},
		"pieces that repeat what came":     {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`) + piece(`{"index":0,"function":{"arguments":"{\"x\":"}}`) + piece(`{"index":0,"function":{"arguments":"1}}"}}`), []llm.ToolCall{{ID: "a", Name: "f", Arguments: `{"x":{"x":1}}`}}},
		"no index":                         {piece(`{"id":"a","function":{"name":"f","arguments":"{\"x\""}}`) + piece(`{"function":{"arguments":":1}"}}`) + piece(`{"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"no index, mixed":                  {piece(`{"id":"a","function":{"name":"f","arguments":"{\"x\""}}`) + piece(`{"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"id":"a","function":{"arguments":":1}"}}`) + piece(`{"id":"b","function":{"arguments":"}"}}`), both},
		"an index in the first piece":      {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}`) + piece(`{"function":{"arguments":"1}"}}`) + piece(`{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"neither index nor id":             {piece(`{"function":{"name":"f","arguments":"{\"x\":1}"}},{"function":{"name":"g","arguments":"{}"}}`), []llm.ToolCall{{Name: "f", Arguments: `{"x":1}`}, {Name: "g", Arguments: "{}"}}},
		"index 0 for all":                  {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`) + piece(`{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}`), both},
		"one id for all, with their index": {piece(`{"index":0,"id":"f","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":1,"id":"f","function":{"name":"f","arguments":"{}"}}`), []llm.ToolCall{{ID: "f", Name: "f", Arguments: `{"x":1}`}, {ID: "f", Name: "f", Arguments: "{}"}}},
		"function_call, from before tools": {`data: {"choices":[{"delta":{"function_call":{"name":"f","arguments":"{"}}}]}` + "\n\n" + `data: {"choices":[{"delta":{"function_call":{"name":"f","arguments":"}"}}}]}` + "\n\n", []llm.ToolCall{{Name: "f", Arguments: "{}"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, serve(t, says("text/event-stream", test.body+lastChunk+doneLine)))
			if diff := cmp.Diff(test.want, got.ToolCalls); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	t.Run("in one object", func(t *testing.T) {
		got, err := ask(t, serve(t, says("application/json", `{"choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}`)))
		if diff := cmp.Diff(both, got.ToolCalls); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
