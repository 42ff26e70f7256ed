package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var invoiceTools = llm.Tools{List: []llm.ToolSpec{
	{Name: "lookup_invoice", Parameters: json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}},"additionalProperties":false}`)},
	{Name: "now"},
}}

func with(tools llm.Tools, choice string, oneAtATime bool) llm.Tools {
	tools.Choice, tools.OneAtATime = choice, oneAtATime
	return tools
}

func calls(pairs ...string) []llm.ToolCall {
	var list []llm.ToolCall
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, llm.ToolCall{ID: fmt.Sprintf("c%d", i/2+1), Name: pairs[i], Arguments: pairs[i+1]})
	}
	return list
}

func TestProposedCallsAreValidated(t *testing.T) {
	syntax := llm.Output{Repair: llm.RepairSyntax}
	coerce := llm.Output{Repair: llm.RepairCoerce, Coerce: []llm.Coercion{llm.CoerceNumber}}
	number := llm.Output{Kind: llm.OutputNumber}
	for name, test := range map[string]struct {
		said     string
		calls    []llm.ToolCall
		output   llm.Output
		tools    llm.Tools
		want     []llm.ToolCall // nil: as they came
		repaired string
		broken   string
	}{
		"valid":                      {"", calls("lookup_invoice", `{"id":17}`), llm.Output{}, invoiceTools, nil, "", ""},
		"beside text":                {"I look", calls("lookup_invoice", `{"id":17}`), llm.Output{}, invoiceTools, nil, "", ""},
		"the form does not apply":    {"", calls("lookup_invoice", `{"id":17}`), number, invoiceTools, nil, "", ""},
		"without a call it does":     {"x", nil, number, invoiceTools, nil, "", "expected a number"},
		"parallel":                   {"", calls("lookup_invoice", `{"id":1}`, "now", `{}`), llm.Output{}, invoiceTools, nil, "", ""},
		"empty arguments":            {"", calls("now", ""), llm.Output{}, invoiceTools, calls("now", "{}"), "", ""},
		"no argument where one must": {"", calls("lookup_invoice", " "), llm.Output{}, invoiceTools, nil, "", `lookup_invoice: missing required property "id"`},
		"arguments where none are":   {"", calls("now", `{"zone":"UTC"}`), llm.Output{}, invoiceTools, nil, "", "now: "},
		"unknown tool":               {"", calls("lookup_invoce", `{"id":17}`), llm.Output{}, invoiceTools, nil, "", `no tool is called "lookup_invoce"; did you mean "lookup_invoice"?`},
		"wrong type":                 {"", calls("lookup_invoice", `{"id":"x"}`), llm.Output{}, invoiceTools, nil, "", `lookup_invoice: /id: expected an integer, got "x"`},
		"which of several":           {"", calls("now", "", "lookup_invoice", `{"id":1.5}`), llm.Output{}, invoiceTools, nil, "", `call 2: lookup_invoice: /id: `},
		"not an object":              {"", calls("lookup_invoice", `[17]`), llm.Output{}, invoiceTools, nil, "", "lookup_invoice: expected an object"},
		"cut arguments":              {"", calls("lookup_invoice", `{"id":1`), syntax, invoiceTools, nil, "", "lookup_invoice: not JSON"},
		"repaired":                   {"", calls("lookup_invoice", `{id: 17,}`), syntax, invoiceTools, calls("lookup_invoice", `{"id":17}`), "unquoted_key,trailing_comma", ""},
		"not repaired where off":     {"", calls("lookup_invoice", `{id: 17,}`), llm.Output{Repair: llm.RepairOff}, invoiceTools, nil, "", "not JSON"},
		"coerced":                    {"", calls("lookup_invoice", `{"id":"17"}`), coerce, invoiceTools, calls("lookup_invoice", `{"id":17}`), "coerced_number", ""},
		"one at a time":              {"", calls("now", "", "now", ""), llm.Output{}, with(invoiceTools, "", true), nil, "", "2 tools are called at once"},
		"one is one":                 {"", calls("now", "{}"), llm.Output{}, with(invoiceTools, "", true), nil, "", ""},
		"none is wanted":             {"", calls("now", ""), llm.Output{}, with(invoiceTools, "none", false), nil, "", "tool_choice is none"},
		"none, and text":             {"fine", nil, llm.Output{}, with(invoiceTools, "none", false), nil, "", ""},
		"one is required":            {"fine", nil, llm.Output{}, with(invoiceTools, "required", false), nil, "", "no tool is called: tool_choice is required"},
		"the named one":              {"", calls("now", "{}"), llm.Output{}, with(invoiceTools, "now", false), nil, "", ""},
		"another than the named one": {"", calls("now", "{}"), llm.Output{}, with(invoiceTools, "lookup_invoice", false), nil, "", "now is called: tool_choice is lookup_invoice"},
		"no tools, nobody asks":      {"fine", calls("x", "{"), llm.Output{}, llm.Tools{}, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			read, broken := NewParser().ReadAnswer(Answer{Text: test.said, ToolCalls: test.calls}, test.output, test.tools)
			if (broken == "") != (test.broken == "") || !strings.Contains(broken, test.broken) {
				t.Fatalf("broken = %q, want %q", broken, test.broken)
			}
			if test.broken != "" {
				return
			}
			want := test.want
			if want == nil {
				want = test.calls
			}
			if diff := cmp.Diff(want, read.ToolCalls); diff != "" {
				t.Error(diff)
			}
			var names []string
			for _, r := range read.Repairs {
				names = append(names, r.Name)
			}
			if got := strings.Join(names, ","); got != test.repaired {
				t.Errorf("repaired %q, want %q", got, test.repaired)
			}
		})
	}
}

// events gives a stream in pieces.
func events(pieces ...llm.Event) llm.Model {
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, event := range pieces {
				if !yield(event, nil) {
					return
				}
			}
		}
	})
}

func piece(index int, id, name, arguments string) llm.Event {
	return llm.Event{ToolCall: &llm.ToolCallDelta{Index: index, ID: id, Name: name, Arguments: arguments}}
}

func ended(finish llm.FinishReason) llm.Event { return llm.Event{End: &llm.End{Finish: finish}} }

// Text is with the caller at once; from the first piece of a call on nothing is, until
// the calls are whole and valid.
func TestLiveTextPassesUntilAToolIsCalled(t *testing.T) {
	for name, test := range map[string]struct {
		arguments string
		finish    llm.FinishReason
		class     fault.Class
	}{
		"valid":         {`{"id":17}`, llm.FinishToolCalls, ""},
		"invalid":       {`{"id":"x"}`, llm.FinishToolCalls, fault.Contract},
		"cut by length": {`{"id":1}`, llm.FinishLength, fault.Length},
	} {
		t.Run(name, func(t *testing.T) {
			model := New(events(llm.Event{Text: "I look. "}, piece(0, "c1", "lookup_invoice", test.arguments[:4]),
				llm.Event{Text: "Wait."}, piece(0, "", "", test.arguments[4:]), ended(test.finish)))
			var seen []string
			call := &llm.Call{}
			var failure error
			for event, err := range model.Stream(llm.WithCall(t.Context(), call), llm.Request{Live: true, Tools: invoiceTools}) {
				switch {
				case err != nil:
					failure = err
				case event.ToolCall != nil:
					seen = append(seen, event.ToolCall.Name+event.ToolCall.Arguments)
				case event.Text != "":
					seen = append(seen, event.Text)
				}
			}
			want := []string{"I look. "}
			if test.class == "" {
				want = append(want, "Wait.", `lookup_invoice{"id":17}`)
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Error(diff)
			}
			if (failure != nil) != (test.class != "") || failure != nil && fault.ClassOf(failure) != test.class {
				t.Errorf("failed with %v, want class %q", failure, test.class)
			}
			if turn := call.Turns[0]; turn.Answer != "I look. Wait." || len(turn.ToolCalls) != 1 || turn.ToolCalls[0].Arguments != test.arguments {
				t.Errorf("the turn holds %q and %v, want what the model said", turn.Answer, turn.ToolCalls)
			}
		})
	}
}

// A text that is cut is marked by its reason, as without tools; one that must not be
// cut is a call.
func TestTextBesideToolsMayBeCut(t *testing.T) {
	for _, live := range []bool{true, false} {
		model := New(events(llm.Event{Text: "half"}, ended(llm.FinishLength)))
		response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Live: live, Tools: invoiceTools}))
		if err != nil || response.Text != "half" || response.End.Finish != llm.FinishLength {
			t.Errorf("live %v: got %q, %q, %v", live, response.Text, response.End.Finish, err)
		}
	}
	_, err := llm.Collect(New(events(ended(llm.FinishToolCalls))).Stream(t.Context(), llm.Request{Tools: invoiceTools}))
	if fault.ClassOf(err) != fault.Contract {
		t.Errorf("an end to have tools called without a call gave %v", err)
	}
}

// What a restart voids is no part of the answer.
func TestRestartVoidsCalls(t *testing.T) {
	model := New(events(llm.Event{Text: "a"}, piece(0, "c1", "now", "{"), llm.Event{Restart: &llm.Restart{}},
		llm.Event{Text: "b"}, ended(llm.FinishStop)))
	response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Live: true, Tools: invoiceTools}))
	if err != nil || response.Text != "b" || len(response.ToolCalls) != 0 {
		t.Errorf("got %q with calls %v, %v", response.Text, response.ToolCalls, err)
	}
}
