package openai

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
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
		"index 0 for all, in pieces":       {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`) + piece(`{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":0,"function":{"arguments":"}"}}`), both},
		"an index that leaves gaps":        {piece(`{"index":100,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}`), []llm.ToolCall{f}},
		"indexes from 1":                   {piece(`{"index":1,"id":"a","function":{"name":"f","arguments":"{\"x\""}},{"index":2,"id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":1,"function":{"arguments":":1}"}},{"index":2,"function":{"arguments":"}"}}`), both},
		"an index in quotes":               {piece(`{"index":"0","id":"a","function":{"name":"f","arguments":"{\"x\":"}},{"index":"1","id":"b","function":{"name":"g","arguments":"{"}}`) + piece(`{"index":"0","function":{"arguments":"1}"}},{"index":"1","function":{"arguments":"}"}}`), both},
		"arguments that are an object":     {piece(`{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}},{"index":1,"id":"b","function":{"name":"g","arguments":{}}}`), both},
		"objects, neither index nor id":    {piece(`{"function":{"name":"f","arguments":{"x":1}}},{"function":{"name":"f","arguments":{"x":1}}}`), []llm.ToolCall{{Name: "f", Arguments: `{"x":1}`}, {Name: "f", Arguments: `{"x":1}`}}},
		"nothing, in null":                 {piece(`{"index":null,"id":"a","type":null,"function":{"name":"f","arguments":null}}`) + piece(`{"id":null,"function":{"name":null,"arguments":"{\"x\":1}"}}`) + piece(`{"function":null}`), []llm.ToolCall{f}},
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

// What is a tool call and cannot be read must not pass for an answer without it.
func TestToolCallsThatCannotBeReadAreAnError(t *testing.T) {
	const good = `{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}`
	in := func(index string) string { return `"tool_calls":[` + strings.Replace(good, "0", index, 1) + `]` }
	for name, calls := range map[string]string{
		"an object in place of the list":   `"tool_calls":{"0":` + good + `}`,
		"a text in place of the list":      `"tool_calls":"f"`,
		"a text in the list":               `"tool_calls":["f"]`,
		"null in the list":                 `"tool_calls":[` + good + `,null]`,
		"a function that is a name":        `"tool_calls":[{"id":"a","function":"f"}]`,
		"a function in a list":             `"tool_calls":[{"id":"a","function":[{"name":"f","arguments":"{}"}]}]`,
		"a name that is an object":         `"tool_calls":[{"id":"a","function":{"name":{"f":1},"arguments":"{}"}}]`,
		"an id that is a number":           `"tool_calls":[{"id":7,"function":{"name":"f","arguments":"{}"}}]`,
		"arguments that are a list":        `"tool_calls":[{"id":"a","function":{"name":"f","arguments":[1]}}]`,
		"arguments that are a number":      `"tool_calls":[{"id":"a","function":{"name":"f","arguments":1}}]`,
		"arguments that are true":          `"tool_calls":[{"id":"a","function":{"name":"f","arguments":true}}]`,
		"no function around them":          `"tool_calls":[{"name":"f","arguments":{"x":1}}]`,
		"an id and no name":                `"tool_calls":[{"id":"a","function":{"arguments":"{}"}}]`,
		"a function_call that is a text":   `"function_call":"f"`,
		"a function_call with a list":      `"function_call":{"name":"f","arguments":[]}`,
		"an index of 10^30":                in("1" + strings.Repeat("0", 30)),
		"an index of 2^62":                 in("4611686018427387904"),
		"an index of -1":                   in("-1"),
		"an index of a half":               in("0.5"),
		"an index that is a word":          in(`"first"`),
		"an index that is an object":       in("{}"),
		"one that is good, and then a bad": `"tool_calls":[` + good + `,{"index":1,"function":7}]`,
		"the other form beside a good one": `"tool_calls":[` + good + `],"function_call":7`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, finish := range []string{"stop", "tool_calls"} {
				for _, content := range []string{`"content":"ok",`, `"content":null,`} {
					stream := `data: {"choices":[{"delta":{` + content + calls + `}}]}` + "\n\n" + `data: {"choices":[{"delta":{},"finish_reason":"` + finish + `"}]}` + "\n\n" + doneLine
					whole := `{"choices":[{"finish_reason":"` + finish + `","message":{` + content + calls + `}}]}`
					for kind, body := range map[string]string{"text/event-stream": stream, "application/json": whole} {
						got, err := ask(t, serve(t, says(kind, body)))
						if e := fault.As(err); err == nil || e.Class != fault.Malformed || !strings.Contains(e.Message, "a tool call") {
							t.Errorf("%s, %s %s: got %q with the calls %v, and %v; want an error of class malformed", kind, finish, content, got.Text, got.ToolCalls, err)
						}
					}
				}
			}
		})
	}
	t.Run("a call that was cut before its name", func(t *testing.T) {
		got, err := ask(t, serve(t, says("application/json", `{"choices":[{"finish_reason":"length","message":{"tool_calls":[{"id":"a","function":{}}]}}]}`)))
		if err != nil || got.End.Finish != llm.FinishLength {
			t.Errorf("got %v, %v; want the length stop", got.End.Finish, err)
		}
	})
}

// Whether arguments are whole is asked at every piece: its cost must not grow with
// what came before.
func TestManyPiecesOfAToolCallCostNoMoreThanTheirSum(t *testing.T) {
	const pieces = 100_000
	p := New(Options{Name: "acme", BaseURL: "http://x.test", APIKey: testKey})
	defer p.Close()
	for name, change := range map[string]func(call *functionDelta, piece string){
		"arguments": func(call *functionDelta, piece string) { call.Arguments = json.RawMessage(`"` + piece + `"`) },
		"names":     func(call *functionDelta, piece string) { call.Name = piece },
	} {
		t.Run(name, func(t *testing.T) {
			var calls toolCalls
			start := time.Now()
			got, err := llm.Collect(func(yield func(llm.Event, error) bool) {
				yield = p.secrets.veiled(yield)
				for i := range pieces {
					function := functionDelta{Name: "f"}
					piece := fmt.Sprintf("%-40d", i)
					if i == 0 {
						piece = `{\"x\":\"` + piece // a string that goes on, so that a parser reads all of it
					}
					change(&function, piece)
					raw, _ := json.Marshal([]any{map[string]any{"function": function}})
					deltas, ok := calls.deltas(&delta{ToolCalls: raw})
					if !ok || len(deltas) != 1 || !yield(llm.Event{ToolCall: &deltas[0]}, nil) {
						t.Fatal("a piece was lost")
					}
					if i%1000 == 0 && time.Since(start) > 5*time.Second {
						t.Fatalf("%d of %d pieces took %v", i, pieces, time.Since(start))
					}
				}
				yield(llm.Event{End: &llm.End{}}, nil)
			})
			if err != nil || len(got.ToolCalls) != 1 || len(got.ToolCalls[0].Arguments)+len(got.ToolCalls[0].Name) < 40*pieces {
				t.Fatalf("%d calls, %v", len(got.ToolCalls), err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%d pieces took %v", pieces, took)
			}
		})
	}
}

// What the counting of brackets finds whole is what a parser of all of it finds.
func TestAnObjectIsWholeWhereAParserSaysSo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	parts := []string{"{", "}", "[", "]", `"`, `\`, `"a":`, "1", " ", "\n", ",", "{}", `{"a":"}"}`, `{"a":"\\"}`, `"\""`, "x", "\u00a0"}
	wholes := 0
	for range 50_000 {
		var o object
		all := ""
		for range 1 + r.IntN(8) {
			piece := pick(r, parts)
			o.add(piece)
			all += piece
			want := strings.HasPrefix(strings.TrimLeft(all, " \n"), "{") && json.Valid([]byte(all))
			if o.whole() != want || o.String() != all {
				t.Fatalf("%q: whole is %v", all, o.whole())
			}
			if want {
				wholes++
			}
		}
	}
	if wholes < 1000 {
		t.Errorf("%d were whole: too few", wholes)
	}
}
