package trace

import (
	"context"
	"iter"
	"testing"
	"time"

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
