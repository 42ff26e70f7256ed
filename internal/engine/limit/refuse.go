package limit

import (
	"fmt"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// hopeless refuses a waiter that will certainly not be admitted before its
// deadline, with so many waiting before it. Certain is what time alone decides: a
// pause, and the inflow of what is used up. What attempts under way may free (a
// place, or tokens that they turn out not to need) and what those before it will
// use is not known.
func (l *Limiter) hopeless(now time.Duration, w *waiter, ahead int) *fault.Error {
	if w.deadline == never {
		return nil
	}
	left := w.deadline - now
	if wait := l.paused - now; wait > left {
		return l.tooLate(wait, "its provider said that its limit is used up")
	}
	if l.requests != nil {
		if wait := l.pace.until(l.requests.after(float64(1 + ahead))); wait > left {
			return l.tooLate(wait, fmt.Sprintf("its limit is %d requests per minute", l.set.RPM)).
				WithHint("raise limits.rpm of the model or timeout.total of the route in llmx.yaml, or ask for less at once")
		}
	}
	if l.tokens != nil {
		if wait := l.pace.until(l.tokens.after(l.tokens.fit(w.tokens) - l.held)); wait > left {
			return l.tooLate(wait, fmt.Sprintf("its limit is %d tokens per minute, and this request may use %.0f", l.set.TPM, w.tokens)).
				WithHint("raise limits.tpm of the model or timeout.total of the route in llmx.yaml, or set a lower max_tokens")
		}
	}
	return nil
}

func (l *Limiter) tooLate(wait time.Duration, why string) *fault.Error {
	const tenth = 100 * time.Millisecond
	shown := max(wait.Round(tenth), tenth)
	e := fault.New(fault.RateLimited, "model %q can be asked in %v at the earliest, which is after the deadline: %s", l.set.Name, shown, why)
	e.RetryAfter = wait
	return e
}
