package budget

import (
	"cmp"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

const (
	// settleEvery bounds how long the ledger does not know what is spent.
	settleEvery = 200 * time.Millisecond
	// retryEvery is how often somebody who waits looks whether another process has
	// freed money.
	retryEvery = 100 * time.Millisecond
	// renewEvery is how often a process says that it lives, and looks who waits.
	renewEvery = 2 * time.Second
	// idleFor is how long an account keeps money ahead of need without a request.
	idleFor = 10 * time.Second
	// apart keeps rounds from following each other without an end.
	apart = 2 * time.Millisecond
	// aliveToClose is what the last round may take when nobody wants to wait for it.
	aliveToClose = 10 * time.Second
)

// run is the background: it alone speaks with the ledger.
func (b *Book) run() {
	defer close(b.ended)
	timer := time.NewTimer(renewEvery)
	defer timer.Stop()
	for {
		timer.Reset(b.due(time.Now()))
		select {
		case <-b.wake:
		case <-timer.C:
			if b.due(time.Now()) <= 0 {
				b.settleRound()
			}
		case <-b.stop:
			b.settleRound()
			return
		}
	}
}

// due is the time until the next round.
func (b *Book) due(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.renewed.Add(renewEvery)
	sooner := func(when time.Time) {
		if when.Before(next) {
			next = when
		}
	}
	if b.queue.Len() > 0 {
		sooner(b.last.Add(retryEvery))
	}
	if !b.unsaid.IsZero() {
		sooner(b.unsaid.Add(settleEvery))
	}
	if b.urgent {
		sooner(b.last.Add(apart))
	}
	return next.Sub(now)
}

// round is one exchange with the ledger.
type round struct {
	number   int
	last     bool // the book is closed
	all      bool
	accounts []*account
	granted  []*waiter
}

func (b *Book) settleRound() {
	begun := time.Now()
	r := b.begin(begun)
	if len(r.accounts) > 0 {
		keys := make([]Account, len(r.accounts))
		for i, a := range r.accounts {
			keys[i] = a.Account
		}
		var entries []Entry
		err := b.o.Ledger.Change(b.o.Owner, keys, func(states []State) []Entry {
			entries = b.decide(r, states)
			return entries
		})
		for _, alert := range b.commit(r, entries, err) {
			b.o.Alert(alert)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last, b.asked = time.Now(), time.Time{}
	if b.failed == nil {
		b.heard = begun
	}
	if r.all {
		b.renewed = b.last
	}
}

// begin chooses the accounts that have something to say.
func (b *Book) begin(now time.Time) *round {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rounds++
	r := &round{number: b.rounds, last: b.closed, all: b.closed || now.Sub(b.renewed) >= renewEvery}
	b.urgent, b.unsaid, b.asked = false, time.Time{}, now
	for key, a := range b.accounts {
		if r.all {
			a.age(now)
		}
		switch {
		case a.idle():
			if r.all && a.resting && (!a.alerted || a.over(b.o.Now())) {
				delete(b.accounts, key)
			}
		case r.all, a.news():
			a.round = r.number
			r.accounts = append(r.accounts, a)
		}
	}
	slices.SortFunc(r.accounts, func(a, b *account) int { return compare(a.Account, b.Account) })
	return r
}

func compare(a, b Account) int {
	return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Per, b.Per), cmp.Compare(a.Period, b.Period), cmp.Compare(a.Value, b.Value))
}

// over reports that an account's period has ended.
func (a *account) over(now time.Time) bool {
	ends := a.ends()
	return !ends.IsZero() && now.After(ends)
}

// decide makes the entries of a round from what the ledger says. Until they are
// written, no more is free than is free before and after.
func (b *Book) decide(r *round, states []State) []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, a := range r.accounts {
		if lost := a.state.Spent - states[i].Spent; lost > 0 {
			// What is spent only ever grows: it is another ledger, as a file that was lost is
			// made anew. It is told again what was spent. Where several processes do so the
			// same money counts more than once, which refuses too early, and never too late.
			a.unsettled += lost
		}
		a.state, a.moved, a.wanted = states[i], a.unsettled, 0
		a.room = a.budget.Limit - a.gone() - a.state.Leased - a.held
	}
	starved := b.grant(r)
	entries := make([]Entry, len(r.accounts))
	for i, a := range r.accounts {
		lease := a.held
		if spare := a.reserve(starved[a]); !r.last {
			lease += spare
		}
		a.lease = min(a.lease, lease+a.moved)
		entries[i] = Entry{Spent: a.moved, Lease: lease + a.promised, Wanted: a.wanted}
	}
	return entries
}

// grant gives what nobody holds to those who wait, in their order, and refuses
// those for whom there will never be enough. What one of them cannot have yet is
// not given to those behind. It says in which accounts money was there and not leased.
func (b *Book) grant(r *round) (starved map[*account]bool) {
	starved = map[*account]bool{}
	for at := b.queue.Front(); at != nil; {
		w := at.Value.(*waiter)
		at = at.Next()
		if !r.has(w) {
			continue
		}
		if a := w.hopeless(true); a != nil {
			b.dequeue(w)
			b.serve(w, until(refusal(a, w.amount), a, w.amount, b.o.Now()))
			continue
		}
		fits := true
		for _, a := range w.accounts {
			if a.room < w.amount {
				a.wanted += w.amount
				fits = false
			}
		}
		for _, a := range w.accounts {
			a.room -= w.amount
		}
		if fits {
			for _, a := range w.accounts {
				starved[a] = starved[a] || a.lease > 0
				a.promised += w.amount
				a.largest, a.resting = max(a.largest, w.amount), false
			}
			b.dequeue(w)
			r.granted = append(r.granted, w)
		}
	}
	return starved
}

// has reports whether all accounts of a waiter are part of the round.
func (r *round) has(w *waiter) bool {
	return !slices.ContainsFunc(w.accounts, func(a *account) bool { return a.round != r.number })
}

// commit makes of a decision what is so, if it was written, and takes it back if not.
func (b *Book) commit(r *round, entries []Entry, err error) (alerts []Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = err
	if err != nil {
		b.takeBack(r, fault.As(err))
		return nil
	}
	for i, a := range r.accounts {
		a.said, a.lease = entries[i], entries[i].Lease
		a.unsettled -= a.moved
		a.state.Spent += a.moved
		a.moved = 0
		if alert := a.budget.Alert; alert > 0 && !a.alerted && float64(a.gone()) >= alert*float64(a.budget.Limit) {
			a.alerted = true
			if b.o.Alert != nil {
				alerts = append(alerts, Alert{Budget: *a.budget, Account: a.Account, Spent: a.gone()})
			}
		}
	}
	for _, w := range r.granted {
		b.keep(w)
	}
	b.admit()
	return alerts
}

// keep serves somebody whom a round has promised the money.
func (b *Book) keep(w *waiter) {
	for _, a := range w.accounts {
		a.promised -= w.amount
	}
	if b.closed {
		b.serve(w, closed())
		return
	}
	b.serve(w, nil)
}

// takeBack takes back what a round has decided, as the ledger does not work, and has
// nobody wait for it.
func (b *Book) takeBack(r *round, err error) {
	for _, w := range r.granted {
		for _, a := range w.accounts {
			a.promised -= w.amount
		}
		b.serveAlone(w, err)
	}
	for at := b.queue.Front(); at != nil; {
		w := at.Value.(*waiter)
		at = at.Next()
		if r.has(w) {
			b.dequeue(w)
			b.serveAlone(w, err)
		}
	}
	for _, a := range r.accounts {
		a.moved = 0
	}
	if b.unsaid.IsZero() {
		b.unsaid = time.Now()
	}
}
