package contract

import (
	"encoding/json"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// An optimistic answer is with the caller as it comes, its calls too, and what breaks its
// contract fails behind it. What is not live is held back, and mended, as ever.
func TestOptimisticAnswersPassAndAreJudgedAtTheirEnd(t *testing.T) {
	output := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"object","required":["a"]}`), Repair: llm.RepairSyntax, Optimistic: true}
	for name, test := range map[string]struct {
		pieces []llm.Event
		tools  llm.Tools
		class  fault.Class // of the live answer, "" for an answer
		heard  int         // pieces that came before the end
		whole  bool        // asked whole it is an answer
	}{
		"valid":        {[]llm.Event{{Text: `{"a"`}, {Text: `:1}`}, ended(llm.FinishStop)}, llm.Tools{}, "", 2, true},
		"invalid":      {[]llm.Event{{Text: `{"b"`}, {Text: `:1}`}, ended(llm.FinishStop)}, llm.Tools{}, fault.Contract, 2, false},
		"to be mended": {[]llm.Event{{Text: "```json\n"}, {Text: `{"a":1}`}, {Text: "\n```"}, ended(llm.FinishStop)}, llm.Tools{}, fault.Contract, 3, true},
		"cut":          {[]llm.Event{{Text: `{"a":1}`}, ended(llm.FinishLength)}, llm.Tools{}, fault.Length, 1, false},
		"filtered":     {[]llm.Event{{Text: `{"a":1}`}, ended(llm.FinishContentFilter)}, llm.Tools{}, fault.ContentFilter, 1, false},
		"begun anew":   {[]llm.Event{{Text: `{"b"`}, {Restart: &llm.Restart{}}, {Text: `{"a":1}`}, ended(llm.FinishStop)}, llm.Tools{}, "", 3, true},
		"a call":       {[]llm.Event{piece(0, "c1", "now", "{"), piece(0, "", "", "}"), ended(llm.FinishToolCalls)}, llm.Tools{List: []llm.ToolSpec{{Name: "now"}}}, "", 2, true},
		"a wrong call": {[]llm.Event{piece(0, "c1", "then", "{}"), ended(llm.FinishToolCalls)}, llm.Tools{List: []llm.ToolSpec{{Name: "now"}}}, fault.Contract, 1, false},
	} {
		call := &llm.Call{}
		heard, class := 0, fault.Class("")
		for event, err := range New(events(test.pieces...)).Stream(llm.WithCall(t.Context(), call), llm.Request{Live: true, Output: output, Tools: test.tools}) {
			switch {
			case err != nil:
				class = fault.ClassOf(err)
			case event.End == nil:
				heard++
			}
		}
		if class != test.class || heard != test.heard {
			t.Errorf("%s: %d pieces and the failure %q", name, heard, class)
		}
		if turn := call.Turn(); len(call.Turns) != 1 || (turn.Violation != "") != (test.class != "") {
			t.Errorf("%s: recorded are %+v", name, call.Turns)
		}
		if _, err := llm.Collect(New(events(test.pieces...)).Stream(t.Context(), llm.Request{Output: output, Tools: test.tools})); (err == nil) != test.whole {
			t.Errorf("%s, whole: %v", name, err)
		}
	}
}
