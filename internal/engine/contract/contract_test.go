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

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"label":"bug"}`, `{"label":"x"}`, "[1,2", "18", "\xff", `{"a":{"b":[{}]}}`} {
		f.Add(seed)
	}
	parser := NewParser()
	output := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(ticketSchema)}
	f.Fuzz(func(t *testing.T, answer string) {
		value, broken := parser.Parse(answer, output)
		if broken != "" {
			if value != nil {
				t.Fatalf("a refused answer has the value %v", value)
			}
			return
		}
		object, ok := value.(map[string]any)
		if !ok || (object["label"] != "bug" && object["label"] != "billing") {
			t.Fatalf("%q was accepted as %v", answer, value)
		}
	})
}
