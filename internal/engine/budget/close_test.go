package budget

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestServedAndGoneAtOnce: who is served while its context ends keeps nothing.
func TestServedAndGoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(100)})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req := asking(1)
		for range 50 { // either may be seen first
			b.mu.Lock()
			w := b.enqueue(hold{b.accountsOf(nil, b.o.Now(), &req, "small", nil), 1})
			b.dequeue(w)
			b.serve(w, nil)
			b.mu.Unlock()
			if h, err := b.wait(ctx, w); err == nil {
				b.settle(h, 0)
			}
		}
		if b.underway != 0 {
			t.Errorf("%d attempts of nobody are under way", b.underway)
		}
		closeBook(t, b)
		ledger.wantTotal(t, 0, 0)
	})
}

// TestCloseBetweenPromiseAndLedger: what a round has promised is not begun any more.
func TestCloseBetweenPromiseAndLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		ledger.takes = 20 * time.Millisecond
		b := openBook(t, ledger, Options{Budgets: project(100)})
		result := make(chan error, 1)
		go func() { result <- ask(t.Context(), b.Model("small", aToken, answer(0, 1)), asking(10)) }()
		time.Sleep(15 * time.Millisecond) // it is written, and not known yet
		closeBook(t, b)
		if err := <-result; fault.ClassOf(err) != fault.Canceled {
			t.Errorf("got %v", err)
		}
		ledger.wantTotal(t, 0, 0)
	})
}

// TestBrokenLedger: who needs it is told, and nothing is lost when it works again.
func TestBrokenLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(1000)})
		m := b.Model("small", aToken, answer(0, 10))
		ledger.fails(fault.New(fault.Store, "the disk is full"))
		if err := ask(t.Context(), m, asking(10)); fault.ClassOf(err) != fault.Store {
			t.Errorf("got %v", err)
		}
		ledger.fails(nil)
		if err := ask(t.Context(), m, asking(10)); err != nil {
			t.Error(err)
		}
		ledger.fails(errors.New("the disk is full"))
		if err := ask(t.Context(), m, asking(10)); err != nil { // of the block
			t.Error(err)
		}
		time.Sleep(time.Second)
		ledger.wantTotal(t, 0, 10+40)
		ledger.fails(nil)
		time.Sleep(time.Second)
		if spent, _ := ledger.total(); spent != 20 {
			t.Errorf("spent %d", spent)
		}
		ledger.fails(fault.New(fault.Store, "the disk is full"))
		if err := b.Close(t.Context()); fault.ClassOf(err) != fault.Store {
			t.Errorf("closed with %v", err)
		}
	})
}

// TestCloseWaitsForAttempts as long as its context lets it.
func TestCloseWaitsForAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		patience       time.Duration
		spent, leased  llm.Money
		class, waiting fault.Class
	}{
		"long enough": {time.Hour, 30, 0, "", fault.Canceled},
		"too short":   {time.Second, 0, 90, fault.TimeoutTotal, fault.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger := newMemory()
				b := openBook(t, ledger, Options{Budgets: project(100)})
				m := b.Model("small", aToken, answer(time.Minute, 30))
				go func() { _ = ask(t.Context(), m, asking(90)) }()
				synctest.Wait()
				waiter := make(chan error, 1)
				go func() { waiter <- ask(t.Context(), m, asking(90)) }()
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				if err := b.Close(ctx); test.class == "" && err != nil || test.class != "" && fault.ClassOf(err) != test.class {
					t.Errorf("closed with %v", err)
				}
				ledger.wantTotal(t, test.spent, test.leased)
				if err := <-waiter; fault.ClassOf(err) != test.waiting {
					t.Errorf("who waited got %v", err)
				}
				if err := ask(t.Context(), m, asking(1)); fault.ClassOf(err) != fault.Canceled {
					t.Errorf("afterwards: %v", err)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}
