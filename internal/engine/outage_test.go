package engine_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

const openFor = 5 * time.Second

// served is what came of one call of a trickle.
type served struct {
	err      error
	at       time.Duration // since the trickle began
	took     time.Duration
	by       string // who answered, "" for a failure
	attempts int    // in which somebody was asked
}

// trickle asks once every so often for so long, each call on its own, and gives what
// came of them in the order in which they were asked.
func (h *house) trickle(every, long time.Duration) []served {
	calls := make([]served, long/every)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range calls {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * every)))
		all.Go(func() {
			asked := llm.Request{Model: "r", Messages: []llm.Message{llm.Text(llm.User, fmt.Sprint("call ", i))}}
			c := served{at: time.Since(begin)}
			got, err := llm.Collect(h.engine.Stream(h.t.Context(), asked))
			c.took, c.attempts, c.err = time.Since(begin)-c.at, got.Call.Attempts(), err
			if err == nil {
				c.by = got.End.Model
				if got.Text != faults.Answer(asked.Messages) {
					h.t.Errorf("call %d got %q", i, got.Text)
				}
			}
			calls[i] = c
		})
	}
	all.Wait()
	return calls
}

// askedWithin counts a model's attempts in a span of the server's time.
func (h *house) askedWithin(model string, from, to time.Duration) (n int) {
	for _, a := range h.server.Attempts(model) {
		if a.At >= from && a.At < to {
			n++
		}
	}
	return n
}

// Down for a minute, then healthy, one caller a second. The breaker lets single
// calls look whether it is back, the fallback serves everybody, and with the first
// that is answered the model is in use again.
func TestDownForAMinuteWithAFallback(t *testing.T) {
	const down = time.Minute
	inHouse(t, plan{policy: usual("down-1m", "ok")}, func(t *testing.T, h *house) {
		calls := h.trickle(time.Second, 2*time.Minute)
		var back time.Duration
		for i, c := range calls {
			byFirst := c.by == faults.Answered("down-1m")
			switch {
			case c.by == "":
				t.Errorf("the call at %v was not served", c.at)
			case byFirst && back == 0:
				back = c.at
			case !byFirst && back != 0:
				t.Errorf("the call at %v was served by %s, though the model was back at %v", c.at, c.by, back)
			}
			if c.took > 500*time.Millisecond || i > 20 && c.attempts > 2 {
				t.Errorf("the call at %v took %v and %d attempts", c.at, c.took, c.attempts)
			}
		}
		if back < down || back > down+openFor {
			t.Errorf("the model is back in use at %v, want within %v of %v", back, openFor, down)
		}
		// Two attempts of each call, until twenty have failed within ten seconds; then one
		// of the next caller whenever five seconds are over.
		early, late := h.askedWithin("down-1m", 0, 10*time.Second), h.askedWithin("down-1m", 10*time.Second, down)
		if most := int((down - 10*time.Second) / openFor); early != 20 || late > most || late < most-2 {
			t.Errorf("while it was down it was asked %d times until it was left alone, and %d times then", early, late)
		}
		if n := h.server.Count("ok"); n != int(back/time.Second) {
			t.Errorf("the fallback was asked %d times, and served for %v", n, back)
		}
	})
}

// Without another the model is never shut out: every call asks it, and the first one
// after its recovery is answered.
func TestDownForAMinuteAlone(t *testing.T) {
	inHouse(t, plan{policy: usual("down-1m")}, func(t *testing.T, h *house) {
		for _, c := range h.trickle(time.Second, 2*time.Minute) {
			// The last attempt of a call is a second and a half after its first.
			up := c.at+1500*time.Millisecond >= time.Minute
			if (c.by != "") != up || c.attempts == 0 {
				t.Errorf("the call at %v was answered by %q after %d attempts", c.at, c.by, c.attempts)
			}
		}
		if n := h.askedWithin("down-1m", 0, time.Minute); n != 3*60-1 {
			t.Errorf("asked %d times while it was down", n)
		}
	})
}

// However many come while it is looked whether a model is back, one call does so.
func TestSingleCallsLookWhetherItIsBack(t *testing.T) {
	inHouse(t, plan{policy: usual("down", "ok")}, func(t *testing.T, h *house) {
		const fails = time.Second // a failure takes so long
		h.server.Set("down", faults.Until(time.Minute, faults.After(fails, faults.Refuse(503)), faults.OK()))
		for _, c := range h.trickle(100*time.Millisecond, time.Minute) {
			if c.by != faults.Answered("ok") {
				t.Errorf("the call at %v was answered by %q", c.at, c.by)
			}
		}
		if n := h.askedWithin("down", 10*time.Second, time.Minute); n < 7 || n > int(50*time.Second/(openFor+fails)) {
			t.Errorf("asked %d times in the last 50 seconds", n)
		}
	})
}

// A provider that asks for more time than open_for gets it.
func TestRetryAfterIsKeptOverAnOutage(t *testing.T) {
	inHouse(t, plan{policy: usual("busy", "ok")}, func(t *testing.T, h *house) {
		h.server.Set("busy", faults.Until(time.Minute, faults.RetryAfter(503, 20*time.Second), faults.OK()))
		calls := h.trickle(250*time.Millisecond, 2*time.Minute)
		for _, c := range calls {
			if c.by == "" || c.took > 0 {
				t.Errorf("the call at %v was answered by %q after %v", c.at, c.by, c.took)
			}
		}
		if first, n := h.server.Attempts("busy")[0].At, h.askedWithin("busy", 0, time.Minute); first != 0 || n != 20+2 {
			t.Errorf("asked %d times from %v on, want 20 times and then every 20 s", n, first)
		}
		if n := h.askedWithin("busy", 70*time.Second, 2*time.Minute); n != 4*50 {
			t.Errorf("asked %d times when it was back", n)
		}
	})
}

// What flaps is used while it is up, and left alone while it is down.
func TestAFlappingProviderIsBackWithinOpenFor(t *testing.T) {
	const half, rounds, every = 30 * time.Second, 4, 200 * time.Millisecond
	inHouse(t, plan{policy: usual("flaps-30s", "ok")}, func(t *testing.T, h *house) {
		calls := h.trickle(every, 2*half*rounds)
		asked := map[bool]int{}
		for _, a := range h.server.Attempts("flaps-30s") {
			asked[a.At%(2*half) < half]++
		}
		for _, c := range calls {
			phase := c.at % (2 * half)
			back := phase >= half+openFor+every
			if c.by == "" || back && c.by != faults.Answered("flaps-30s") || c.took > 500*time.Millisecond {
				t.Errorf("the call at %v was answered by %q after %v", c.at, c.by, c.took)
			}
		}
		// A few seconds of a phase pass until it is known to be down, of six calls and more each.
		most := rounds * (5*6 + 50 + int(half/openFor))
		if asked[true] > most || asked[false] < rounds*int((half-openFor)/every) {
			t.Errorf("asked %d times while it was down, %d times while it was up", asked[true], asked[false])
		}
		t.Logf("asked %d times while it was down (%d calls), %d times while it was up", asked[true], len(calls)/2, asked[false])
	})
}

// One failure in three is not an outage: nobody is shut out, and every call is
// answered by the model itself.
func TestOneFailureInThreeIsNoOutage(t *testing.T) {
	inHouse(t, plan{policy: usual("flap-3", "ok")}, func(t *testing.T, h *house) {
		for _, c := range h.trickle(time.Second, 2*time.Minute) {
			if c.by != faults.Answered("flap-3") || c.took > 500*time.Millisecond {
				t.Errorf("the call at %v was answered by %q after %v", c.at, c.by, c.took)
			}
		}
		if n := h.server.Count("ok"); n != 0 {
			t.Errorf("the fallback was asked %d times", n)
		}
	})
}

// A hundred callers who meet an outage at once add a fifth to it at most, not two
// hundred attempts more (who gives up before the others have failed makes it less);
// and a fallback serves those who may not try again.
func TestAnOutageIsNotDoubled(t *testing.T) {
	const callers = 100
	crowd := func(h *house) (answered int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for i := range callers {
			all.Go(func() {
				got, err := llm.Collect(h.engine.Stream(h.t.Context(), llm.Request{Model: "r", Messages: question, Repeat: i}))
				mu.Lock()
				defer mu.Unlock()
				if err == nil && got.Text == faults.Answer(question) {
					answered++
				} else if fault.ClassOf(err) != fault.Overloaded {
					h.t.Errorf("%v", err)
				}
			})
		}
		all.Wait()
		return answered
	}
	shy := func(use ...string) route.Policy { // without breakers: they would end it sooner
		policy := usual(use...)
		policy.Breaker = route.Breaker{}
		return policy
	}
	inHouse(t, plan{policy: shy("503")}, func(t *testing.T, h *house) {
		if n := crowd(h); n != 0 {
			t.Errorf("%d answered", n)
		}
		first, second := h.askedWithin("503", 0, 1), h.askedWithin("503", 500*time.Millisecond, 501*time.Millisecond)
		third := h.server.Count("503") - first - second
		if first != callers || second < 3 || second > callers/5 || third < 3 || third > callers/5/5 {
			t.Errorf("asked %d, %d and %d times", first, second, third)
		}
	})
	inHouse(t, plan{policy: shy("503", "ok")}, func(t *testing.T, h *house) {
		n, asked := crowd(h), h.server.Count("503")
		if n != callers || asked < callers+3 || asked > callers+callers/5 || h.server.Count("ok") != callers {
			t.Errorf("%d answered; asked %d and %d times", n, asked, h.server.Count("ok"))
		}
	})
}
