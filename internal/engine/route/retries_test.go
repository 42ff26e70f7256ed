package route

import (
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Half of a pause is certain and half is drawn; what a provider asked for is never
// cut short.
func TestPauses(t *testing.T) {
	policy := Retry{Base: 500 * ms, Max: 3 * sec}
	for _, test := range []struct {
		asked  time.Duration // by the provider
		tries  int
		jitter float64
		want   time.Duration
	}{
		{0, 1, 0, 250 * ms}, {0, 1, 0.5, 375 * ms}, {0, 1, 1, 500 * ms},
		{0, 3, 0, sec}, {0, 3, 1, 2 * sec},
		{0, 4, 0, 1500 * ms}, {0, 4, 1, 3 * sec}, {0, 1000, 1, 3 * sec},
		{20 * sec, 1, 0, 20 * sec}, {20 * sec, 9, 1, 22 * sec}, {ms, 9, 0, ms},
	} {
		failure := &fault.Error{Class: fault.Overloaded, RetryAfter: test.asked}
		if got := policy.pause(failure, test.tries, test.jitter); got != test.want {
			t.Errorf("asked for %v, after %d tries, drawn %v: %v, want %v", test.asked, test.tries, test.jitter, got, test.want)
		}
	}
}

// A share of the calls under way may be retries, rounded up, and three of any.
func TestPlacesForRetries(t *testing.T) {
	for _, test := range []struct {
		calls int64
		share float64
		most  int
	}{{1, 0.2, 3}, {15, 0.2, 3}, {16, 0.2, 4}, {100, 0.2, 20}, {100, 0, 3}, {100, 1, 100}} {
		var r retries
		r.calls.Store(test.calls)
		n := 0
		for r.take(test.share) {
			n++
		}
		if n != test.most {
			t.Errorf("%v of %d calls: %d places, want %d", test.share, test.calls, n, test.most)
		}
		if r.give(); !r.take(test.share) {
			t.Error("a place that was given back is not there")
		}
	}
}
