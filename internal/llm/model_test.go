package llm

import (
	"errors"
	"iter"
	"reflect"
	"testing"
)

func events(failure error, all ...Event) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, event := range all {
			if !yield(event, nil) {
				return
			}
		}
		if failure != nil {
			yield(Event{}, failure)
		}
	}
}

func TestUsagePlusSumsEveryCount(t *testing.T) {
	a := Usage{Input: 1, Output: 20, CachedInput: 300, Reasoning: 4000}
	b := Usage{Input: 5, Output: 60, CachedInput: 700, Reasoning: 8000}
	if got, want := a.Plus(b), (Usage{Input: 6, Output: 80, CachedInput: 1000, Reasoning: 12000}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	guess := Usage{Input: 1, Estimated: true}
	if !a.Plus(guess).Estimated || !guess.Plus(a).Estimated {
		t.Error("a sum with an estimate in it is one")
	}
}

func TestCallSumsOverTurnsAndAttempts(t *testing.T) {
	attempt := func(input int64, cost, paid Money) Attempt {
		return Attempt{Usage: Usage{Input: input, CachedInput: input / 2}, Cost: KnownCost(cost), Paid: KnownCost(paid)}
	}
	call := &Call{Turns: []Turn{
		{Attempts: []Attempt{attempt(2, 10, 10), attempt(4, 20, 20)}},
		{}, // failed before it was asked
		{Attempts: []Attempt{attempt(8, 40, 0)}},
	}}
	if got := call.Usage(); got != (Usage{Input: 14, CachedInput: 7}) {
		t.Errorf("usage %+v: it is that of all attempts", got)
	}
	if call.Cost() != KnownCost(60) || call.Paid() != KnownCost(30) || call.Attempts() != 3 {
		t.Errorf("cost %v, paid %v, %d attempts; want the last attempt of each turn, what all were paid, and 3", call.Cost(), call.Paid(), call.Attempts())
	}
	call.Turns[0].Attempts[0].Paid = Cost{}
	if call.Paid().Known || !call.Cost().Known {
		t.Errorf("cost %v, paid %v: only an attempt that was not the last has no price", call.Cost(), call.Paid())
	}
}

func TestCollectAssemblesToolCalls(t *testing.T) {
	delta := func(index int, id, name, arguments string) Event {
		return Event{ToolCall: &ToolCallDelta{Index: index, ID: id, Name: name, Arguments: arguments}}
	}
	weather := ToolCall{ID: "a", Name: "weather", Arguments: `{"city":"Oslo"}`}
	refund := ToolCall{ID: "b", Name: "refund", Arguments: `{"order":7}`}
	for name, test := range map[string]struct {
		events []Event
		want   []ToolCall
	}{
		"none":       {[]Event{{Text: "hi"}}, nil},
		"whole":      {[]Event{delta(0, "a", "weather", `{"city":"Oslo"}`)}, []ToolCall{weather}},
		"in pieces":  {[]Event{delta(0, "a", "wea", ""), delta(0, "", "ther", `{"city":`), delta(0, "", "", `"Oslo"}`)}, []ToolCall{weather}},
		"id again":   {[]Event{delta(0, "a", "weather", `{"city":`), delta(0, "a", "", `"Oslo"}`)}, []ToolCall{weather}},
		"parallel":   {[]Event{delta(0, "a", "weather", `{"city":`), delta(1, "b", "refund", `{"order"`), delta(0, "", "", `"Oslo"}`), delta(1, "", "", `:7}`)}, []ToolCall{weather, refund}},
		"last first": {[]Event{delta(1, "b", "refund", `{"order":7}`), delta(0, "a", "weather", `{"city":"Oslo"}`)}, []ToolCall{weather, refund}},
		"out of bounds": {[]Event{delta(-1, "x", "below", "{}"), delta(0, "a", "weather", `{"city":"Oslo"}`),
			delta(maxToolCalls, "x", "above", "{}"), delta(1<<40, "x", "far", "{}")}, []ToolCall{weather}},
	} {
		response, err := Collect(events(nil, test.events...))
		if err != nil || !reflect.DeepEqual(response.ToolCalls, test.want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, response.ToolCalls, err, test.want)
		}
	}
	response, _ := Collect(events(nil, delta(maxToolCalls-1, "z", "last", "{}")))
	if want := []ToolCall{{ID: "z", Name: "last", Arguments: "{}"}}; !reflect.DeepEqual(response.ToolCalls, want) {
		t.Errorf("%d tool calls, want the one that came: %+v", len(response.ToolCalls), want)
	}
}

func TestCollectFoldsAStream(t *testing.T) {
	call, cut := &Call{ID: "call-1"}, errors.New("cut")
	end := End{Finish: FinishStop, Usage: Usage{Output: 2}, Model: "one", ResponseID: "r", Value: "v"}
	want := Response{Text: "hello", Reasoning: "hmm", End: end, Call: call}
	pieces := []Event{{Reasoning: "h"}, {Reasoning: "mm", Text: "he"}, {Text: "llo"}, {End: &end}, {Call: call}}
	if got, err := Collect(events(nil, pieces...)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	want.End, want.Call = End{}, nil
	if got, err := Collect(events(cut, pieces[:3]...)); err != cut || !reflect.DeepEqual(got, want) {
		t.Errorf("cut short: got %+v, %v; want what had come, and the error", got, err)
	}
}

func TestReplayGivesBackWhatWasCollected(t *testing.T) {
	end := End{Finish: FinishLength, Usage: Usage{Input: 3, Output: 2}, Model: "one", ResponseID: "r", Stored: &Stored{By: "cache"}}
	for _, text := range []string{"hello", ""} {
		got, err := Collect(Replay(text, end))
		if want := (Response{Text: text, End: end}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		again, err := Collect(Replay(got.Text, got.End))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("the second time it is %+v, %v", again, err)
		}
	}
	for event := range Replay("", end) {
		if event.End == nil {
			t.Errorf("an empty answer has the piece %+v", event)
		}
	}
	for range Replay("hello", end) {
		break // who stops after the text is asked no more: range would panic
	}
	if _, err := Collect(Fail(errors.New("no"))); err == nil || err.Error() != "no" {
		t.Errorf("a failed stream gives %v", err)
	}
}

func TestMessageTextJoinsItsTextParts(t *testing.T) {
	one := Text(User, "hi")
	many := Message{Role: User, Parts: []Part{
		{Kind: PartText, Text: "look: "}, {Kind: PartImage, Media: &Media{URL: "x"}, Text: "no part of it"}, {Kind: PartText, Text: "this"},
	}}
	if one.Text() != "hi" || many.Text() != "look: this" || (Message{}).Text() != "" {
		t.Errorf("%q, %q, %q", one.Text(), many.Text(), Message{}.Text())
	}
}
