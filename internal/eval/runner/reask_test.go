package runner

import (
	"context"
	"iter"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestAResultKeepsHowTheFirstAnswerStood(t *testing.T) {
	json := llm.Output{Kind: llm.OutputJSON, Reask: 1}
	refused := llm.Turn{Output: json, Violation: "not JSON"}
	for name, test := range map[string]struct {
		turns   []llm.Turn
		failure error
		valid   eval.Validity
		first   eval.Validity
	}{
		"valid at once":            {[]llm.Turn{{Output: json}}, nil, eval.Valid, eval.Valid},
		"valid when asked again":   {[]llm.Turn{refused, {Output: json}}, nil, eval.Valid, eval.Violated},
		"never valid":              {[]llm.Turn{refused, refused}, fault.New(fault.Contract, "not JSON"), eval.Violated, eval.Violated},
		"refused by a cascade":     {[]llm.Turn{{Output: json, Violation: "not accepted", Declined: true}, {Output: json}}, nil, eval.Valid, eval.Valid},
		"worse in the next step":   {[]llm.Turn{{Output: json, Violation: "not accepted", Declined: true}, refused}, fault.New(fault.Contract, "x"), eval.Violated, eval.Valid},
		"text has no standing":     {[]llm.Turn{{Violation: "not accepted", Declined: true}, {}}, nil, eval.NoContract, eval.NoContract},
		"text that may call tools": {[]llm.Turn{{Tools: llm.Tools{List: []llm.ToolSpec{{Name: "now"}}}}}, nil, eval.Valid, eval.Valid},
	} {
		model := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			return func(yield func(llm.Event, error) bool) {
				call := &llm.Call{Answer: "yes", Finish: llm.FinishStop, Turns: test.turns, Failure: llm.FailureOf(test.failure)}
				if test.failure != nil {
					if yield(llm.Event{Call: call}, nil) {
						yield(llm.Event{}, test.failure)
					}
				} else if yield(llm.Event{Text: "yes", End: &llm.End{Finish: llm.FinishStop}}, nil) {
					yield(llm.Event{Call: call}, nil)
				}
			}
		})
		got := one(t, Plan{}, model, eval.Case{ID: "one", InputHash: "i", Checks: []eval.Check{says{want: "yes"}}})
		if got.Valid != test.valid || got.FirstTry != test.first {
			t.Errorf("%s: %q after %q at first, want %q after %q", name, got.Valid, got.FirstTry, test.valid, test.first)
		}
		c := eval.Case{ID: "one", InputHash: "i", Checks: []eval.Check{says{want: "yes"}}}
		under := eval.Contract{Output: test.turns[0].Output, Tools: test.turns[0].Tools}
		again, err := Rescore(t.Context(), &c, got, under, asItCame)
		want := test.first
		if name == "never valid" { // its last answer is valid for this reader
			want = eval.Violated
		}
		if err != nil || again.FirstTry != want {
			t.Errorf("%s: rescored it stood %q at first, %v", name, again.FirstTry, err)
		}
	}
}

// Checks see the arguments as they are passed on, the result keeps what the model said.
func TestAResultKeepsTheCallsAsTheModelGaveThem(t *testing.T) {
	said := []llm.ToolCall{{ID: "1", Name: "find", Arguments: "{id: 1}"}}
	passed := []llm.ToolCall{{ID: "1", Name: "find", Arguments: `{"id":1}`}}
	tools := llm.Tools{List: []llm.ToolSpec{{Name: "find"}}}
	model := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for event := range (llm.Response{ToolCalls: passed, End: llm.End{Finish: llm.FinishToolCalls}}).Events() {
				if !yield(event, nil) {
					return
				}
			}
			yield(llm.Event{Call: &llm.Call{Finish: llm.FinishToolCalls, Turns: []llm.Turn{{Tools: tools, ToolCalls: said}}}}, nil)
		}
	})
	var subject eval.Subject
	c := eval.Case{ID: "one", InputHash: "i", Checks: []eval.Check{sees{subject: &subject}}}
	got := one(t, Plan{}, model, c)
	if got.ToolCalls[0] != said[0] || got.Digest != eval.DigestOfAnswer("", said) || subject.ToolCalls[0] != passed[0] {
		t.Errorf("the result has %v, the check saw %v", got.ToolCalls, subject.ToolCalls)
	}
	reads := func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{ToolCalls: passed} }
	subject = eval.Subject{}
	if _, err := Rescore(t.Context(), &c, got, eval.Contract{Tools: tools}, reads); err != nil || subject.ToolCalls[0] != passed[0] {
		t.Errorf("rescored the check saw %v, %v", subject.ToolCalls, err)
	}
	refuses := func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Broken: "find: missing"} }
	again, err := Rescore(t.Context(), &c, got, eval.Contract{Tools: tools}, refuses)
	if err != nil || again.Status != eval.Fail || again.Valid != eval.Violated || subject.Broken == "" {
		t.Errorf("refused: %+v, %v", again, err)
	}
}
