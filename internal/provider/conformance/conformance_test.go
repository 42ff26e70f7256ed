package conformance

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

type yielder = func(llm.Event, error) bool

func modelOf(stream func(ctx context.Context, req llm.Request, yield yielder)) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) { stream(ctx, req, yield) }
	})
}

var goodEnd = llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 1, Output: 1}, Model: "m"}

func good(ctx context.Context, _ llm.Request, yield yielder) {
	if ctx.Err() != nil {
		yield(llm.Event{}, canceled(ctx))
		return
	}
	if !yield(llm.Event{Text: "hello "}, nil) || !yield(llm.Event{Text: "you"}, nil) {
		return
	}
	end := goodEnd
	yield(llm.Event{End: &end}, nil)
}

func canceled(ctx context.Context) error { return fault.Ended(ctx, nil) }

// goodSubject does everything right.
func goodSubject() Subject {
	stopped, begun := make(chan struct{}, 64), make(chan struct{}, 64)
	wait := func(first bool) llm.Model {
		return modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			defer func() { stopped <- struct{}{} }()
			if first && !yield(llm.Event{Text: "a"}, nil) {
				return
			}
			<-ctx.Done()
			yield(llm.Event{}, canceled(ctx))
		})
	}
	slow := modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
		defer func() { stopped <- struct{}{} }()
		begun <- struct{}{}
		<-ctx.Done()
		yield(llm.Event{}, canceled(ctx))
	})
	busy := modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
		yield(llm.Event{}, fault.New(fault.Overloaded, "busy"))
	})
	return Subject{
		Model: modelOf(good), Request: llm.Request{Messages: []llm.Message{llm.Text(llm.User, "hi")}}, Text: "hello you",
		Silent: wait(false), Stuck: wait(true), Stopped: stopped, Slow: []Slow{{"slow", slow, begun}},
		Calls:    []Calls{{Name: "two", Model: calling("b"), Text: "wait", Want: []llm.ToolCall{{ID: "1", Name: "a", Arguments: "{}"}, {ID: "2", Name: "b"}}}},
		Failures: []Failure{{Name: "busy", Model: busy, Class: fault.Overloaded}},
	}
}

// calling proposes two calls, the second of which it begins first.
func calling(second string) llm.Model {
	return modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
		for _, delta := range []llm.ToolCallDelta{{Index: 1, ID: "2", Name: second}, {Index: 0, ID: "1", Name: "a", Arguments: "{"}, {Index: 0, Arguments: "}"}} {
			if !yield(llm.Event{ToolCall: &delta}, nil) {
				return
			}
		}
		end := goodEnd
		end.Finish = llm.FinishToolCalls
		_ = yield(llm.Event{Text: "wait"}, nil) && yield(llm.Event{End: &end}, nil)
	})
}

// bad has one way each to get something wrong, and the test that must see it.
var bad = map[string]struct {
	test  string
	spoil func(s *Subject)
}{
	"other text": {"Collect_gives_the_text", func(s *Subject) { s.Text = "hello" }},
	"no end": {"an_answer_ends_with_its_end", func(s *Subject) {
		s.Model = modelOf(func(_ context.Context, _ llm.Request, yield yielder) { yield(llm.Event{Text: s.Text}, nil) })
	}},
	"talks after the end": {"an_answer_ends_with_its_end", func(s *Subject) {
		s.Model = modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
			_ = yield(llm.Event{End: &goodEnd}, nil) && yield(llm.Event{Text: s.Text}, nil)
		})
	}},
	"calls another tool":   {"tool_calls_come_whole_and_in_order", func(s *Subject) { s.Calls[0].Model = calling("c") }},
	"calls none":           {"tool_calls_come_whole_and_in_order", func(s *Subject) { s.Calls[0].Model = s.Model }},
	"ends a call too soon": {"tool_calls_come_whole_and_in_order", func(s *Subject) { s.Calls[0].Finish = llm.FinishLength }},
	"a stream of one use": {"a_stream_can_be_asked_for_twice", func(s *Subject) {
		s.Model = llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
			used := false
			return func(yield func(llm.Event, error) bool) {
				if !used {
					used = true
					good(ctx, req, yield)
				}
			}
		})
	}},
	"writes on the request": {"a_request_is_left_as_it_was", func(s *Subject) {
		s.Model = modelOf(func(ctx context.Context, req llm.Request, yield yielder) {
			req.Messages[0].Role = llm.Assistant
			good(ctx, req, yield)
		})
	}},
	"mixes answers up": {"many_ask_at_once", func(s *Subject) {
		var asks atomic.Int64
		s.Model = modelOf(func(ctx context.Context, req llm.Request, yield yielder) {
			if asks.Add(1) > 3 {
				yield(llm.Event{Text: "of another"}, nil)
			}
			good(ctx, req, yield)
		})
	}},
	"does not hear a stop": {"a_consumer_may_stop_at_any_event", func(s *Subject) {
		s.Model = modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
			yield(llm.Event{Text: s.Text}, nil)
			yield(llm.Event{End: &goodEnd}, nil)
		})
	}},
	"asks though it is canceled": {"a_canceled_context_asks_nothing", func(s *Subject) {
		s.Model = modelOf(func(_ context.Context, req llm.Request, yield yielder) { good(context.Background(), req, yield) })
	}},
	"is slow to give up": {"cancel_ends_a_silent_model", func(s *Subject) {
		s.Silent = modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			<-ctx.Done()
			<-time.After(3 * patience)
			yield(llm.Event{}, canceled(ctx))
		})
	}},
	"ends a canceled answer as if it were whole": {"cancel_ends_a_stuck_model", func(s *Subject) {
		s.Stopped = nil
		s.Stuck = modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			if yield(llm.Event{Text: "a"}, nil) {
				<-ctx.Done()
				yield(llm.Event{End: &goodEnd}, nil)
			}
		})
	}},
	"stops what is upstream too late": {"cancel_ends_a_slow_model/slow", func(s *Subject) {
		late := make(chan struct{}, 1)
		s.Stopped = late
		s.Slow[0].Model = modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			<-ctx.Done()
			time.AfterFunc(3*patience, func() { late <- struct{}{} })
			yield(llm.Event{}, canceled(ctx))
		})
		begun := make(chan struct{}, 1)
		begun <- struct{}{}
		s.Slow[0].Begun = begun
	}},
	"does not stop what is upstream for a consumer that stops": {"a_consumer_that_stops_stops_what_is_upstream", func(s *Subject) {
		late := make(chan struct{}, 1)
		s.Stopped = late
		s.Stuck = modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
			yield(llm.Event{Text: "a"}, nil)
			time.AfterFunc(3*patience, func() { late <- struct{}{} })
		})
	}},
	"has a reason of its own": {"the_reason_for_a_cancel_is_the_failure/stuck", func(s *Subject) {
		s.Stopped = nil
		s.Stuck = modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			if yield(llm.Event{Text: "a"}, nil) {
				<-ctx.Done()
				yield(llm.Event{}, fault.New(fault.Canceled, "canceled"))
			}
		})
	}},
	"does not ask for the reason": {"the_reason_for_a_cancel_is_the_failure/before", func(s *Subject) {
		s.Model = modelOf(func(ctx context.Context, req llm.Request, yield yielder) {
			if ctx.Err() != nil {
				yield(llm.Event{}, fault.New(fault.Canceled, "canceled"))
				return
			}
			good(ctx, req, yield)
		})
	}},
	"takes a deadline for a cancel": {"a_deadline_ends_a_silent_model", func(s *Subject) {
		s.Silent = modelOf(func(ctx context.Context, _ llm.Request, yield yielder) {
			<-ctx.Done()
			yield(llm.Event{}, fault.New(fault.Canceled, "canceled"))
		})
	}},
	"a bare error":   {"failures_have_their_class_and_nothing_after_them/busy", failing(errors.New("busy"), false)},
	"another class":  {"failures_have_their_class_and_nothing_after_them/busy", failing(fault.New(fault.Network, "busy"), false)},
	"a period":       {"failures_have_their_class_and_nothing_after_them/busy", failing(fault.New(fault.Overloaded, "busy."), false)},
	"talks after it": {"failures_have_their_class_and_nothing_after_them/busy", failing(fault.New(fault.Overloaded, "busy"), true)},
	"no failure":     {"failures_have_their_class_and_nothing_after_them", func(s *Subject) { s.Failures = nil }},
}

func failing(err error, goesOn bool) func(s *Subject) {
	return func(s *Subject) {
		s.Failures[0].Model = modelOf(func(_ context.Context, _ llm.Request, yield yielder) {
			if yield(llm.Event{}, err) && goesOn {
				yield(llm.Event{Text: "more"}, nil)
			}
		})
	}
}

const spoiledBy = "LLMX_CONFORMANCE_SPOILED_BY"

// TestRun passes for a good provider. Started by TestRunSeesWhatIsWrong it runs
// over a bad one.
func TestRun(t *testing.T) {
	Run(t, func(*testing.T) Subject {
		s := goodSubject()
		if spoiled, ok := bad[os.Getenv(spoiledBy)]; ok {
			spoiled.spoil(&s)
		}
		return s
	})
}

func TestRunSeesWhatIsWrong(t *testing.T) {
	if os.Getenv(spoiledBy) != "" {
		t.Skip("this is the inner run")
	}
	for name, b := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRun$/^"+strings.ReplaceAll(b.test, "/", "$/^")+"$", "-test.v", "-test.timeout=20s")
			inner.Env = append(os.Environ(), spoiledBy+"="+name)
			out, err := inner.CombinedOutput()
			if want := "--- FAIL: TestRun/" + b.test; err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v; want %q in\n%s", err, want, out)
			}
		})
	}
}
