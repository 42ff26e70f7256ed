package budget

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Options are what a book is opened with.
type Options struct {
	Budgets []Budget // of two with the same scope and period the lower counts
	Ledger  Ledger
	Owner   string           // of the leases: this process, under a name that no other has
	Now     func() time.Time // the wall clock, for the names of days and months
	// WithoutLedger says what becomes of requests while the ledger fails; FailTold by default.
	WithoutLedger WithoutLedger
	// Alert is told once an account, as long as the process lives, that the share
	// in Budget.Alert is spent. It is not called on the way of a request; nil for nobody.
	Alert func(Alert)
	// Own gives the budget that a caller's key brings itself, of ScopeKey, besides those
	// of Budgets; ok is false for none. It is called on the way of a request, and must
	// not wait. The budget of a key does not change. nil: no key has one.
	Own func(key string) (_ Budget, ok bool)
}

// Book keeps the budgets of one process. It is safe for concurrent use.
type Book struct {
	o       Options
	budgets []Budget

	mu       sync.Mutex
	accounts map[Account]*account
	today    today
	queue    list.List // of *waiter: who came first is served first
	underway int       // attempts that hold money
	closed   bool

	urgent  bool      // somebody needs a round now
	unsaid  time.Time // since when something is spent that the ledger does not know; zero for nothing
	last    time.Time // when the last round ended
	renewed time.Time // when the last one of all accounts ended
	failed  error     // what came of the last round
	asked   time.Time // since when the ledger is being asked; zero: it is not
	heard   time.Time // when the last round began that the ledger has answered
	rounds  int

	wake  chan struct{} // the round may be due earlier than it was
	still chan struct{} // closed with the last attempt, once the book is closed
	stop  chan struct{}
	ended chan struct{}
}

// Open opens a book; Close must be called.
func Open(o Options) *Book {
	b := &Book{
		o: o, budgets: lowest(o.Budgets), accounts: map[Account]*account{},
		wake: make(chan struct{}, 1), still: make(chan struct{}), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	b.renewed = time.Now()
	if b.none() {
		close(b.ended)
		return b
	}
	go b.run()
	return b
}

// none reports that nothing is bounded.
func (b *Book) none() bool { return len(b.budgets) == 0 && b.o.Own == nil }

// own is the budget of the request's key; nil for none.
func (b *Book) own(req *llm.Request) *Budget {
	if b.o.Own == nil || req.Key == "" {
		return nil
	}
	if own, ok := b.o.Own(req.Key); ok {
		return &own
	}
	return nil
}

// lowest leaves one budget a scope and period: two would share one account. They
// are sorted, so that a refusal names the same one every time.
func lowest(budgets []Budget) []Budget {
	sorted := slices.Clone(budgets)
	slices.SortStableFunc(sorted, func(a, b Budget) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Per, b.Per), cmp.Compare(a.Limit, b.Limit))
	})
	return slices.CompactFunc(sorted, func(a, b Budget) bool { return a.Scope == b.Scope && a.Per == b.Per })
}

// Close refuses what comes from now on, waits for the attempts under way, settles
// all and gives back what is left. Where ctx ends first, what is held by attempts
// that have not ended stays in the ledger, and counts as spent. It returns what kept
// it from settling.
func (b *Book) Close(ctx context.Context) error {
	b.mu.Lock()
	first := !b.closed
	if first {
		b.closed = true
		for b.queue.Len() > 0 {
			w := b.queue.Front().Value.(*waiter)
			b.dequeue(w)
			b.serve(w, closed())
		}
		if b.underway == 0 {
			close(b.still)
		}
	}
	b.mu.Unlock()
	select {
	case <-b.still:
	case <-ctx.Done():
	}
	if first {
		close(b.stop)
	}
	select {
	case <-b.ended:
	case <-ctx.Done():
		select { // the last round needs no more than the ledger does
		case <-b.ended:
		case <-time.After(aliveToClose):
			return fault.New(fault.Store, "the budgets could not be settled in time").Because(ctx.Err())
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return b.failed
	}
	if b.underway > 0 {
		return fault.Ended(ctx, nil)
	}
	return nil
}

func closed() error { return fault.New(fault.Canceled, "the budgets are closed: llmx is ending") }

// accountsOf appends the accounts that a request belongs to, in the order of the
// budgets; what its key brings itself comes last.
func (b *Book) accountsOf(found []*account, now time.Time, req *llm.Request, alias string, own *Budget) []*account {
	b.today.set(now)
	for i := range b.budgets {
		if key, ok := b.budgets[i].account(req, alias, &b.today); ok {
			found = append(found, b.open(key, &b.budgets[i]))
		}
	}
	if own == nil {
		return found
	}
	if key, ok := own.account(req, alias, &b.today); ok {
		if a := b.open(key, own); !slices.Contains(found, a) {
			found = append(found, a)
		}
	}
	return found
}

// open finds an account, or makes it. Of two budgets that count it the lower holds.
func (b *Book) open(key Account, bound *Budget) *account {
	a := b.accounts[key]
	if a == nil {
		a = &account{Account: key, budget: bound, used: time.Now()}
		b.accounts[key] = a
	}
	if bound.Limit < a.budget.Limit {
		a.budget = bound
	}
	return a
}

// nudge lets the background look again when the next round is due.
func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
