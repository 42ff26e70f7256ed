package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// For every failure: what the caller gets and when, and how often and when each
// model is asked. Pauses are the longest that jitter allows.
func TestAfterEveryFailure(t *testing.T) {
	for name, test := range map[string]struct {
		use      []string
		attempts int // 0: 3
		replies  map[string][]reply
		contexts map[string]int
		text     string      // the answer, "" for none
		class    fault.Class // of the failure
		after    time.Duration
		asked    map[string][]time.Duration
		says     string // in the error
	}{
		"an answer": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {says("yes")}, "b": {says("no")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}},
		},
		"once overloaded": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Overloaded), says("yes")}, "b": {says("no")}},
			text: "yes", after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}},
		},
		"for ever, and nobody else": {
			use: []string{"a"}, replies: map[string][]reply{"a": {fails(fault.ServerError)}},
			class: fault.ServerError, after: 1500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms, 1500 * ms}}, says: "it is server_error; 3 attempts",
		},
		"for ever: the last attempt is for the one that was not tried": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Network)}, "b": {says("yes")}},
			text: "yes", after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}, "b": {500 * ms}},
		},
		"all fail": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Overloaded), fails(fault.Network)}, "b": {fails(fault.Malformed)}},
			class: fault.Malformed, after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}, "b": {500 * ms}},
			says: "tried a (overloaded, network), b (malformed)",
		},
		"pauses double up to the longest": {
			use: []string{"a"}, attempts: 7, replies: map[string][]reply{"a": {fails(fault.Cut)}}, class: fault.Cut,
			after: 23500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms, 1500 * ms, 3500 * ms, 7500 * ms, 15500 * ms, 23500 * ms}},
		},
		"a silent model is not asked twice": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {{wait: 15 * sec, fails: fault.TimeoutFirstToken}}, "b": {says("yes")}},
			text: "yes", after: 15 * sec, asked: map[string][]time.Duration{"a": {0}, "b": {15 * sec}},
		},
		"a silent model alone": {
			use: []string{"a"}, replies: map[string][]reply{"a": {{wait: 5 * sec, fails: fault.TimeoutConnect}}},
			class: fault.TimeoutConnect, after: 5 * sec, asked: map[string][]time.Duration{"a": {0}},
		},
		"idle in an answer that nobody has seen": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {{text: "half ", fails: fault.TimeoutIdle}}, "b": {says("yes")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}, "b": {0}},
		},
		"cut in an answer that nobody has seen": {
			use: []string{"a"}, replies: map[string][]reply{"a": {{text: "half ", fails: fault.Cut}, says("whole")}},
			text: "whole", after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}},
		},
		"what the provider asks for is waited": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 2 * sec}, says("yes")}, "b": {says("no")}},
			text: "yes", after: 2200 * ms, asked: map[string][]time.Duration{"a": {0, 2200 * ms}},
		},
		"a long wait, and somebody else": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 30 * sec}}, "b": {says("yes")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}, "b": {0}},
		},
		"a long wait, and nobody else": {
			use: []string{"a"}, replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 30 * sec}, says("yes")}},
			text: "yes", after: 33 * sec, asked: map[string][]time.Duration{"a": {0, 33 * sec}},
		},
		"a long wait, somebody else who fails, and back": {
			use: []string{"a", "b"}, attempts: 5,
			replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 20 * sec}, says("yes")}, "b": {fails(fault.QuotaExhausted)}},
			text:    "yes", after: 22 * sec, asked: map[string][]time.Duration{"a": {0, 22 * sec}, "b": {0}},
		},
		"a short wait, then a long one: somebody else after all": {
			use: []string{"a", "b"}, attempts: 4,
			replies: map[string][]reply{"a": {fails(fault.Overloaded), {fails: fault.RateLimited, retry: 30 * sec}}, "b": {says("yes")}},
			text:    "yes", after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}, "b": {500 * ms}},
		},
		"two long waits: the shorter one": {
			use: []string{"a", "b"}, attempts: 4,
			replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 30 * sec}}, "b": {{fails: fault.RateLimited, retry: 20 * sec}, says("yes")}},
			text:    "yes", after: 22 * sec, asked: map[string][]time.Duration{"a": {0}, "b": {0, 22 * sec}},
		},
		"a wait beyond the deadline is not begun": {
			use: []string{"a"}, replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 2 * time.Minute}}},
			class: fault.RateLimited, asked: map[string][]time.Duration{"a": {0}}, says: "after the deadline",
		},
		"quota: the next, and never again": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.QuotaExhausted)}, "b": {fails(fault.Overloaded), says("yes")}},
			text: "yes", after: 500 * ms, asked: map[string][]time.Duration{"a": {0}, "b": {0, 500 * ms}},
		},
		"a refused key is nobody else's to mend": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Auth)}, "b": {says("no")}},
			class: fault.Auth, asked: map[string][]time.Duration{"a": {0}},
		},
		"not found":   {use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.NotFound)}, "b": {says("no")}}, class: fault.NotFound, asked: map[string][]time.Duration{"a": {0}}},
		"bad request": {use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.BadRequest)}, "b": {says("no")}}, class: fault.BadRequest, asked: map[string][]time.Duration{"a": {0}}},
		"filtered":    {use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.ContentFilter)}, "b": {says("no")}}, class: fault.ContentFilter, asked: map[string][]time.Duration{"a": {0}}},
		"a budget":    {use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Budget)}, "b": {says("no")}}, class: fault.Budget, asked: map[string][]time.Duration{"a": {0}}},
		"a fallback that refuses what the first would take": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Overloaded)}, "b": {fails(fault.BadRequest)}},
			class: fault.BadRequest, after: 500 * ms, asked: map[string][]time.Duration{"a": {0, 500 * ms}, "b": {500 * ms}}, says: "tried a (2 × overloaded), b (bad_request)",
		},
		"overflow goes to a larger context alone": {
			use: []string{"a", "same", "unknown", "larger"}, contexts: map[string]int{"a": 8000, "same": 8000, "larger": 128000},
			replies: map[string][]reply{"a": {fails(fault.ContextLength)}, "same": {says("no")}, "unknown": {says("no")}, "larger": {says("yes")}},
			text:    "yes", asked: map[string][]time.Duration{"a": {0}, "larger": {0}},
		},
		"overflow where nobody knows the size": {
			use: []string{"a", "larger"}, contexts: map[string]int{"larger": 128000},
			replies: map[string][]reply{"a": {fails(fault.ContextLength)}, "larger": {says("no")}},
			class:   fault.ContextLength, asked: map[string][]time.Duration{"a": {0}},
		},
		"one attempt is one": {
			use: []string{"a", "b"}, attempts: 1, replies: map[string][]reply{"a": {fails(fault.Overloaded)}, "b": {says("no")}},
			class: fault.Overloaded, asked: map[string][]time.Duration{"a": {0}},
		},
		"a place of our own that comes too late: the next": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {{fails: fault.RateLimited, retry: 2 * time.Minute, local: true}}, "b": {says("yes")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}, "b": {0}},
		},
		"no recorded reply of the first, one of the second": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Missing)}, "b": {says("yes")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}, "b": {0}},
		},
		"who has no recorded reply was not asked": {
			use: []string{"a", "b"}, attempts: 1, replies: map[string][]reply{"a": {fails(fault.Missing)}, "b": {says("yes")}},
			text: "yes", asked: map[string][]time.Duration{"a": {0}, "b": {0}},
		},
		"a failure of no class of ours ends it": {
			use: []string{"a", "b"}, replies: map[string][]reply{"a": {fails(fault.Internal)}, "b": {says("no")}},
			class: fault.Internal, asked: map[string][]time.Duration{"a": {0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := usual(test.use...)
				if test.attempts > 0 {
					policy.Retry.MaxAttempts = test.attempts
				}
				models := map[string]*script{}
				for alias, replies := range test.replies {
					models[alias] = plays(replies...)
				}
				got := newWorld(policy, models, test.contexts).ask(t.Context(), llm.Request{})
				if got.Text != test.text || (got.err == nil) != (test.class == "") || got.err != nil && fault.ClassOf(got.err) != test.class {
					t.Errorf("got %q, %v; want %q, %s", got.Text, got.err, test.text, test.class)
				}
				if got.after != test.after {
					t.Errorf("after %v, want %v", got.after, test.after)
				}
				if test.says != "" && (got.err == nil || !strings.Contains(got.err.Error(), test.says)) {
					t.Errorf("%v does not say %q", got.err, test.says)
				}
				if len(got.End.Failed) == 0 && len(got.call.Turns[0].Attempts) == 1 && got.err != nil && strings.Contains(got.err.Error(), "attempt") {
					t.Errorf("%v counts one attempt", got.err)
				}
				total := 0
				for alias, model := range models {
					if diff := cmp.Diff(test.asked[alias], model.times()); diff != "" && len(test.asked[alias])+len(model.times()) > 0 {
						t.Errorf("%s was asked at other times: %s", alias, diff)
					}
					total += len(model.times())
				}
				if n := len(got.call.Turns[0].Attempts); n != total {
					t.Errorf("%d attempts are recorded, want %d", n, total)
				}
			})
		})
	}
}

// What was tried stands in the answer and in the record, with the model that
// answered and its usage.
func TestAFallbackIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(usual("a", "b"), map[string]*script{
			"a": plays(fails(fault.Overloaded)),
			"b": plays(reply{text: "yes", end: llm.End{Model: "b-2026", ResponseID: "r", Usage: llm.Usage{Input: 3, Output: 7}}}),
		}, nil)
		got := w.ask(t.Context(), llm.Request{})
		failed := llm.Failed{Model: "a", Class: fault.Overloaded, Message: "it is overloaded"}
		if diff := cmp.Diff([]llm.Failed{failed, failed}, got.End.Failed); diff != "" || !got.End.Fallback || got.End.Model != "b-2026" {
			t.Errorf("the end says %+v: %s", got.End, diff)
		}
		attempts := got.call.Turns[0].Attempts
		last := attempts[2]
		if last.Model != "b" || last.Wire != "wire-b" || last.Answered != "b-2026" || last.Usage.Output != 7 || last.Cost != llm.KnownCost(7) || last.Failure != nil {
			t.Errorf("the last attempt: %+v", last)
		}
		if first := attempts[0]; first.Failure == nil || first.Failure.Class != fault.Overloaded || first.Paid != llm.KnownCost(0) || first.Unasked {
			t.Errorf("the first attempt: %+v", first)
		}
		plain := newWorld(usual("a", "b"), map[string]*script{"a": plays(says("yes")), "b": plays(says("no"))}, nil).ask(t.Context(), llm.Request{})
		if plain.End.Fallback || plain.End.Failed != nil {
			t.Errorf("nothing failed: %+v", plain.End)
		}
	})
}

// Pieces reach a live caller as they come. Before the first content nothing does,
// so that all can be tried again; after it nothing is taken back silently.
func TestLiveAnswers(t *testing.T) {
	half := reply{text: "one two ", fails: fault.Cut}
	for name, test := range map[string]struct {
		a, b    []reply
		restart bool
		heard   []string
		class   fault.Class
		asked   [2]int
	}{
		"as they come":                         {[]reply{says("one two")}, []reply{says("no")}, false, []string{"one ", "two"}, "", [2]int{1, 0}},
		"reasoning before the content":         {[]reply{{think: "hm", text: "one"}}, []reply{says("no")}, false, []string{"hm", "one"}, "", [2]int{1, 0}},
		"lost before the content":              {[]reply{{think: "hm", fails: fault.Cut}, says("one")}, []reply{says("no")}, false, []string{"one"}, "", [2]int{2, 0}},
		"silent before the content":            {[]reply{{think: "hm", fails: fault.TimeoutIdle}}, []reply{says("one")}, false, []string{"one"}, "", [2]int{1, 1}},
		"lost after it":                        {[]reply{half}, []reply{says("no")}, false, []string{"one ", "two "}, fault.Cut, [2]int{1, 0}},
		"lost after it, and declared anew":     {[]reply{half, says("one two three")}, []reply{says("no")}, true, []string{"one ", "two ", "<a: cut>", "one ", "two ", "three"}, "", [2]int{2, 0}},
		"declared by the one who answers":      {[]reply{half, half}, []reply{says("three")}, true, []string{"one ", "two ", "<a: cut>", "one ", "two ", "<b: cut>", "three"}, "", [2]int{2, 1}},
		"nothing is declared where none comes": {[]reply{half, {think: "hm", fails: fault.Cut}}, []reply{fails(fault.Auth)}, true, []string{"one ", "two "}, fault.Auth, [2]int{2, 1}},
		"silent after it, and declared anew":   {[]reply{{text: "one ", fails: fault.TimeoutIdle}}, []reply{says("two")}, true, []string{"one ", "<b: timeout_idle>", "two"}, "", [2]int{1, 1}},
		"filtered after it":                    {[]reply{{text: "one ", fails: fault.ContentFilter}}, []reply{says("two")}, true, []string{"one "}, fault.ContentFilter, [2]int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := usual("a", "b")
				policy.Restart = test.restart
				a, b := plays(test.a...), plays(test.b...)
				got := newWorld(policy, map[string]*script{"a": a, "b": b}, nil).ask(t.Context(), llm.Request{Live: true})
				if diff := cmp.Diff(test.heard, got.heard); diff != "" {
					t.Error(diff)
				}
				if (got.err == nil) != (test.class == "") || got.err != nil && fault.ClassOf(got.err) != test.class {
					t.Errorf("ended with %v, want %q", got.err, test.class)
				}
				if (got.End.Finish != "") != (test.class == "") {
					t.Errorf("the end is %+v: an answer that failed has none", got.End)
				}
				if n := [2]int{len(a.times()), len(b.times())}; n != test.asked {
					t.Errorf("asked %v, want %v", n, test.asked)
				}
			})
		})
	}
}

// What had come of an answer that was held back stands in the record.
func TestTheRecordKeepsWhatHadCome(t *testing.T) {
	got := newWorld(usual("a"), map[string]*script{"a": plays(reply{text: "half of it ", fails: fault.ContentFilter})}, nil).ask(t.Context(), llm.Request{})
	if got.Text != "" || got.call.Turns[0].Answer != "half of it " {
		t.Errorf("the caller got %q, the record says %q", got.Text, got.call.Turns[0].Answer)
	}
}

// One deadline spans pauses and attempts; what it cuts off is told.
func TestTheDeadlineSpansAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := usual("a", "b")
		policy.Total, policy.Retry.MaxAttempts = 10*sec, 9
		a, b := plays(reply{wait: 4 * sec, fails: fault.Overloaded}), plays(reply{wait: time.Hour})
		got := newWorld(policy, map[string]*script{"a": a, "b": b}, nil).ask(t.Context(), llm.Request{})
		if fault.ClassOf(got.err) != fault.TimeoutTotal || got.after != 10*sec || !strings.Contains(got.err.Error(), "3 attempts: 2 × overloaded, timeout_total") {
			t.Errorf("%v after %v", got.err, got.after)
		}
		if want := []time.Duration{0, 4500 * ms, 9500 * ms}; !slices.Equal(a.times(), want) || len(b.times()) > 0 {
			t.Errorf("asked at %v and %v, want %v", a.times(), b.times(), want)
		}
	})
}

// A hundred callers who meet an outage do not ask three hundred times.
func TestAnOutageIsNotDoubled(t *testing.T) {
	for _, test := range []struct {
		share float64
		after time.Duration // that all are told to come back after: an outage has no turns
		most  int
	}{{0, 0, 100 + 2*3}, {0.2, 0, 100 + 2*20}, {0.2, sec, 100 + 2*20}, {1, 0, 300}} {
		share, most := test.share, test.most
		synctest.Test(t, func(t *testing.T) {
			policy := usual("a")
			policy.Retry.Budget = share
			a := plays(reply{wait: sec, fails: fault.Overloaded, retry: test.after})
			w := newWorld(policy, map[string]*script{"a": a}, nil)
			refused := make(chan error, 100)
			for range 100 {
				go func() { refused <- w.ask(t.Context(), llm.Request{}).err }()
			}
			told := 0
			for range 100 {
				err := <-refused
				if fault.ClassOf(err) != fault.Overloaded {
					t.Errorf("got %v", err)
				}
				if strings.Contains(fmt.Sprint(err), "too many calls are asking a once more already") {
					told++
				}
			}
			asked := len(a.times())
			if asked > most || asked < 100+(most-100)/2 || share < 1 && told < 50 {
				t.Errorf("a share of %v: asked %d times, want at most %d; %d were told why", share, asked, most, told)
			}
		})
	}
}

// Whoever comes back when the provider asked for it takes nobody's place.
func TestDatedRetriesAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := usual("a")
		policy.Retry.Budget = 0
		replies := make([]reply, 50)
		for i := range replies {
			replies[i] = reply{wait: sec, fails: fault.RateLimited, retry: sec}
		}
		w := newWorld(policy, map[string]*script{"a": plays(append(replies, says("yes"))...)}, nil)
		done := make(chan error, 50)
		for range 50 {
			go func() { done <- w.ask(t.Context(), llm.Request{}).err }()
		}
		for range 50 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// Places for retries are given back, whatever becomes of the turn.
func TestPlacesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, model := range map[string]*script{
			"it fails for ever": plays(fails(fault.Overloaded)),
			"it fails once":     plays(fails(fault.Overloaded), says("yes")),
		} {
			target := &Target{Alias: "a", Model: model, Cost: func(llm.Usage) llm.Cost { return llm.Cost{} }}
			model := New(Options{Targets: map[string]*Target{"a": target}, Policies: map[string]Policy{"a": usual("a")}, Now: time.Now})
			for range model.Stream(t.Context(), llm.Request{Model: "a"}) {
			}
			if target.retries.calls.Load() != 0 || target.retries.retrying.Load() != 0 {
				t.Errorf("%s: %d calls, %d retries are still counted", name, target.retries.calls.Load(), target.retries.retrying.Load())
			}
		}
	})
}

func TestAnUnknownNameIsRefusedWithTheNearest(t *testing.T) {
	model := New(Options{Policies: map[string]Policy{"small": {}}})
	_, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "smal"}))
	want := "no model or route is called \"smal\"\n  did you mean \"small\"? allowed: small"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
