package route

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// candidate is a model that a turn may ask, and how it has done in it.
type candidate struct {
	target  *Target
	breaker *breaker

	tries    int
	spent    bool      // not to be asked in this turn any more
	ready    time.Time // not to be asked before; zero for at once
	retrying bool      // holds a place for a retry
	blocked  bool      // its breaker does not let this choice through
	told     bool      // the record says that its breaker is open

	left func(failure *fault.Error) // what the breaker wants to hear of the attempt that is under way
}

func (t *turn) candidates(order []string) []*candidate {
	list := make([]*candidate, 0, len(order))
	for _, alias := range order {
		if target := t.route.Targets[alias]; target != nil {
			list = append(list, &candidate{target: target, breaker: t.route.breakers[alias]})
		}
	}
	return list
}

// choose gives the model to ask next, once it may be asked; nil where none is left.
//
// The one to stay with comes first, then the order; who has to wait comes after
// who has not. Where the breakers of all that are left are open, the first is
// asked all the same: the last usable model is never shut out.
func (t *turn) choose() *candidate {
	for _, c := range t.all {
		c.blocked = false
	}
	for t.asked < t.route.policy.Retry.MaxAttempts {
		c := t.preferred()
		if c == nil {
			return t.shutOut()
		}
		if wait := time.Until(c.ready); wait > 0 {
			if t.sleep(wait) != nil {
				return nil
			}
			continue
		}
		if left, ok := c.breaker.enter(); ok {
			c.left = left
			return c
		}
		c.blocked = true
		t.recordBlocked(c)
	}
	return nil
}

// preferred is the best of those that their breaker has not refused.
func (t *turn) preferred() *candidate {
	if t.lastAttempt() {
		if c := t.first(func(c *candidate) bool { return c.tries == 0 }); c != nil {
			return c
		}
	}
	if t.stay != nil && !t.stay.spent && !t.stay.blocked {
		return t.stay
	}
	if c := t.first(func(c *candidate) bool { return time.Until(c.ready) <= 0 }); c != nil {
		return c
	}
	var soonest *candidate
	for _, c := range t.all {
		if !c.spent && !c.blocked && (soonest == nil || c.ready.Before(soonest.ready)) {
			soonest = c
		}
	}
	return soonest
}

// first finds the first open candidate that is as asked for.
func (t *turn) first(is func(*candidate) bool) *candidate {
	for _, c := range t.all {
		if !c.spent && !c.blocked && is(c) {
			return c
		}
	}
	return nil
}

// shutOut gives the first of those whose breakers are open, if only such are left.
func (t *turn) shutOut() *candidate {
	for _, c := range t.all {
		if !c.spent {
			c.left = func(*fault.Error) {}
			return c
		}
	}
	return nil
}

// lastAttempt reports whether one attempt is left.
func (t *turn) lastAttempt() bool { return t.asked == t.route.policy.Retry.MaxAttempts-1 }

// others reports whether another model than c is left.
func (t *turn) others(c *candidate, is func(*candidate) bool) bool {
	for _, other := range t.all {
		if other != c && !other.spent && is(other) {
			return true
		}
	}
	return false
}
