package budget

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestTwoProcessesHoldOneBudget, and leave nothing of it: the one that is short gets
// what the other one leases ahead of its need.
func TestTwoProcessesHoldOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, estimate, real = 10_000, 10, 7
		ledger := newMemory()
		ledger.takes = time.Millisecond
		books := []*Book{
			openBook(t, ledger, Options{Budgets: project(limit), Owner: "a"}),
			openBook(t, ledger, Options{Budgets: project(limit), Owner: "b"}),
		}
		var all sync.WaitGroup
		for i := range 32 {
			m := books[i%2].Model("small", aToken, answer(time.Duration(1+i%2)*20*time.Millisecond, real))
			all.Go(func() {
				for {
					err := ask(t.Context(), m, asking(estimate))
					if err == nil {
						continue
					}
					if spent, _ := ledger.total(); fault.ClassOf(err) != fault.Budget || spent+estimate+16*real <= limit {
						t.Errorf("refused with %d spent: %v", spent, err)
					}
					return
				}
			})
		}
		all.Wait()
		for _, b := range books {
			closeBook(t, b)
		}
		if spent, leased := ledger.total(); spent > limit || spent+estimate <= limit || leased != 0 {
			t.Errorf("spent %d, leased %d", spent, leased)
		}
	})
}

// TestWaitsForAnotherProcess: what another process leases, holds or has held when it
// was killed decides between waiting and refusing.
func TestWaitsForAnotherProcess(t *testing.T) {
	type other func(t *testing.T, ledger *memory) (end func())
	running := func(takes time.Duration, cost int64) other {
		return func(t *testing.T, ledger *memory) func() {
			b := openBook(t, ledger, Options{Budgets: project(100), Owner: "b"})
			go func() { _ = ask(t.Context(), b.Model("small", aToken, answer(takes, cost)), asking(80)) }()
			synctest.Wait()
			return func() { closeBook(t, b) }
		}
	}
	killed := func(t *testing.T, ledger *memory) func() {
		_ = ledger.Change("b", []Account{{ScopeProject, "", PerDay, "2026-11-25"}}, func([]State) []Entry { return []Entry{{Spent: 5, Lease: 80}} })
		return func() {}
	}
	for name, test := range map[string]struct {
		other   other
		atLeast time.Duration
		atMost  time.Duration
		refused string
	}{
		"it ends and has spent little": {running(time.Minute, 10), time.Minute, time.Minute + 3*time.Second, ""},
		"it ends and has spent all":    {running(time.Minute, 80), time.Minute, time.Minute + 3*time.Second, "$0.000000080 of $0.000000100 are spent"},
		"it is idle":                   {running(0, 10), 0, renewEvery + time.Second, ""},
		"it was killed":                {killed, AliveFor - time.Second, AliveFor + time.Second, "$0.000000085 of $0.000000100 are spent (of it $0.000000080 held by a process that was killed)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger := newMemory()
				end := test.other(t, ledger)
				b := openBook(t, ledger, Options{Budgets: project(100)})
				begin := time.Now()
				err := ask(t.Context(), b.Model("small", aToken, answer(0, 50)), asking(50))
				if took := time.Since(begin); took < test.atLeast || took > test.atMost {
					t.Errorf("it took %v, want %v to %v", took, test.atLeast, test.atMost)
				}
				if test.refused == "" && err != nil || test.refused != "" && (fault.ClassOf(err) != fault.Budget || !contains(err, test.refused)) {
					t.Error(err)
				}
				closeBook(t, b)
				end()
			})
		})
	}
}

// TestIdleProcessesHoldNothing: after idleFor a kill costs nothing.
func TestIdleProcessesHoldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(1000)})
		m := b.Model("small", aToken, answer(0, 10))
		_ = ask(t.Context(), m, asking(10))
		time.Sleep(idleFor - time.Second)
		if _, leased := ledger.total(); leased == 0 {
			t.Error("nothing is leased ahead")
		}
		time.Sleep(3 * renewEvery)
		ledger.wantTotal(t, 10, 0)
		b.mu.Lock()
		if len(b.accounts) > 0 {
			t.Errorf("%d accounts are kept for nobody", len(b.accounts))
		}
		b.mu.Unlock()
		_ = ask(t.Context(), m, asking(10))
		closeBook(t, b)
		ledger.wantTotal(t, 20, 0)
	})
}

// TestOvershootIsWrittenAtOnce: until then a crash would not count it.
func TestOvershootIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		b := openBook(t, ledger, Options{Budgets: project(1000)})
		_ = ask(t.Context(), b.Model("small", aToken, answer(0, 700)), asking(10))
		time.Sleep(2 * apart)
		synctest.Wait()
		if spent, _ := ledger.total(); spent != 700 {
			t.Errorf("spent %d", spent)
		}
		closeBook(t, b)
	})
}

// TestWhoGivesUpLeavesNothing: neither a claim nor a wish.
func TestWhoGivesUpLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		other := openBook(t, ledger, Options{Budgets: project(100), Owner: "b"})
		go func() { _ = ask(t.Context(), other.Model("small", aToken, answer(time.Minute, 0)), asking(60)) }()
		synctest.Wait()
		b := openBook(t, ledger, Options{Budgets: project(100)})
		m := b.Model("small", aToken, answer(time.Minute, 0))
		const patience = retryEvery + retryEvery/2 // between two looks
		hurry, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		go func() { _ = ask(hurry, m, asking(90)) }()
		synctest.Wait()
		admission := &llm.Admission{}
		_, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), admission), asking(20))) // behind it
		if waited := admission.Queue; err != nil || waited < patience || waited > patience+2*apart {
			t.Errorf("waited %v, %v", waited, err)
		}
		hurry, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_ = ask(hurry, m, asking(90))
		closeBook(t, b)
		if state := ledger.state(ledger.accounts()[0], "b"); state.Wanted != 0 || state.Leased != 0 {
			t.Errorf("left: %+v", state)
		}
		closeBook(t, other)
		ledger.wantTotal(t, 0, 0)
	})
}
