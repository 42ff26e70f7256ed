package contract

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const ticketSchema = `{"type":"object","required":["label"],"properties":{"label":{"enum":["billing","bug"]}}}`

func TestParse(t *testing.T) {
	json1 := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema)}
	number := llm.Output{Kind: llm.OutputNumber}
	tests := map[string]struct {
		output llm.Output
		answer string
		want   any
		broken string
	}{
		"text is never refused":      {llm.Output{}, "{oops", nil, ""},
		"json":                       {json1, " {\"label\":\"bug\"}\n", map[string]any{"label": "bug"}, ""},
		"prose around json":          {json1, `Sure: {"label":"bug"}`, nil, "not JSON"},
		"two values":                 {json1, `{"label":"bug"} {"label":"bug"}`, nil, "not JSON"},
		"a key twice":                {json1, `{"label":"bug","label":"billing"}`, nil, "not JSON"},
		"cut":                        {json1, `{"label":"bu`, nil, "not JSON"},
		"a value out of the enum":    {json1, `{"label":"sales"}`, nil, "/label"},
		"a field is missing":         {json1, `{}`, nil, "label"},
		"empty":                      {json1, ``, nil, "not JSON"},
		"number":                     {number, " 18\n", json.Number("18"), ""},
		"number with a sign":         {number, "+1.5e3", json.Number("1.5e3"), ""},
		"number with a separator":    {number, "1,000", nil, "expected a number and nothing else"},
		"number with a unit":         {number, "18 eggs", nil, "expected a number and nothing else"},
		"number with leading zeroes": {number, "018", nil, "expected a number and nothing else"},
		"no number":                  {number, "", nil, "expected a number and nothing else"},
	}
	parser := NewParser()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			value, broken := parser.Parse(test.answer, test.output)
			if diff := cmp.Diff(test.want, value); diff != "" {
				t.Error(diff)
			}
			if (broken == "") != (test.broken == "") || !strings.Contains(broken, test.broken) {
				t.Errorf("broken = %q, want %q", broken, test.broken)
			}
		})
	}
}

func answering(text string, end llm.End) llm.Model {
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] { return llm.Replay(text, end) })
}

func TestAnswersThatMayNotPass(t *testing.T) {
	output := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema)}
	tests := map[string]struct {
		text   string
		finish llm.FinishReason
		output llm.Output
		class  fault.Class
	}{
		"invalid":                       {`{"label":"sales"}`, llm.FinishStop, output, fault.Contract},
		"valid by luck but cut":         {`{"label":"bug"}`, llm.FinishLength, output, fault.Length},
		"filtered":                      {`{"label":"bug"}`, llm.FinishContentFilter, output, fault.ContentFilter},
		"filtered text":                 {"half an ans", llm.FinishContentFilter, llm.Output{}, fault.ContentFilter},
		"a number that is not a number": {"eighteen", llm.FinishStop, llm.Output{Kind: llm.OutputNumber}, fault.Contract},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kept := false
			call := &llm.Call{}
			model := New(answering(test.text, llm.End{Finish: test.finish, Keep: func() { kept = true }}))
			response, err := llm.Collect(model.Stream(llm.WithCall(t.Context(), call), llm.Request{Output: test.output}))
			if got := fault.ClassOf(err); got != test.class {
				t.Errorf("class %q (%v), want %q", got, err, test.class)
			}
			if response.Text != "" { // it was not asked for live
				t.Errorf("%q was passed on", response.Text)
			}
			if kept {
				t.Error("the cache was told to keep it")
			}
			if call.Turns[0].Answer != test.text {
				t.Errorf("the turn holds %q, want what the model said", call.Turns[0].Answer)
			}
		})
	}
}

func TestValidAnswerIsPassedOnParsedAndKept(t *testing.T) {
	kept := 0
	model := New(answering(`{"label":"bug"}`, llm.End{Finish: llm.FinishStop, Keep: func() { kept++ }}))
	response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Output: llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema)}}))
	if err != nil {
		t.Fatal(err)
	}
	if response.Text != `{"label":"bug"}` || !cmp.Equal(response.End.Value, any(map[string]any{"label": "bug"})) {
		t.Errorf("got %q with value %v", response.Text, response.End.Value)
	}
	if kept != 1 {
		t.Errorf("kept %d times, want once", kept)
	}
}

func TestTextStopsAtTheLimitAndIsMarked(t *testing.T) {
	response, err := llm.Collect(New(answering("half", llm.End{Finish: llm.FinishLength})).Stream(t.Context(), llm.Request{}))
	if err != nil || response.Text != "half" || response.End.Finish != llm.FinishLength {
		t.Errorf("got %q, %q, %v; want the text with its finish reason", response.Text, response.End.Finish, err)
	}
}

// What is live is out before anybody can know that it will be filtered.
func TestLiveTextPassesUntilItIsFiltered(t *testing.T) {
	model := New(answering("half an ans", llm.End{Finish: llm.FinishContentFilter}))
	response, err := llm.Collect(model.Stream(t.Context(), llm.Request{Live: true}))
	if response.Text != "half an ans" || response.End.Finish != "" || fault.ClassOf(err) != fault.ContentFilter {
		t.Errorf("got %q, %q, %v", response.Text, response.End.Finish, err)
	}
}

// What was put right is passed on as the value alone, with what was done; the turn keeps
// what the model said, and the cache does not.
func TestRepairedAnswerIsPassedOnWrittenAnewAndNotKept(t *testing.T) {
	said := "Sure!\n```json\n{'label':'bug','b':1,'a':2,}\n```"
	output := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema), Repair: llm.RepairSyntax}
	call := &llm.Call{}
	kept := false
	model := New(answering(said, llm.End{Finish: llm.FinishStop, Keep: func() { kept = true }}))
	response, err := llm.Collect(model.Stream(llm.WithCall(t.Context(), call), llm.Request{Output: output}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"label":"bug","b":1,"a":2}`; response.Text != want {
		t.Errorf("passed on %s, want %s", response.Text, want)
	}
	want := []llm.Repair{
		{Name: "prose", Weight: 0.1, Line: 1, Col: 1, Times: 1}, {Name: "code_fence", Weight: 0.05, Line: 2, Col: 1, Times: 1},
		{Name: "quotes", Weight: 0.1, Line: 3, Col: 2, Times: 4}, {Name: "trailing_comma", Weight: 0.05, Line: 3, Col: 27, Times: 1},
	}
	if diff := cmp.Diff(want, response.End.Repairs); diff != "" {
		t.Error(diff)
	}
	if turn := call.Turns[0]; turn.Answer != said || !cmp.Equal(turn.Repairs, want) || turn.Violation != "" {
		t.Errorf("the turn holds %+v", turn)
	}
	if kept || response.End.Keep != nil {
		t.Error("the cache has it")
	}
}

// A model that was stopped has not said all, whatever a repair could make of it.
func TestStoppedAnswerIsNotRepaired(t *testing.T) {
	output := llm.Output{Kind: llm.OutputJSON, Repair: llm.RepairSyntax}
	_, err := llm.Collect(New(answering("```json\n{}\n```\nAnd", llm.End{Finish: llm.FinishLength})).Stream(t.Context(), llm.Request{Output: output}))
	if fault.ClassOf(err) != fault.Length {
		t.Errorf("got %v, want a length stop", err)
	}
}
