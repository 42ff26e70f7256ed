package trace

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// journal is a Recorder.
type journal []*llm.Call

func (j *journal) Record(call *llm.Call) { *j = append(*j, call) }

// Two turns of two attempts each: waiting and being served add up over all of them,
// while the answer is the last one's.
func TestTimesAreSummedOverAttemptsAndTurns(t *testing.T) {
	attempt := func(queue, service time.Duration, answered string) llm.Attempt {
		return llm.Attempt{Queue: queue, Service: service, FirstToken: service / 2, Answered: answered, Finish: llm.FinishReason("of " + answered)}
	}
	model := llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
		call := llm.CallFrom(ctx)
		call.Turns = append(call.Turns,
			llm.Turn{Answer: "no", Attempts: []llm.Attempt{attempt(1*time.Second, 20*time.Second, "a"), attempt(2*time.Second, 40*time.Second, "b")}},
			llm.Turn{Answer: "yes", Attempts: []llm.Attempt{attempt(4*time.Second, 80*time.Second, "c"), attempt(8*time.Second, 160*time.Second, "d")}})
		return llm.Replay("yes", llm.End{Finish: llm.FinishStop})
	})
	var kept journal
	traced := New(&kept, func() string { return "call-1" }, time.Now, model)
	response, err := llm.Collect(traced.Stream(t.Context(), llm.Request{Model: "m"}))
	if err != nil || len(kept) != 1 || kept[0] != response.Call {
		t.Fatalf("recorded %v, %v; want the one call", kept, err)
	}
	call := response.Call
	if call.Queue != 15*time.Second || call.Service != 300*time.Second {
		t.Errorf("queue %v, service %v; want 15s, 5m0s", call.Queue, call.Service)
	}
	if call.Answer != "yes" || call.Answered != "d" || call.Finish != "of d" || call.FirstToken != 80*time.Second {
		t.Errorf("%q by %q, finish %q, first token %v; want the last attempt's", call.Answer, call.Answered, call.Finish, call.FirstToken)
	}
}

// The pauses between attempts count as being served; what else passes beside a single
// attempt does not, nor what passes beside an answer that was given before.
func TestPausesCountBetweenAttempts(t *testing.T) {
	one, queued := llm.Attempt{Service: 2 * time.Second}, llm.Attempt{Service: 2 * time.Second, Queue: time.Second}
	kept := llm.Attempt{Service: time.Second, Stored: &llm.Stored{By: "cache"}}
	for name, test := range map[string]struct {
		attempts []llm.Attempt
		want     time.Duration
	}{
		"one":              {[]llm.Attempt{one}, 2 * time.Second},
		"two":              {[]llm.Attempt{one, queued}, 9 * time.Second},
		"two, one of them": {[]llm.Attempt{one, kept}, 3 * time.Second},
		"longer than all":  {[]llm.Attempt{one, {Service: 20 * time.Second}}, 22 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			model := New(&journal{}, func() string { return "c" }, time.Now, llm.ModelFunc(func(ctx context.Context, _ llm.Request) iter.Seq2[llm.Event, error] {
				call := llm.CallFrom(ctx)
				call.Turns = append(call.Turns, llm.Turn{Attempts: test.attempts})
				return func(yield func(llm.Event, error) bool) {
					time.Sleep(10 * time.Second)
					yield(llm.Event{End: &llm.End{}}, nil)
				}
			}))
			response, err := llm.Collect(model.Stream(t.Context(), llm.Request{}))
			if err != nil || response.Call.Service != test.want || response.Call.Total != 10*time.Second {
				t.Errorf("%s: served %v of %v, want %v (%v)", name, response.Call.Service, response.Call.Total, test.want, err)
			}
		})
	}
}

// A stream that just ends is cut; once its caller's time is over it was left.
func TestAStreamThatJustEnds(t *testing.T) {
	left, leave := context.WithCancel(t.Context())
	leave()
	for want, ctx := range map[fault.Class]context.Context{fault.Cut: t.Context(), fault.Canceled: left} {
		var kept journal
		model := New(&kept, func() string { return "c" }, time.Now, llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			return func(func(llm.Event, error) bool) {}
		}))
		_, err := llm.Collect(model.Stream(ctx, llm.Request{}))
		if fault.ClassOf(err) != want || kept[0].Failure == nil || kept[0].Failure.Class != want {
			t.Errorf("got %v, recorded %+v; want %s", err, kept[0].Failure, want)
		}
	}
}
