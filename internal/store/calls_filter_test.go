package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// served is a call of a server, with what a test changes of it.
func asked(i int, id string, change func(*llm.Call)) *llm.Call {
	call := sampleCall("", i)
	call.ID, call.Origin = id, llm.Origin{}
	change(call)
	return call
}

func TestCallsAreFilteredByWhoAskedAndWhatCameOfIt(t *testing.T) {
	s := tempStore(t)
	again := func(model string) llm.Attempt { return llm.Attempt{Model: model, Cost: llm.KnownCost(0)} }
	for i, change := range []func(*llm.Call){
		func(c *llm.Call) { c.ID, c.Key, c.User = "plain", "k1", "anna" },
		func(c *llm.Call) { c.ID, c.Key, c.User, c.Stored = "cached", "k2", "anna", &llm.Stored{By: "cache"} },
		func(c *llm.Call) { c.ID, c.Failure = "limited", &llm.Failure{Class: fault.RateLimited, Message: "no"} },
		func(c *llm.Call) { c.ID, c.Failure = "broken", &llm.Failure{Class: fault.Contract, Message: "no"} },
		func(c *llm.Call) {
			c.ID, c.Turns[0].Attempts = "retried", append(c.Turns[0].Attempts, again(c.Turns[0].Attempts[0].Model))
		},
		func(c *llm.Call) { c.ID, c.Turns[0].Attempts = "fallback", append(c.Turns[0].Attempts, again("large")) },
		func(c *llm.Call) { c.ID, c.Turns = "re-asked", append(c.Turns, llm.Turn{Kind: llm.TurnReask}) },
		func(c *llm.Call) { c.ID, c.Turns = "cascaded", append(c.Turns, llm.Turn{Kind: llm.TurnCascade}) },
		func(c *llm.Call) { c.ID, c.Turns[0].Repairs = "repaired", []llm.Repair{{Name: "fence"}} },
		func(c *llm.Call) { c.ID, c.Finish = "cut", llm.FinishLength },
	} {
		s.Record(asked(i, "", change))
	}
	half := 0.5
	for id, list := range map[string][]llm.Feedback{
		"plain":   {scored(0), {Score: &half}, {Comment: "thanks"}},
		"cached":  {scored(1), {Correction: json.RawMessage(`"other"`)}},
		"limited": {{Comment: "why?"}},
	} {
		for _, f := range list {
			if err := s.AddFeedback(ctx, id, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		f    CallFilter
		want []string
	}{
		{CallFilter{User: "anna"}, []string{"cached", "plain"}},
		{CallFilter{Key: "k2"}, []string{"cached"}},
		{CallFilter{User: "anna", Key: "k3"}, nil},
		{CallFilter{Status: "failed"}, []string{"broken", "limited"}},
		{CallFilter{Status: "ok", Until: testNow.Add(2 * time.Millisecond)}, []string{"cached", "plain"}},
		{CallFilter{Status: "contract"}, []string{"broken"}},
		{CallFilter{Status: "cached"}, []string{"cached"}},
		{CallFilter{Status: "retried"}, []string{"fallback", "retried"}},
		{CallFilter{Status: "fallback"}, []string{"fallback"}},
		{CallFilter{Status: "re-asked"}, []string{"re-asked"}},
		{CallFilter{Status: "cascaded"}, []string{"cascaded"}},
		{CallFilter{Status: "repaired"}, []string{"repaired"}},
		{CallFilter{Status: "cut-short"}, []string{"cut"}},
		{CallFilter{Status: "budget"}, nil},
		{CallFilter{Feedback: "good"}, []string{"plain"}},
		{CallFilter{Feedback: "bad"}, []string{"cached"}},
		{CallFilter{Feedback: "any"}, []string{"limited", "cached", "plain"}},
		{CallFilter{Feedback: "none", Since: testNow.Add(8 * time.Millisecond)}, []string{"cut", "repaired"}},
		{CallFilter{IDs: []string{"cut", "nothing", "plain"}}, []string{"cut", "plain"}},
	} {
		got := listed(t, s, test.f)
		if diff := cmp.Diff(test.want, idsOf(got)); diff != "" {
			t.Errorf("%+v: %s", test.f, diff)
		}
		for _, call := range got { // the filter and the word mean the same
			if word := test.f.Feedback; (word == "good" || word == "bad") && call.FeedbackWord() != word {
				t.Errorf("%s is %q", call.ID, call.FeedbackWord())
			}
		}
	}
	for _, err := range s.Calls(ctx, CallFilter{Status: "fialed"}) {
		wantFault(t, err, fault.Usage, `no status of a call is called "fialed"`)
		if hint := fault.As(err).Hint; !strings.Contains(hint, `did you mean "failed"? allowed: ok, failed,`) || !strings.Contains(hint, "budget") {
			t.Errorf("hint %q", hint)
		}
	}
	for _, err := range s.Calls(ctx, CallFilter{Feedback: "ok"}) {
		wantFault(t, err, fault.Usage, `no feedback is called "ok"`)
	}
}

func TestEveryStatusIsAskedWithoutAnError(t *testing.T) {
	s := tempStore(t)
	for _, status := range CallStatuses() {
		for _, err := range s.Calls(ctx, CallFilter{Status: status}) {
			t.Errorf("%s: %v", status, err)
		}
	}
}

func TestCallsAreFoundByWhatWasSaid(t *testing.T) {
	s := tempStore(t)
	plain := func(c *llm.Call) {
		c.Vars, c.Answer, c.Turns[0].Messages, c.Turns[0].Answer = nil, "yes", []llm.Message{llm.Text(llm.User, "hello")}, "yes"
	}
	for i, change := range []func(*llm.Call){
		func(c *llm.Call) {
			c.ID, c.Vars = "var", json.RawMessage(`{"ticket":"line \"one\"\nBÄR & \u003cb\u003e","order":12345678901234567890}`)
		},
		func(c *llm.Call) { c.ID, c.Answer = "answer", "a.b(c)" },
		func(c *llm.Call) { c.ID, c.Turns[0].Answer = "turn", "nearly 100%" },
		func(c *llm.Call) {
			c.ID, c.Turns[0].Messages = "message", []llm.Message{llm.Text(llm.User, "first\nsecond"), {Role: llm.Tool, Parts: []llm.Part{
				{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{ID: "t1", Content: `{"charges":[4900]}`}}}}}
		},
		func(c *llm.Call) {
			c.ID, c.Turns[0].ToolCalls = "tool", []llm.ToolCall{{ID: "t1", Name: "refund", Arguments: `{"order":8841}`}}
		},
	} {
		s.Record(asked(i, "", func(c *llm.Call) { plain(c); change(c) }))
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"bär & <B>":            {"var"},
		"\"one\"\nb":           {"var"},
		"12345678901234567890": {"var"},
		"A.B(C)":               {"answer"},
		"a.b.c":                nil, // a dot is a dot
		"100%":                 {"turn"},
		"first\nsecond":        {"message"},
		`"charges":[4900]`:     {"message"},
		"refund":               {"tool"},
		`"order":8841`:         {"tool"},
		"ticket":               nil, // a name, not said by anybody
		"user":                 nil, // a role
		"t1":                   nil,
		"hello":                {"tool", "turn", "answer", "var"},
	} {
		if diff := cmp.Diff(want, idsOf(listed(t, s, CallFilter{Grep: text}))); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	if got := idsOf(listed(t, s, CallFilter{Grep: "hello", Limit: 2})); !slices.Equal(got, []string{"tool", "turn"}) {
		t.Errorf("the newest two: %v", got)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range s.Calls(gone, CallFilter{Grep: "hello"}) {
		wantFault(t, err, fault.Canceled, "stopped before")
	}
}
