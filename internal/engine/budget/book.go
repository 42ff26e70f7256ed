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
	if len(b.budgets) == 0 {
		close(b.ended)
		return b
	}
	go b.run()
	return b
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

// accountsOf appends the accounts that a request belongs to, in the order of the budgets.
func (b *Book) accountsOf(found []*account, now time.Time, req *llm.Request, alias string) []*account {
	b.today.set(now)
	for i := range b.budgets {
		key, ok := b.budgets[i].account(req, alias, &b.today)
		if !ok {
			continue
		}
		a := b.accounts[key]
		if a == nil {
			a = &account{Account: key, budget: &b.budgets[i], used: time.Now()}
			b.accounts[key] = a
		}
		found = append(found, a)
	}
	return found
}

// nudge lets the background look again when the next round is due.
func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
