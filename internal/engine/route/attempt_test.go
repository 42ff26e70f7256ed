package route

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// The table of the failure classes, row by row: whether the same model is asked
// again, and whether the next one is. Without a row a class ends the turn.
func TestTheTableOfTheClasses(t *testing.T) {
	type row struct{ again, next, health bool }
	table := map[fault.Class]row{
		fault.RateLimited:       {true, true, true},
		fault.Overloaded:        {true, true, true},
		fault.ServerError:       {true, true, true},
		fault.Network:           {true, true, true},
		fault.Malformed:         {true, true, true},
		fault.Cut:               {true, true, true},
		fault.TimeoutConnect:    {false, true, true},
		fault.TimeoutFirstToken: {false, true, true},
		fault.TimeoutIdle:       {false, true, true},
		fault.QuotaExhausted:    {false, true, true},
		fault.Missing:           {false, true, false},
	}
	for _, class := range []fault.Class{
		fault.TimeoutTotal, fault.Budget, fault.Canceled, fault.ContextLength, fault.ContentFilter, fault.Length,
		fault.Auth, fault.NotFound, fault.BadRequest, fault.Internal, fault.Contract, fault.Store,
	} {
		table[class] = row{}
	}
	for class, want := range table {
		synctest.Test(t, func(t *testing.T) {
			a, b := plays(fails(class)), plays(says("yes"))
			newWorld(usual("a", "b"), map[string]*script{"a": a, "b": b}, nil).ask(t.Context(), llm.Request{})
			got := row{len(a.times()) == 2, len(b.times()) == 1, want.health}
			if len(a.times()) > 2 || got != want {
				t.Errorf("%s: the same was asked %d times, the next one %d", class, len(a.times()), len(b.times()))
			}
		})
		synctest.Test(t, func(t *testing.T) {
			a := plays(fails(class))
			w := newWorld(guarded(1, "a", "b"), map[string]*script{"a": a, "b": plays(says("yes"))}, nil)
			w.many(t, 12)
			if leftAlone := len(a.times()) == quick.MinCalls; leftAlone != want.health {
				t.Errorf("%s: asked %d times by 12 calls", class, len(a.times()))
			}
		})
	}
}

// played is a model that does what a function does.
func played(do func(ctx context.Context, req llm.Request, yield func(llm.Event, error) bool)) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) { do(ctx, req, yield) }
	})
}

// aloneWith is a route to one model.
func aloneWith(model llm.Model) *world {
	w := newWorld(usual("a"), nil, nil)
	w.targets["a"] = &Target{
		Alias: "a", Provider: "p", Wire: "wire-a", Model: model,
		Cost: func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) },
	}
	return w
}

// The model gets its name on the wire, and the bounds that the route has for it.
func TestWhatTheModelIsAsked(t *testing.T) {
	var got llm.Request
	policy := usual("a")
	policy.Timeouts = map[string]llm.Timeouts{"a": {Connect: 1, FirstToken: 2, Idle: 3}, "b": {Connect: 9}}
	w := newWorld(policy, nil, nil)
	w.targets["a"] = &Target{Wire: "wire-a", Alias: "a", Cost: func(llm.Usage) llm.Cost { return llm.Cost{} }, Model: played(
		func(_ context.Context, req llm.Request, yield func(llm.Event, error) bool) {
			got = req
			yield(llm.Event{End: &llm.End{Finish: llm.FinishStop}}, nil)
		},
	)}
	w.ask(t.Context(), llm.Request{})
	if got.Model != "wire-a" || got.Timeouts != policy.Timeouts["a"] {
		t.Errorf("asked %q within %+v", got.Model, got.Timeouts)
	}
}

// Queueing is no part of what the model took, and the first token is the first.
func TestTheTimesOfAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := aloneWith(played(func(ctx context.Context, _ llm.Request, yield func(llm.Event, error) bool) {
			time.Sleep(sec)
			llm.AdmissionFrom(ctx).Queue += sec
			time.Sleep(2 * sec)
			_ = yield(llm.Event{Reasoning: "hm"}, nil)
			time.Sleep(4 * sec)
			_ = yield(llm.Event{Text: "yes"}, nil) && yield(llm.Event{End: &llm.End{Finish: llm.FinishStop, Skipped: 2}}, nil)
		}))
		got := w.ask(t.Context(), llm.Request{}).call.Turns[0].Attempts[0]
		if got.Queue != sec || got.FirstToken != 2*sec || got.Service != 6*sec || got.Skipped != 2 {
			t.Errorf("queue %v, first token %v, service %v, %d skipped", got.Queue, got.FirstToken, got.Service, got.Skipped)
		}
	})
}

// What a failed attempt is recorded to have cost: nothing where the provider
// refused, and unknown where a model may have worked.
func TestWhatAFailedAttemptCosts(t *testing.T) {
	for name, test := range map[string]struct {
		reply reply
		known bool
	}{
		"a refusal":                    {fails(fault.Overloaded), true},
		"a filter":                     {fails(fault.ContentFilter), true},
		"no connection":                {fails(fault.TimeoutConnect), true},
		"an answer that had begun":     {reply{wait: sec, text: "half ", fails: fault.ServerError}, false},
		"reasoning that had begun":     {reply{wait: sec, think: "hm", fails: fault.ServerError}, false},
		"silence":                      {fails(fault.TimeoutFirstToken), false},
		"cut before a piece":           {fails(fault.Cut), false},
		"an answer that is not usable": {fails(fault.Malformed), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := newWorld(usual("a"), map[string]*script{"a": plays(test.reply)}, nil).ask(t.Context(), llm.Request{}).call.Turns[0].Attempts[0]
			if got.Paid.Known != test.known || got.Paid.Amount != 0 || got.Cost != got.Paid || got.Unasked {
				t.Errorf("%s: cost %+v, paid %+v, unasked %t", name, got.Cost, got.Paid, got.Unasked)
			}
		})
	}
}

// A reply that is not recorded says what asking for it would cost.
func TestTheCostOfAMissingReply(t *testing.T) {
	got := newWorld(usual("a"), map[string]*script{"a": plays(fails(fault.Missing))}, nil).ask(t.Context(), llm.Request{
		Messages: []llm.Message{llm.Text(llm.User, "12345678")}, Options: llm.Options{"max_tokens": []byte("50")},
	}).call.Turns[0].Attempts[0]
	want := llm.Usage{Input: 2, Output: 50, Estimated: true}
	if got.Usage != want || got.Cost != llm.KnownCost(50) || got.Paid != llm.KnownCost(0) {
		t.Errorf("usage %+v, cost %v, paid %v", got.Usage, got.Cost, got.Paid)
	}
}

// A stored answer has the cost and the times of its day, and nothing is paid.
func TestTheRecordOfAStoredAnswer(t *testing.T) {
	stored := &llm.Stored{By: "recording", Service: 3 * sec, FirstToken: sec}
	got := newWorld(usual("a"), map[string]*script{"a": plays(reply{text: "kept", end: llm.End{Stored: stored, Usage: llm.Usage{Output: 7}}})}, nil).
		ask(t.Context(), llm.Request{}).call.Turns[0].Attempts[0]
	if got.Cost != llm.KnownCost(7) || got.Paid != llm.KnownCost(0) || got.Service != 3*sec || got.FirstToken != sec || got.Stored != stored {
		t.Errorf("the record: %+v", got)
	}
}

// A budget's refusal is recorded as one in which nobody was asked, and so is a place
// of our own that comes too late, which takes no attempt from the next model.
func TestWhatComesBeforeAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := newWorld(usual("a"), map[string]*script{"a": plays(fails(fault.Budget))}, nil).ask(t.Context(), llm.Request{})
		if attempt := got.call.Turns[0].Attempts[0]; !attempt.Unasked || attempt.Paid != llm.KnownCost(0) {
			t.Errorf("a budget: %+v", attempt)
		}
		policy := usual("a", "b")
		policy.Retry.MaxAttempts = 1
		late := reply{fails: fault.RateLimited, retry: 2 * time.Minute, local: true}
		got = newWorld(policy, map[string]*script{"a": plays(late), "b": plays(says("yes"))}, nil).ask(t.Context(), llm.Request{})
		if got.Text != "yes" || got.call.Attempts() != 1 {
			t.Errorf("our own limits: %q, %v, %d attempts", got.Text, got.err, got.call.Attempts())
		}
	})
}

// A tool call is content, too: behind it nothing is taken back.
func TestALiveToolCallIsCommitted(t *testing.T) {
	asked := 0
	w := aloneWith(played(func(_ context.Context, _ llm.Request, yield func(llm.Event, error) bool) {
		asked++
		_ = yield(llm.Event{ToolCall: &llm.ToolCallDelta{Name: "f"}}, nil) && yield(llm.Event{}, fault.New(fault.Cut, "cut"))
	}))
	got := w.ask(t.Context(), llm.Request{Live: true})
	if fault.ClassOf(got.err) != fault.Cut || asked != 1 || len(got.ToolCalls) != 1 {
		t.Errorf("%v after %d askings, with %d calls", got.err, asked, len(got.ToolCalls))
	}
}

// A restart is declared before an answer of no pieces, too; who has enough of it
// gets no more.
func TestARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := usual("a")
		policy.Restart = true
		half := reply{text: "one ", fails: fault.Cut}
		got := newWorld(policy, map[string]*script{"a": plays(half, says(""))}, nil).ask(t.Context(), llm.Request{Live: true})
		if diff := cmp.Diff([]string{"one ", "<a: cut>"}, got.heard); diff != "" || got.err != nil || got.Text != "" {
			t.Errorf("got %q, %v: %s", got.Text, got.err, diff)
		}
		w := newWorld(policy, map[string]*script{"a": plays(half, says("two three"))}, nil)
		for event := range w.route.Stream(t.Context(), llm.Request{Model: "r", Live: true}) {
			if event.Restart != nil {
				break // asking on would panic
			}
		}
	})
}

// A caller who leaves with a piece ends the turn, whatever could still be tried.
func TestTheCallerLeavesWithAPiece(t *testing.T) {
	a, b := plays(says("one two three")), plays(says("no"))
	w := newWorld(guarded(3, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
	for range 8 {
		call := &llm.Call{Turns: []llm.Turn{{}}}
		for range w.route.Stream(llm.WithCall(t.Context(), call), llm.Request{Model: "r", Live: true}) {
			break
		}
		if got := call.Turns[0].Attempts; len(got) != 1 || got[0].Failure == nil || got[0].Failure.Class != fault.Canceled {
			t.Fatalf("the record: %+v", got)
		}
	}
	if len(a.times()) != 8 || len(b.times()) > 0 {
		t.Errorf("asked %d and %d times", len(a.times()), len(b.times()))
	}
}

// A caller who leaves in a pause is gone at once.
func TestTheCallerLeavesInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*sec, cancel)
		a := plays(reply{fails: fault.RateLimited, retry: 30 * sec})
		got := newWorld(usual("a"), map[string]*script{"a": a}, nil).ask(ctx, llm.Request{})
		if fault.ClassOf(got.err) != fault.Canceled || got.after != 5*sec || len(a.times()) != 1 {
			t.Errorf("%v after %v; asked %d times", got.err, got.after, len(a.times()))
		}
	})
}

// A reply that is missing because a budget is used up is not asked of another model:
// a budget stops, also where recordings stand before it.
func TestABudgetStopsBehindRecordings(t *testing.T) {
	next := plays(says("no"))
	w := newWorld(usual("a", "b"), map[string]*script{"b": next}, nil)
	spent := fault.New(fault.Missing, "not recorded, and it cannot be asked for").Because(fault.New(fault.Budget, "all is spent"))
	w.targets["a"] = &Target{Alias: "a", Cost: func(llm.Usage) llm.Cost { return llm.KnownCost(1) }, Model: played(
		func(_ context.Context, _ llm.Request, yield func(llm.Event, error) bool) { yield(llm.Event{}, spent) },
	)}
	got := w.ask(t.Context(), llm.Request{})
	if fault.ClassOf(got.err) != fault.Missing || len(next.times()) > 0 {
		t.Errorf("got %q, %v; the next model was asked %d times", got.Text, got.err, len(next.times()))
	}
}

// What a provider has refused for good is met once. Who comes later is told so, and
// the record does not say that anybody was asked.
func TestARefusalForGoodIsAskedOnce(t *testing.T) {
	refuses, next := plays(fails(fault.QuotaExhausted)), plays(says("yes"))
	w := newWorld(guarded(1, "a", "b"), map[string]*script{"b": next}, nil)
	w.targets["a"] = &Target{Alias: "a", Cost: func(llm.Usage) llm.Cost { return llm.KnownCost(1) }, Model: Latch(refuses)}
	if got := w.ask(t.Context(), llm.Request{}); fault.ClassOf(got.err) != fault.QuotaExhausted || got.call.Attempts() != 1 {
		t.Errorf("the first: %q, %v, %d attempts", got.Text, got.err, got.call.Attempts())
	}
	w.many(t, 10) // a breaker that opened would hide the reason
	got := w.ask(t.Context(), llm.Request{})
	attempts := got.call.Turns[0].Attempts
	if got.Text != "yes" || attempts[0].Failure.Class != fault.QuotaExhausted || len(attempts) != 2 || !attempts[0].Unasked || attempts[1].Unasked || got.call.Attempts() != 1 {
		t.Errorf("the second: %q, %v, %+v", got.Text, got.err, attempts)
	}
	if n := len(refuses.times()); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}
