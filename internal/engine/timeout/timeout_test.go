package timeout

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// steps is a model that waits before each of its events, and ends when it is left.
func steps(all ...step) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for _, s := range all {
				select {
				case <-time.After(s.wait):
				case <-ctx.Done():
					yield(llm.Event{}, ctx.Err())
					return
				}
				if !yield(s.event, nil) {
					return
				}
			}
		}
	})
}

type step struct {
	wait  time.Duration
	event llm.Event
}

func TestSilenceEndsAnAttempt(t *testing.T) {
	text, thought := llm.Event{Text: "a"}, llm.Event{Reasoning: "hm"}
	end := llm.Event{End: &llm.End{Finish: llm.FinishStop}}
	bounds := llm.Timeouts{FirstToken: 15 * time.Second, Idle: 20 * time.Second}
	for name, test := range map[string]struct {
		steps  []step
		bounds llm.Timeouts
		class  fault.Class // "" for an answer
		after  time.Duration
	}{
		"in time":                              {[]step{{14 * time.Second, text}, {19 * time.Second, text}, {19 * time.Second, end}}, bounds, "", 52 * time.Second},
		"no first token":                       {[]step{{16 * time.Second, text}}, bounds, fault.TimeoutFirstToken, 15 * time.Second},
		"silence in the answer":                {[]step{{time.Second, text}, {21 * time.Second, text}}, bounds, fault.TimeoutIdle, 21 * time.Second},
		"silence before the end":               {[]step{{time.Second, text}, {time.Second, text}, {time.Hour, end}}, bounds, fault.TimeoutIdle, 22 * time.Second},
		"reasoning is life":                    {[]step{{10 * time.Second, thought}, {19 * time.Second, text}, {0, end}}, bounds, "", 29 * time.Second},
		"reasoning and then silence":           {[]step{{10 * time.Second, thought}, {time.Hour, text}}, bounds, fault.TimeoutIdle, 30 * time.Second},
		"a piece of nothing is none":           {[]step{{10 * time.Second, llm.Event{}}, {10 * time.Second, text}}, bounds, fault.TimeoutFirstToken, 15 * time.Second},
		"without bounds":                       {[]step{{time.Hour, text}, {time.Hour, end}}, llm.Timeouts{}, "", 2 * time.Hour},
		"only between pieces":                  {[]step{{time.Hour, text}, {21 * time.Second, end}}, llm.Timeouts{Idle: 20 * time.Second}, fault.TimeoutIdle, time.Hour + 20*time.Second},
		"a tool call is a first piece, too":    {[]step{{14 * time.Second, llm.Event{ToolCall: &llm.ToolCallDelta{}}}, {19 * time.Second, end}}, bounds, "", 33 * time.Second},
		"the bound itself is still too late":   {[]step{{time.Hour, end}}, llm.Timeouts{FirstToken: time.Second}, fault.TimeoutFirstToken, time.Second},
		"silence after a while of much to say": {[]step{{0, text}, {19 * time.Second, text}, {19 * time.Second, text}, {19 * time.Second, text}, {time.Hour, end}}, bounds, fault.TimeoutIdle, 77 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				_, err := llm.Collect(New("small", steps(test.steps...)).Stream(t.Context(), llm.Request{Timeouts: test.bounds}))
				if test.class == "" && err != nil || test.class != "" && fault.ClassOf(err) != test.class {
					t.Errorf("got %v, want %q", err, test.class)
				}
				if took := time.Since(begin); took != test.after {
					t.Errorf("ended after %v, want %v", took, test.after)
				}
			})
		})
	}
}

// From here on the provider is asked: what comes of it may be billed.
func TestTheProviderCountsAsAsked(t *testing.T) {
	admission := &llm.Admission{}
	_, err := llm.Collect(New("small", steps(step{0, llm.Event{End: &llm.End{}}})).Stream(llm.WithAdmission(t.Context(), admission), llm.Request{}))
	if err != nil || !admission.Asked {
		t.Errorf("%v, %+v", err, admission)
	}
}

func TestABusyConsumerIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := New("small", steps(step{0, llm.Event{Text: "a"}}, step{0, llm.Event{Text: "b"}}, step{0, llm.Event{End: &llm.End{}}}))
		heard := 0
		for _, err := range model.Stream(t.Context(), llm.Request{Timeouts: llm.Timeouts{FirstToken: time.Second, Idle: time.Second}}) {
			if err != nil {
				t.Fatal(err)
			}
			heard++
			time.Sleep(time.Minute)
		}
		if heard != 3 {
			t.Errorf("%d events, want 3", heard)
		}
	})
}

func TestTheCallersOwnEndIsNotCalledSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, fault.New(fault.TimeoutTotal, "late"))
		defer cancel()
		_, err := llm.Collect(New("small", steps(step{time.Hour, llm.Event{}})).Stream(ctx, llm.Request{Timeouts: llm.Timeouts{FirstToken: time.Minute}}))
		if fault.ClassOf(err) != fault.TimeoutTotal {
			t.Errorf("got %v", err)
		}
	})
}
