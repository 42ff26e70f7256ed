package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func callsOf(list ...*llm.Call) iter.Seq2[*llm.Call, error] {
	return func(yield func(*llm.Call, error) bool) {
		for _, call := range list {
			if !yield(call, nil) {
				return
			}
		}
	}
}

// someCalls are one of each outcome, of ids as they are made.
func someCalls() []*llm.Call {
	cached := aCall()
	cached.Turns = cached.Turns[1:]
	cached.Stored = &llm.Stored{By: "cache", At: noon}
	cached.Turns[0].Attempts[0].Stored, cached.Turns[0].Attempts[0].Model, cached.Turns[0].Attempts[0].Paid = cached.Stored, "default", llm.KnownCost(0)
	cached.Total = 800 * time.Microsecond
	refused := routed()
	refused.Failure = &llm.Failure{Class: fault.TimeoutFirstToken, Message: "nothing came within 15 s; tried tiny (breaker_open), small (overloaded, timeout_first_token)\x1b[2J"}
	refused.Turns[0].Attempts = refused.Turns[0].Attempts[:3]
	refused.Turns[0].Attempts[2].Paid = llm.Cost{}
	list := []*llm.Call{routed(), cascaded(), refused, cached}
	for i, call := range list {
		call.ID = fmt.Sprintf("4f2a9c1d-%d", 117-i)
		call.Started = now.Add(-time.Duration(i*i*i) * 20 * time.Minute)
	}
	list[3].Origin = llm.Origin{}
	return list
}

func TestCallListGolden(t *testing.T) {
	for _, columns := range []int{80, 120, 140} {
		page := func(w *bytes.Buffer) error {
			return CallList(w, callsOf(someCalls()...), Style{Now: now, Width: columns})
		}
		goldenPage(t, fmt.Sprintf("calls.%d.txt", columns), page)
		checkPage(t, render(t, page), columns)
	}
	if page := render(t, func(w *bytes.Buffer) error { return CallList(w, callsOf(), Style{}) }); page != "no call is stored that is like that\n" {
		t.Errorf("of no call: %q", page)
	}
	torn := errors.New("torn off")
	broken := func(yield func(*llm.Call, error) bool) { yield(nil, torn) }
	if err := CallList(&bytes.Buffer{}, broken, Style{}); err != torn {
		t.Errorf("got %v", err)
	}
	if err := CallLines(&bytes.Buffer{}, broken); err != torn {
		t.Errorf("got %v", err)
	}
}

// The id is what explain needs: it is whole on the narrowest page.
func TestCallListNeverCutsAnID(t *testing.T) {
	calls := someCalls()
	for i, call := range calls {
		call.Model, call.Prompt.Name = strings.Repeat("long-", 20), strings.Repeat("prompt-", 20)
		call.ID = fmt.Sprintf("4f2a9c1d-1000000%d", i)
	}
	page := render(t, func(w *bytes.Buffer) error { return CallList(w, callsOf(calls...), Style{Now: now, Width: 80}) })
	checkPage(t, page, 80)
	for _, call := range calls {
		if !strings.Contains(page, call.ID+" ") {
			t.Errorf("%s is not in:\n%s", call.ID, page)
		}
	}
}

func TestCallJSONGolden(t *testing.T) {
	result := &eval.Result{Status: eval.Fail, Scores: []eval.Score{{Check: "golden", Reason: "no"}}}
	call := routed()
	call.Turns[0].Messages[1].Parts[1].Media.Data = []byte("png")
	golden(t, "call.json", render(t, func(w *bytes.Buffer) error { return CallJSON(w, call, result) }))
	golden(t, "calls.jsonl", render(t, func(w *bytes.Buffer) error { return CallLines(w, callsOf(someCalls()...)) }))
}

// No list is null, no unknown price is 0, and what was not stored is not empty.
func TestCallJSONOfABareCall(t *testing.T) {
	var d callDocument
	bare := &llm.Call{ID: "c1", Turns: []llm.Turn{{Kind: "ask", Attempts: []llm.Attempt{{Unasked: true}}}}}
	text := render(t, func(w *bytes.Buffer) error { return CallJSON(w, bare, nil) })
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if d.Content || d.Turns[0].Messages == nil || d.Turns[0].Options == nil || d.Turns[0].Attempts[0].Cost != nil || d.Call.Cost != nil || d.Turns[0].Attempts[0].Asked {
		t.Errorf("got %s", text)
	}
}

func TestCallJSONOfHostileAnswers(t *testing.T) {
	for _, key := range sortedKeys(hostile) {
		call := aCall()
		call.Answer, call.Turns[0].Violation = hostile[key], hostile[key]
		text := render(t, func(w *bytes.Buffer) error { return CallJSON(w, call, nil) })
		var d callDocument
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if key != "utf8" && d.Answer != hostile[key] {
			t.Errorf("%s: the answer came back as %.80q", key, d.Answer)
		}
		for _, r := range text {
			if r != '\n' && isUnsafe(r) {
				t.Fatalf("%s: the document holds %U", key, r)
			}
		}
	}
}
