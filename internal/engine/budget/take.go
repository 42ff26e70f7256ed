package budget

import (
	"container/list"
	"context"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// hold is an estimate that was taken out of accounts for one attempt.
type hold struct {
	accounts []*account
	amount   llm.Money
}

// take holds an amount in every account that the request belongs to, in all or in
// none. Where it is not there it waits, behind those who came before, until an
// attempt of this process or of another one has ended; it refuses when that
// cannot help any more.
func (b *Book) take(ctx context.Context, alias string, req *llm.Request, amount llm.Money) (hold, error) {
	if err := fault.Ended(ctx, nil); err != nil {
		return hold{}, err
	}
	// Before the lock is taken: who allocates may have to help the garbage collector,
	// and all others would wait for that.
	found, now, own := make([]*account, 0, len(b.budgets)+1), b.o.Now(), b.own(req)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return hold{}, closed()
	}
	h := hold{b.accountsOf(found, now, req, alias, own), amount}
	if len(h.accounts) == 0 {
		b.mu.Unlock()
		return h, nil
	}
	if a := h.hopeless(false); a != nil {
		defer b.mu.Unlock()
		return hold{}, until(refusal(a, amount), a, amount, now)
	}
	if h.fits() {
		b.hold(h)
		b.mu.Unlock()
		return h, nil
	}
	if b.hangs(time.Now()) {
		defer b.mu.Unlock()
		alone := &waiter{hold: h, done: make(chan struct{})}
		b.serveAlone(alone, fault.New(fault.Store, "the ledger of the budgets does not answer"))
		return alone.outcome()
	}
	w := b.enqueue(h)
	b.mu.Unlock()
	return b.wait(ctx, w)
}

// hopeless finds an account in which the amount will never be there: what is spent
// is never freed. What belongs to processes that have ended may be known from
// long ago; it counts only when the ledger was just read.
func (h hold) hopeless(fresh bool) *account {
	for _, a := range h.accounts {
		gone := a.state.Spent + a.unsettled
		if fresh {
			gone = a.gone()
		}
		if gone+h.amount > a.budget.Limit {
			return a
		}
	}
	return nil
}

// fits reports whether the amount is there, besides what others wait for.
func (h hold) fits() bool {
	for _, a := range h.accounts {
		if a.free()-a.claimed < h.amount {
			return false
		}
	}
	return true
}

func (b *Book) hold(h hold) {
	b.underway++
	for _, a := range h.accounts {
		if a.hold(h.amount) && !b.urgent {
			b.urgent = true
			b.nudge()
		}
	}
}

// settle ends an attempt: what it held is given back, and what it spent is counted.
func (b *Book) settle(h hold, spent llm.Money) {
	if len(h.accounts) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(h)
	for _, a := range h.accounts {
		a.unsettled += spent
		if a.free() < 0 {
			b.urgent = true // until it is written, a crash would not count it
		}
	}
	b.admit()
	if b.queue.Len() > 0 {
		b.urgent = true
	}
	if spent > 0 && b.unsaid.IsZero() {
		b.unsaid = time.Now()
		b.nudge()
	} else if b.urgent {
		b.nudge()
	}
}

// release gives back what was held.
func (b *Book) release(h hold) {
	for _, a := range h.accounts {
		a.held -= h.amount
	}
	if b.underway--; b.closed && b.underway == 0 {
		close(b.still)
	}
}

// waiter is who waits for money.
type waiter struct {
	hold
	place  *list.Element // in the queue; nil when it has left it
	done   chan struct{} // closed when it is served
	served bool          // it holds the money, or err is set
	err    error
	left   bool // nobody waits any more
	came   time.Time
}

// outcome is for who was served.
func (w *waiter) outcome() (hold, error) {
	if w.err != nil {
		return hold{}, w.err
	}
	return w.hold, nil
}

func (b *Book) enqueue(h hold) *waiter {
	w := &waiter{hold: h, done: make(chan struct{}), came: time.Now()}
	w.place = b.queue.PushBack(w)
	for _, a := range h.accounts {
		a.claimed += h.amount
	}
	b.urgent = true
	b.nudge()
	return w
}

// dequeue takes a waiter out of the queue, with what it claims.
func (b *Book) dequeue(w *waiter) {
	b.queue.Remove(w.place)
	w.place = nil
	for _, a := range w.accounts {
		a.claimed -= w.amount
	}
}

func (b *Book) wait(ctx context.Context, w *waiter) (hold, error) {
	begin := time.Now()
	defer func() { llm.AdmissionFrom(ctx).Queue += time.Since(begin) }()
	var unheard <-chan time.Time
	if b.o.WithoutLedger != FailTold {
		ticker := time.NewTicker(ledgerWithin)
		defer ticker.Stop()
		unheard = ticker.C
	}
	for waiting := true; waiting; {
		select {
		case <-w.done:
			return w.outcome()
		case <-unheard:
			b.unheard(w)
		case <-ctx.Done():
			waiting = false
		}
	}
	b.mu.Lock()
	w.left = true
	holds := w.served && w.err == nil
	if w.place != nil {
		b.dequeue(w)
		b.urgent = true // who stands behind may have waited for this one alone
		b.nudge()
	}
	b.mu.Unlock()
	if holds {
		b.settle(w.hold, 0)
	}
	return hold{}, fault.Ended(ctx, nil)
}

// serve ends the waiting of somebody who has left the queue: with the money, or with
// an error.
func (b *Book) serve(w *waiter, err error) {
	if w.left || w.served {
		return
	}
	if err == nil {
		b.hold(w.hold)
	}
	w.err, w.served = err, true
	close(w.done)
}

// admit serves those in front as long as what is leased suffices.
func (b *Book) admit() {
	for b.queue.Len() > 0 {
		w := b.queue.Front().Value.(*waiter)
		for _, a := range w.accounts {
			if a.free() < w.amount {
				return
			}
		}
		b.dequeue(w)
		b.serve(w, nil)
	}
}
