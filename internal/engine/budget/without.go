package budget

import (
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// WithoutLedger says what becomes of a request for which the ledger has to be asked
// while that fails or does not answer. What was leased before is spent in any case.
type WithoutLedger string

// The ways to go on without a ledger.
const (
	// FailTold gives the ledger's error to whoever waits, and waits for its answer as long
	// as that takes. A command that cannot count has to end.
	FailTold WithoutLedger = ""
	// FailClosed refuses with class fault.Budget.
	FailClosed WithoutLedger = "closed"
	// FailOpen lets requests through and counts in memory, until the ledger can be told.
	// What this process knows to be spent still counts: beyond the limit it refuses.
	FailOpen WithoutLedger = "open"
)

// ledgerWithin is how long a request waits to hear from the ledger, but for FailTold. Who
// waits for money that another attempt holds has heard from it.
const ledgerWithin = time.Second

// hangs reports that the ledger has not answered for so long that nobody else should
// begin to wait for it.
func (b *Book) hangs(now time.Time) bool {
	return b.o.WithoutLedger != FailTold && !b.asked.IsZero() && now.Sub(b.asked) >= ledgerWithin
}

// unheard ends the waiting of somebody to whom the ledger has said nothing since he
// came, or says nothing any more.
func (b *Book) unheard(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.served || b.heard.After(w.came) && !b.hangs(time.Now()) {
		return
	}
	if w.place != nil {
		b.dequeue(w)
	}
	b.serveAlone(w, fault.New(fault.Store, "the ledger of the budgets has not answered within %v", ledgerWithin))
}

// serveAlone serves somebody without the ledger, which cannot be asked because of err.
func (b *Book) serveAlone(w *waiter, err error) {
	switch b.o.WithoutLedger {
	case FailClosed:
		err = uncounted(w.accounts[0], err)
	case FailOpen:
		err = nil
		if a := w.beyond(); a != nil {
			err = until(refusal(a, w.amount), a, w.amount, b.o.Now())
		}
	}
	b.serve(w, err)
}

// beyond finds an account whose limit this process alone knows to be reached.
func (h hold) beyond() *account {
	for _, a := range h.accounts {
		if a.state.Spent+a.unsettled+a.held+h.amount > a.budget.Limit {
			return a
		}
	}
	return nil
}

// uncounted refuses what cannot be counted. Callers read it, so it does not say what
// is wrong with the ledger, only when that is asked again at the earliest.
func uncounted(a *account, err error) error {
	refused := fault.New(fault.Budget, "the budget of %s cannot be counted now: the store is not available", a.Account).
		WithHint("serve: {budgets_without_store: open} in llmx.yaml answers all the same, and counts later").Because(err)
	refused.RetryAfter = ledgerWithin
	return refused
}
