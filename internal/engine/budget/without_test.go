package budget

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// hanging is a ledger that does not answer while it is held.
type hanging struct {
	*memory
	turn chan struct{} // one, in whose hand it is
}

func newHanging() *hanging {
	h := &hanging{newMemory(), make(chan struct{}, 1)}
	h.turn <- struct{}{}
	return h
}

func (h *hanging) Change(owner string, accounts []Account, decide func([]State) []Entry) error {
	<-h.turn
	defer func() { h.turn <- struct{}{} }()
	return h.memory.Change(owner, accounts, decide)
}

// at says how long something took, of the bubble's clock.
func at(work func() error) (time.Duration, error) {
	begin := time.Now()
	err := work()
	return time.Since(begin), err
}

// TestWithoutLedger: while the ledger fails or hangs, what was leased is spent; then
// requests are refused, or let through and counted when it is back.
func TestWithoutLedger(t *testing.T) {
	breaks := map[string]func(h *hanging) (mend func()){
		"fails": func(h *hanging) func() {
			h.fails(fault.New(fault.Store, "cannot write /srv/llmx.db"))
			return func() { h.fails(nil) }
		},
		"hangs": func(h *hanging) func() { <-h.turn; return func() { h.turn <- struct{}{} } },
	}
	for title, spoil := range breaks {
		for _, policy := range []WithoutLedger{FailClosed, FailOpen} {
			t.Run(title+" "+string(policy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ledger := newHanging()
					b := openBook(t, ledger, Options{Budgets: project(1000), WithoutLedger: policy})
					m := b.Model("small", aToken, answer(0, 10))
					one := func() error { return ask(t.Context(), m, asking(10)) }
					if err := one(); err != nil { // leases four times as much ahead
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					mend := spoil(ledger)
					answered, refused := 1, 0
					for range 30 {
						took, err := at(one)
						switch {
						case err == nil:
							answered++
						case fault.ClassOf(err) != fault.Budget || !contains(err, "the store is not available") || strings.Contains(err.Error(), "/srv"):
							t.Fatalf("got %v", err)
						case fault.As(err).RetryAfter != ledgerWithin:
							t.Fatalf("to be tried again after %v", fault.As(err).RetryAfter)
						default:
							refused++
						}
						if took > ledgerWithin {
							t.Errorf("a request waited %v for the ledger", took)
						}
					}
					if policy == FailClosed && (answered != 5 || refused != 26) || policy == FailOpen && refused > 0 {
						t.Errorf("%d were answered, %d refused", answered, refused)
					}
					mend()
					time.Sleep(renewEvery)
					if spent, _ := ledger.total(); spent != llm.Money(10*answered) {
						t.Errorf("%d are counted after it came back, %d were spent", spent, 10*answered)
					}
					if took, err := at(one); err != nil || took > 0 {
						t.Errorf("afterwards: %v, after %v", err, took)
					}
					closeBook(t, b)
					ledger.wantTotal(t, llm.Money(10*answered+10), 0)
				})
			})
		}
	}
}

// TestOpenKeepsTheLimitItKnows: what this process has spent is no secret to it.
func TestOpenKeepsTheLimitItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		ledger.fails(errors.New("the disk is full"))
		b := openBook(t, ledger, Options{Budgets: project(100), WithoutLedger: FailOpen})
		m := b.Model("small", aToken, answer(time.Minute, 10))
		var all sync.WaitGroup
		var mu sync.Mutex
		answered := 0
		for range 30 { // at the same time
			all.Go(func() {
				err := ask(t.Context(), m, asking(10))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					answered++
				} else if fault.ClassOf(err) != fault.Budget || !contains(err, "has no room") || fault.As(err).RetryAfter <= 0 {
					t.Errorf("got %v, to be tried again after %v", err, fault.As(err).RetryAfter)
				}
			})
		}
		all.Wait()
		if answered != 10 {
			t.Errorf("%d of 10 that fit were answered", answered)
		}
		ledger.fails(nil)
		closeBook(t, b)
		ledger.wantTotal(t, 100, 0)
	})
}

// TestWaitingForMoneyIsNotWaitingForTheLedger: who waits for another attempt to end is
// not refused because that takes long.
func TestWaitingForMoneyIsNotWaitingForTheLedger(t *testing.T) {
	for _, policy := range []WithoutLedger{FailClosed, FailOpen} {
		synctest.Test(t, func(t *testing.T) {
			b := openBook(t, newMemory(), Options{Budgets: project(100), WithoutLedger: policy})
			m := b.Model("small", aToken, answer(time.Minute, 10))
			first := make(chan error, 1)
			go func() { first <- ask(t.Context(), m, asking(90)) }()
			synctest.Wait()
			if took, err := at(func() error { return ask(t.Context(), m, asking(90)) }); err != nil || took < 2*time.Minute-time.Second {
				t.Errorf("%s: %v, after %v", policy, err, took)
			}
			if err := <-first; err != nil {
				t.Error(err)
			}
			closeBook(t, b)
		})
	}
}

// slowToSay is a ledger that has written at once, and says so when it is let go on.
type slowToSay struct {
	*memory
	goOn chan struct{}
}

func (l slowToSay) Change(owner string, accounts []Account, decide func([]State) []Entry) error {
	err := l.memory.Change(owner, accounts, decide)
	<-l.goOn
	return err
}

// TestGrantedAndNotHeard: the round has decided, and nobody hears of it. Who was granted
// the money is served once.
func TestGrantedAndNotHeard(t *testing.T) {
	for policy, want := range map[WithoutLedger]llm.Money{FailClosed: 0, FailOpen: 10} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger := slowToSay{newMemory(), make(chan struct{})}
				b := openBook(t, ledger, Options{Budgets: project(1000), WithoutLedger: policy})
				m := b.Model("small", aToken, answer(time.Minute, 10))
				result := make(chan error, 1)
				go func() { result <- ask(t.Context(), m, asking(10)) }()
				time.Sleep(30 * time.Second)
				close(ledger.goOn)
				if err := <-result; (policy == FailClosed) != (fault.ClassOf(err) == fault.Budget) || policy == FailOpen && err != nil {
					t.Errorf("got %v", err)
				}
				closeBook(t, b)
				ledger.wantTotal(t, want, 0)
			})
		})
	}
}

// A ledger that has forgotten, as a file that was lost is made anew, is told again what
// was spent: nobody gets the money of a day twice.
func TestAForgetfulLedgerIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(100), WithoutLedger: FailClosed})
		m := b.Model("small", aToken, answer(0, 10))
		passed := 0
		spend := func() {
			for range 20 {
				if ask(t.Context(), m, asking(10)) == nil {
					passed++
				}
				time.Sleep(settleEvery)
			}
		}
		for range 5 {
			if err := ask(t.Context(), m, asking(10)); err != nil {
				t.Fatal(err)
			}
			passed++
			time.Sleep(settleEvery)
		}
		time.Sleep(2 * renewEvery)
		ledger.mu.Lock()
		clear(ledger.spent)
		clear(ledger.leases)
		ledger.mu.Unlock()
		spend()
		if passed != 10 {
			t.Errorf("%d answers of 10 were paid out of 100", passed)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(ledger.spent) != 1 {
			t.Errorf("the ledger says %v", ledger.spent)
		}
		for account, amount := range ledger.spent {
			if amount != 100 {
				t.Errorf("the ledger says that %v of %v are spent", amount, account)
			}
		}
	})
}
