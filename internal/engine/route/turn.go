package route

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// turn is one final request on its way through the models of a route. It belongs
// to the goroutine of its caller.
type turn struct {
	route *route
	req   llm.Request
	yield func(llm.Event, error) bool
	ctx   context.Context

	all   []*candidate
	stay  *candidate // to be asked again, before any other
	asked int        // attempts that reached a provider

	failed []llm.Failed
	last   *fault.Error
	notes  []string // why no more was tried

	// What has come and is held back, so that the attempt can still be replaced:
	// all of an answer that is wanted whole, else what comes before its first
	// content.
	held      []llm.Event
	committed bool // pieces are with the caller
	lost      bool // … of an answer that is void
	gone      bool // the caller stopped listening
}

func (r *route) newTurn(req llm.Request, yield func(llm.Event, error) bool) *turn {
	return &turn{route: r, req: req, yield: yield}
}

func (t *turn) run(ctx context.Context) {
	t.ctx = ctx
	t.all = t.candidates(t.route.policy.order(t.req))
	defer t.release()
	for {
		c := t.choose()
		if c == nil {
			break
		}
		failure := t.attempt(c)
		if failure == nil || t.gone {
			return
		}
		if !t.goesOn(c, failure) {
			break
		}
	}
	t.yield(llm.Event{}, t.failure())
}

// release gives back what the turn holds of its models.
func (t *turn) release() {
	for _, c := range t.all {
		if c.left != nil { // who asked panicked
			c.left(excluded)
		}
		if c.tries > 0 {
			c.target.retries.calls.Add(-1)
		}
		if c.retrying {
			c.target.retries.give()
		}
	}
}

// goesOn decides what comes after a failure: it marks the candidates, and reports
// whether there is anything to try.
func (t *turn) goesOn(c *candidate, failure *fault.Error) bool {
	t.stay = nil
	then := afterwards[failure.Class]
	if t.ctx.Err() != nil || !then.again && then.next == nextNone || ofBudget(failure) {
		return false
	}
	if t.committed {
		if !t.route.policy.Restart {
			t.note("pieces of the answer were with the caller")
			return false
		}
		t.lost = true
	}
	if then.next == nextLarger {
		t.keepLarger(c)
	}
	t.req.Recorded = t.req.Recorded || failure.Class == fault.Missing
	if then.again {
		t.again(c, failure)
	} else {
		c.spent = true
	}
	if t.asked >= t.route.policy.Retry.MaxAttempts {
		return false
	}
	return slices.ContainsFunc(t.all, func(c *candidate) bool { return !c.spent })
}

// keepLarger leaves only models of which it is known that more fits into them.
func (t *turn) keepLarger(than *candidate) {
	for _, c := range t.all {
		if than.target.Context == 0 || c.target.Context <= than.target.Context {
			c.spent = true
		}
	}
}

// again plans the next attempt at the same model, if there may be one.
func (t *turn) again(c *candidate, failure *fault.Error) {
	policy := &t.route.policy.Retry
	pause := policy.pause(failure, c.tries, t.route.Jitter())
	c.ready = time.Now().Add(pause)
	if deadline, ok := t.ctx.Deadline(); ok && !c.ready.Before(deadline) {
		c.spent = true
		if failure.Class != fault.RateLimited || failure.Status != 0 { // our own limits say it themselves
			t.note("%s could be asked again in %v, after the deadline", c.target.Alias, pause.Round(time.Millisecond))
		}
		return
	}
	untried := t.others(c, func(o *candidate) bool { return o.tries == 0 })
	if t.lastAttempt() && untried {
		return // the last attempt is for one that was not tried
	}
	others := t.others(c, func(*candidate) bool { return true })
	if pause > policy.Max && others {
		return // another one answers sooner
	}
	// Who was told when his turn comes, and comes then, doubles no outage.
	if failure.RetryAfter == 0 || failure.Class != fault.RateLimited {
		if !c.target.retries.take(policy.Budget) {
			c.spent = true
			t.note("too many calls are asking %s once more already", c.target.Alias)
			return
		}
		c.retrying = true
	}
	if c.breaker.open() && others {
		return // the next one at once; this one is asked again where that is left alone, too
	}
	t.stay = c
}

func (t *turn) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// sleep waits, and gives the reason if the context ends before.
func (t *turn) sleep(wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
}

// failure is the last error, with what was tried before it.
func (t *turn) failure() *fault.Error {
	if ended := fault.Ended(t.ctx, t.cause()); ended != nil {
		return t.told(ended)
	}
	if t.last == nil {
		return fault.New(fault.Internal, "the route %q has no model to ask", t.req.Model)
	}
	return t.told(t.last)
}

func (t *turn) cause() error {
	if t.last == nil {
		return nil
	}
	return t.last
}

// told adds to an error what was tried, and why no more was.
func (t *turn) told(e *fault.Error) *fault.Error {
	said := t.notes
	if len(t.failed) > 1 {
		said = append([]string{llm.Tried(t.failed)}, said...)
	}
	if len(said) == 0 {
		return e
	}
	told := *e
	told.Message += "; " + strings.Join(said, "; ")
	return &told
}
