package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// A limit that is used up by what the head of an answer says is waited for, and that
// is queue time; nobody is asked in vain.
func TestALimitThatIsUsedUpIsWaitedFor(t *testing.T) {
	used := faults.Says(upstream.Reply{Text: "yes", Headers: map[string]string{"X-Ratelimit-Remaining-Requests": "0", "X-Ratelimit-Reset-Requests": "1.5s"}})
	inHouse(t, plan{policy: usual("busy")}, func(t *testing.T, h *house) {
		h.server.Set("busy", used)
		for i, want := range []time.Duration{0, 1500 * time.Millisecond, 1500 * time.Millisecond} {
			got, err := h.ask(llm.Request{Repeat: i})
			if err != nil || got.Call.Queue != want || got.Call.Total != want || got.Call.Attempts() != 1 {
				t.Errorf("call %d: %v, queued for %v of %v", i, err, got.Call.Queue, got.Call.Total)
			}
		}
	})
}

// The only place is waited for in turn, and the time in the queue is told apart from
// that of the answer.
func TestOneAtATime(t *testing.T) {
	p := plan{policy: usual("late-10s"), limits: map[string]limit.Settings{"late-10s": {Concurrency: 1}}}
	inHouse(t, p, func(t *testing.T, h *house) {
		calls := h.trickle(time.Millisecond, 7*time.Millisecond)
		for i, c := range calls {
			// The seventh cannot be answered within the minute that a call has.
			end := time.Duration(i+1) * 10 * time.Second
			if i < 6 && (c.at+c.took != end || c.by == "") || i == 6 && (c.took != total || c.by != "") {
				t.Errorf("call %d was answered by %q after %v", i, c.by, c.took)
			}
		}
		for i, a := range h.server.Attempts("") {
			if want := time.Duration(i) * 10 * time.Second; a.At != want {
				t.Errorf("attempt %d came at %v, want %v", i, a.At, want)
			}
		}
	})
}

// A call whose time was used up by waiting says so: it is not the model that is slow.
func TestATimeoutTellsOfTheQueue(t *testing.T) {
	p := plan{policy: usual("late-14s"), limits: map[string]limit.Settings{"late-14s": {Concurrency: 1}}}
	inHouse(t, p, func(t *testing.T, h *house) {
		for i, c := range h.trickle(time.Millisecond, 5*time.Millisecond) {
			if told := c.err != nil && strings.Contains(c.err.Error(), "most of which it waited for its turn"); told != (i == 4) || told && c.took != total {
				t.Errorf("call %d: %v after %v", i, c.err, c.took)
			}
		}
	})
	inHouse(t, plan{policy: usual("paced-19s")}, func(t *testing.T, h *house) {
		if _, err := h.ask(llm.Request{}); fault.ClassOf(err) != fault.TimeoutTotal || strings.Contains(err.Error(), "its turn") {
			t.Error(err)
		}
	})
}

// Who would wait beyond his deadline for our own limit goes to the fallback at once,
// and says nothing of the model's health; without a fallback he is told so at once.
func TestAWaitThatIsTooLongGoesToTheFallback(t *testing.T) {
	limits := map[string]limit.Settings{"ok": {RPM: 1}}
	inHouse(t, plan{policy: usual("ok", "ok@b"), limits: limits}, func(t *testing.T, h *house) {
		var by []string
		for i := range 30 {
			got, err := h.ask(llm.Request{Repeat: i})
			if err != nil || got.Call.Total != 0 {
				t.Errorf("call %d: %v after %v", i, err, got.Call.Total)
			}
			by = append(by, got.End.Model)
		}
		if want := slices.Repeat([]string{faults.Answered("ok@b")}, 29); by[0] != faults.Answered("ok") || !slices.Equal(by[1:], want) {
			t.Errorf("answered by %q", by)
		}
		time.Sleep(70 * time.Second) // 30 refusals of our own have opened no breaker
		if got, err := h.ask(llm.Request{Repeat: 99}); err != nil || got.End.Fallback {
			t.Errorf("after a minute: %v, answered by %s", err, got.End.Model)
		}
	})
	inHouse(t, plan{policy: usual("ok"), limits: limits}, func(t *testing.T, h *house) {
		_, _ = h.ask(llm.Request{})
		got, err := h.ask(llm.Request{Repeat: 1})
		if fault.ClassOf(err) != fault.RateLimited || fault.As(err).Status != 0 || got.Call.Total != 0 || h.server.Count("") != 1 {
			t.Errorf("%v after %v", err, got.Call.Total)
		}
	})
}

// A provider that allows less than we were told teaches us to ask less: two and a half
// callers a second, of whom it serves two, wait instead of being refused.
func TestLimitsAreLearnedFromRefusals(t *testing.T) {
	p := plan{policy: usual("tight"), limits: map[string]limit.Settings{"tight": {RPM: 600, Concurrency: 64}}}
	inHouse(t, p, func(t *testing.T, h *house) {
		refused := faults.RetryAfter(429, 2*time.Second)
		var mu sync.Mutex
		var admitted []time.Duration // of the last ten seconds
		full := func(now time.Duration) bool {
			mu.Lock()
			defer mu.Unlock()
			admitted = slices.DeleteFunc(admitted, func(at time.Duration) bool { return at < now-10*time.Second })
			if len(admitted) >= 20 { // two a second, and we believe ten
				return true
			}
			admitted = append(admitted, now)
			return false
		}
		h.server.Set("tight", func(x *faults.Exchange) {
			if full(x.Since()) {
				refused(x)
				return
			}
			faults.OK()(x)
		})
		calls := h.trickle(400*time.Millisecond, 3*time.Minute)
		lost := 0
		for _, c := range calls {
			if c.by == "" {
				lost++
			}
		}
		asked, minute := h.server.Count("tight"), time.Minute
		told := fmt.Sprintf("%d calls, %d lost; asked %d times: %d, %d and %d in a minute", len(calls), lost, asked,
			h.askedWithin("tight", 0, minute), h.askedWithin("tight", minute, 2*minute), h.askedWithin("tight", 2*minute, 3*minute))
		t.Log(told)
		if lost > len(calls)/20 || asked > len(calls)*11/10 {
			t.Error(told)
		}
	})
}
