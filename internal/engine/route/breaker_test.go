package route

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// quick opens after four calls of which half have failed.
var quick = Breaker{Window: 10 * time.Second, MinCalls: 4, FailureRatio: 0.5, OpenFor: 5 * time.Second}

func guarded(attempts int, use ...string) Policy {
	policy := usual(use...)
	policy.Breaker, policy.Retry.MaxAttempts = quick, attempts
	return policy
}

func (w *world) many(t *testing.T, n int) (answered int) {
	t.Helper()
	for range n {
		if w.ask(t.Context(), llm.Request{}).err == nil {
			answered++
		}
	}
	return answered
}

// A model that keeps failing is left alone: its calls go to the next one at once.
// After open_for one call tries it, and one that is answered brings all back.
func TestAFailingModelIsLeftAloneAndFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := plays(fails(fault.ServerError), fails(fault.ServerError), fails(fault.ServerError), fails(fault.ServerError), says("well")), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		if n := w.many(t, 20); n != 20 {
			t.Fatalf("%d of 20 answered", n)
		}
		if n := len(a.times()); n != 4 {
			t.Errorf("the failing model was asked %d times, want 4: then it is left alone", n)
		}
		got := w.ask(t.Context(), llm.Request{})
		attempts := got.call.Turns[0].Attempts
		if len(attempts) != 2 || !attempts[0].Unasked || attempts[0].Failure.Class != fault.BreakerOpen || attempts[1].Model != "b" || got.call.Attempts() != 1 {
			t.Errorf("the record of a call past an open breaker: %+v", attempts)
		}
		if !got.End.Fallback || len(got.End.Failed) != 1 || got.End.Failed[0].Class != fault.BreakerOpen {
			t.Errorf("the end says %+v", got.End)
		}
		time.Sleep(quick.OpenFor + time.Millisecond)
		if got := w.ask(t.Context(), llm.Request{}); got.Text != "well" || got.End.Fallback {
			t.Errorf("after open_for: %q, %v", got.Text, got.err)
		}
		w.many(t, 10)
		if n := len(a.times()); n != 15 {
			t.Errorf("asked %d times, want 15: it is back in use", n)
		}
	})
}

// While it is tried again, a single call does so.
func TestASingleCallTriesItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := fails(fault.ServerError)
		a, b := plays(bad, bad, bad, bad, reply{wait: time.Second, text: "well"}), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 4)
		time.Sleep(quick.OpenFor + time.Millisecond)
		for range 20 {
			go w.ask(t.Context(), llm.Request{})
		}
		synctest.Wait()
		if n := len(a.times()); n != 5 {
			t.Errorf("%d calls try it again, want 1", n-4)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestTheLastUsableModelIsNeverShutOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := plays(fails(fault.ServerError))
		w := newWorld(guarded(1, "a"), map[string]*script{"a": a}, nil)
		w.many(t, 30)
		if n := len(a.times()); n != 30 {
			t.Errorf("asked %d of 30 times", n)
		}
		b, c := plays(fails(fault.ServerError)), plays(fails(fault.Overloaded))
		w = newWorld(guarded(2, "b", "c"), map[string]*script{"b": b, "c": c}, nil)
		w.many(t, 30)
		if n := len(b.times()) + len(c.times()); n < 30 {
			t.Errorf("asked %d times for 30 calls, and every breaker is open", n)
		}
	})
}

// A caller who leaves, who asks for what cannot be, or whom our own limits turn
// away says nothing of a model.
func TestWhatSaysNothingOfAModel(t *testing.T) {
	for name, r := range map[string]reply{
		"bad request":    fails(fault.BadRequest),
		"a refused key":  fails(fault.Auth),
		"a filter":       fails(fault.ContentFilter),
		"an overflow":    fails(fault.ContextLength),
		"our own limits": {fails: fault.RateLimited, retry: time.Hour, local: true},
		"a deadline":     {wait: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := plays(r), plays(says("yes"))
				w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
				w.many(t, 12)
				if n := len(a.times()); n != 12 {
					t.Errorf("asked %d of 12 times: it was left alone", n)
				}
			})
		})
	}
}

// An answer that is read from a recording says nothing of the model either.
func TestStoredAnswersDoNotCloseABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := reply{text: "kept", end: llm.End{Stored: &llm.Stored{By: "recording"}}}
		bad := fails(fault.ServerError)
		a, b := plays(stored, stored, stored, stored, stored, stored, bad, bad, bad, bad, bad), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 20)
		if n := len(a.times()); n != 6+4 {
			t.Errorf("asked %d times, want 10: six stored answers do not outweigh four failures", n)
		}
	})
}

// What the provider asks for keeps it shut longer than open_for.
func TestRetryAfterKeepsItShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := reply{fails: fault.Overloaded, retry: 30 * time.Second}
		a, b := plays(bad, bad, bad, bad, says("well")), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 6)
		time.Sleep(20 * time.Second)
		w.many(t, 3)
		if n := len(a.times()); n != 4 {
			t.Errorf("asked %d times within what it asked for, want 4", n)
		}
		time.Sleep(11 * time.Second)
		w.many(t, 1)
		if n := len(a.times()); n != 5 {
			t.Errorf("asked %d times, want 5: its time is over", n)
		}
	})
}

// Failures count as long as the window is.
func TestOldFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := fails(fault.ServerError)
		a, b := plays(bad, bad, bad, says("well"), says("well"), says("well"), says("well")), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 3)
		time.Sleep(quick.Window + quick.Window/windowParts + time.Millisecond)
		w.many(t, 10)
		if n := len(a.times()); n != 13 {
			t.Errorf("asked %d times, want 13", n)
		}
	})
}

// Two routes with the same figures share what they know of a model, and so do two
// readings of a file, as long as the name stands for the same model.
func TestRoutesShareABreaker(t *testing.T) {
	shared := NewBreakers(nil)
	a, moved := &Target{Provider: "p", Wire: "a-1"}, &Target{Provider: "p", Wire: "a-2"}
	one, same, other := shared.of(a, "a", quick), shared.of(&Target{Provider: "p", Wire: "a-1"}, "a", quick), shared.of(a, "a", Breaker{Window: 1, MinCalls: 1, FailureRatio: 1, OpenFor: 1})
	if one != same || one == other || one == shared.of(a, "b", quick) || one == shared.of(moved, "a", quick) {
		t.Error("a breaker is one for a model and its figures")
	}
}

// Who panics while it tries a model again does not keep everybody else from doing so.
func TestAPanicDoesNotShutAModelOutForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := fails(fault.ServerError)
		a, b := plays(bad, bad, bad, bad, says("well")), plays(says("yes"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 4)
		time.Sleep(quick.OpenFor + time.Millisecond)
		func() {
			defer func() { _ = recover() }()
			for range w.route.Stream(t.Context(), llm.Request{Model: "r", Live: true}) {
				panic("the caller")
			}
		}()
		if got := w.ask(t.Context(), llm.Request{}); got.End.Fallback {
			t.Errorf("%q: the model is still shut out", got.Text)
		}
		if target := w.targets["a"]; target.retries.calls.Load() != 0 {
			t.Errorf("%d calls are still counted", target.retries.calls.Load())
		}
	})
}

// A breaker that a turn's own failure opens lets it go to the next model at once; one
// that others open in its pause, at the end of that.
func TestABreakerOpensBetweenTwoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := plays(fails(fault.ServerError)), plays(says("yes"))
		w := newWorld(guarded(9, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		got := w.ask(t.Context(), llm.Request{})
		if got.Text != "yes" || len(a.times()) != quick.MinCalls || got.call.Attempts() != quick.MinCalls+1 || got.after != 3500*ms {
			t.Errorf("%q, %v after %v: asked %d times", got.Text, got.err, got.after, len(a.times()))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		a, b := plays(fails(fault.ServerError)), plays(says("yes"))
		w := newWorld(guarded(9, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		first := make(chan answer, 1)
		go func() { first <- w.ask(t.Context(), llm.Request{}) }()
		time.Sleep(100 * ms)
		w.many(t, 3) // the breaker opens while the first is in its second pause
		if got := <-first; got.Text != "yes" || len(a.times()) != quick.MinCalls {
			t.Errorf("%q, %v: asked %d times", got.Text, got.err, len(a.times()))
		}
	})
}

// Where the breakers of all are open, asking anew takes a place for a retry, too.
func TestAnOutageOfAllIsNotDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := plays(reply{wait: sec, fails: fault.Overloaded}), plays(reply{wait: sec, fails: fault.Overloaded})
		policy := guarded(5, "a", "b")
		policy.Retry.Budget = 0
		w := newWorld(policy, map[string]*script{"a": a, "b": b}, nil)
		done := make(chan error, 100)
		for range 100 {
			go func() { done <- w.ask(t.Context(), llm.Request{}).err }()
		}
		for range 100 {
			if err := <-done; fault.ClassOf(err) != fault.Overloaded {
				t.Errorf("got %v", err)
			}
		}
		if most := 100 + 4*leastRetries; len(a.times()) > most || len(b.times()) > most {
			t.Errorf("asked %d and %d times, want at most %d", len(a.times()), len(b.times()), most)
		}
	})
}

// An open breaker is told once a turn, and costs nothing.
func TestAnOpenBreakerIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := plays(fails(fault.ServerError)), plays(says("yes"), says("yes"), says("yes"), says("yes"), fails(fault.QuotaExhausted))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": b}, nil)
		w.many(t, 4)
		got := w.ask(t.Context(), llm.Request{})
		var classes []fault.Class
		for _, attempt := range got.call.Turns[0].Attempts {
			classes = append(classes, attempt.Failure.Class)
		}
		if diff := cmp.Diff([]fault.Class{fault.BreakerOpen, fault.QuotaExhausted, fault.ServerError}, classes); diff != "" {
			t.Error(diff)
		}
		if got.call.Paid() != llm.KnownCost(0) {
			t.Errorf("paid %v", got.call.Paid())
		}
	})
}

// What a provider asks for keeps it shut for minutes, and never for hours.
func TestRetryAfterIsBoundedForABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := reply{fails: fault.Overloaded, retry: 3 * time.Hour}
		a := plays(bad, bad, bad, bad, says("well"))
		w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": plays(says("yes"))}, nil)
		w.many(t, 4)
		time.Sleep(longestShut - time.Second)
		w.many(t, 1)
		time.Sleep(2 * time.Second)
		if got := w.ask(t.Context(), llm.Request{}); got.Text != "well" || len(a.times()) != 5 {
			t.Errorf("%q; asked %d times", got.Text, len(a.times()))
		}
	})
}

// The window rolls: failures count together that are less than its length apart. Half
// of the calls is enough, and less is not.
func TestTheWindowRolls(t *testing.T) {
	bad, good := fails(fault.ServerError), says("well")
	for name, test := range map[string]struct {
		replies []reply
		asked   int
	}{
		"all":  {[]reply{bad, bad, bad, bad, bad}, 4},
		"half": {[]reply{good, good, bad, bad, bad}, 4},
		"less": {[]reply{good, good, good, bad, bad}, 5},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := plays(test.replies...)
			w := newWorld(guarded(2, "a", "b"), map[string]*script{"a": a, "b": plays(says("yes"))}, nil)
			time.Sleep(quick.Window - 2*time.Second)
			w.many(t, 2)
			time.Sleep(4 * time.Second)
			w.many(t, 3)
			if n := len(a.times()); n != test.asked {
				t.Errorf("%s: asked %d times, want %d", name, n, test.asked)
			}
		})
	}
}

// A provider may say in the middle of its stream, where there is no status, that it is
// asked too much. That is not our own limits' word.
func TestARateLimitInAStreamIsTheProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := newWorld(guarded(1, "a", "b"), map[string]*script{"b": plays(says("yes"))}, nil)
		w.targets["a"] = &Target{Alias: "a", Cost: func(llm.Usage) llm.Cost { return llm.Cost{} }, Model: played(
			func(ctx context.Context, _ llm.Request, yield func(llm.Event, error) bool) {
				asked++
				llm.AdmissionFrom(ctx).Asked = true
				yield(llm.Event{}, fault.New(fault.RateLimited, "slow down"))
			},
		)}
		if answered := w.many(t, 12); asked != quick.MinCalls || answered != 12-quick.MinCalls {
			t.Errorf("asked %d times by 12 calls, %d answered", asked, answered)
		}
	})
}
