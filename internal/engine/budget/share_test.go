package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

// TestRequestsDoNotWaitForTheLedger but for the first of an account, and until the
// block has grown where the limit is small, though a change takes 20 ms.
func TestRequestsDoNotWaitForTheLedger(t *testing.T) {
	for limit, most := range map[llm.Money]int{1_000_000: 1, 100_000: 10} {
		synctest.Test(t, func(t *testing.T) {
			ledger := newMemory()
			ledger.takes = 20 * time.Millisecond
			b := openBook(t, ledger, Options{Budgets: project(limit)})
			m := b.Model("small", aToken, answer(0, 10))
			waited := 0
			const requests = 5000
			for range requests {
				admission := &llm.Admission{}
				if _, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), admission), asking(10))); err != nil {
					t.Fatal(err)
				}
				if admission.Queue > 0 {
					waited++
				}
				time.Sleep(100 * time.Microsecond) // 10,000 a second
			}
			closeBook(t, b)
			if waited > most {
				t.Errorf("limit %d: %d requests waited", limit, waited)
			}
			t.Logf("limit %d: %d changes for %d requests, %d waited", limit, ledger.changes, requests, waited)
			ledger.wantTotal(t, requests*10, 0)
		})
	}
}

// TestReserve: how much is leased beyond the need.
func TestReserve(t *testing.T) {
	for name, test := range map[string]struct {
		a    account
		want llm.Money
		more bool
	}{
		"a hundredth of the limit":  {account{largest: 2, room: 900}, 10, true},
		"a few of the largest":      {account{largest: 50, room: 900}, 200, true},
		"what has grown":            {account{largest: 2, block: 40, room: 900}, 40, true},
		"a tenth of the limit":      {account{largest: 2, block: 4000, room: 900}, 100, true},
		"half of what is left":      {account{largest: 50, room: 300}, 150, false},
		"nothing is left":           {account{largest: 50, room: -1}, 0, false},
		"others wait":               {account{largest: 50, room: 900, state: State{Wanted: 1}}, 0, false},
		"nobody has asked for long": {account{largest: 50, room: 900, resting: true}, 0, false},
	} {
		test.a.budget = &Budget{Limit: 1000}
		if got := test.a.reserve(false); got != test.want || test.a.more != test.more {
			t.Errorf("%s: %d, more %t", name, got, test.a.more)
		}
	}
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
		hurry, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _ = ask(hurry, m, asking(90)) }()
		synctest.Wait()
		begin, admission := time.Now(), &llm.Admission{}
		_, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), admission), asking(20))) // behind it
		if waited := admission.Queue; err != nil || waited < time.Second || waited > time.Second+2*apart {
			t.Errorf("waited %v, %v", waited, err)
		}
		hurry, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_ = ask(hurry, m, asking(90))
		t.Log(time.Since(begin))
		closeBook(t, b)
		if state := ledger.state(ledger.accounts()[0], "b"); state.Wanted != 0 || state.Leased != 0 {
			t.Errorf("left: %+v", state)
		}
		closeBook(t, other)
		ledger.wantTotal(t, 0, 0)
	})
}

func TestTodayFollowsTheClock(t *testing.T) {
	var now today
	for _, at := range []string{"2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", "2026-12-01T00:59:00+01:00", "2024-02-29T12:00:00-05:00", "2026-12-01T00:00:00Z"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		now.set(when)
		if want := when.UTC().Format(time.DateOnly); now.day != want || now.month != want[:7] {
			t.Errorf("%s: %s, %s", at, now.day, now.month)
		}
	}
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

// TestArithmetic draws traffic over many accounts, with cancellations, silence, a
// slow ledger that fails at times, and more than one process, and looks at the books
// all the while.
func TestArithmetic(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { draw(t, seed) }) })
	}
}

func draw(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	overshoots := seed%2 == 1
	ledger := newMemory()
	ledger.takes = time.Duration(random.IntN(5)) * time.Millisecond
	budgets := []Budget{
		{Scope: ScopeProject, Per: PerDay, Limit: 3000}, {Scope: ScopeProject, Per: PerMonth, Limit: 5000},
		{Scope: ScopePrompt, Per: PerDay, Limit: 700}, {Scope: ScopeKey, Per: PerDay, Limit: 900}, {Scope: ScopeRun, Per: PerRun, Limit: 500},
	}
	var books []*Book
	for i := range 1 + random.IntN(3) {
		books = append(books, openBook(t, ledger, Options{Budgets: budgets, Owner: fmt.Sprint(i)}))
	}
	spent := map[Account]llm.Money{} // as the provider has it
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 200 {
		random := rand.New(rand.NewPCG(seed, uint64(i+1)))
		b := books[random.IntN(len(books))]
		all.Go(func() {
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			estimate := 1 + random.IntN(100)
			real := int64(random.IntN(estimate + 1))
			if overshoots {
				real = int64(random.IntN(150))
			}
			req := asking(estimate)
			req.Prompt.Name, req.Key, req.Origin.Run = fmt.Sprint(random.IntN(3)), fmt.Sprint(random.IntN(3)), []string{"", "r1", "r2"}[random.IntN(3)]
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(2000))*time.Millisecond)
			defer cancel()
			admission := &llm.Admission{}
			_, err := llm.Collect(b.Model("small", aToken, answer(time.Duration(random.IntN(1000))*time.Millisecond, real)).
				Stream(llm.WithAdmission(ctx, admission), req))
			if err != nil {
				real = 0
				if admission.Asked { // it was silent until its time was over
					real = int64(estimate)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range b.budgets {
				day := today{day: "2026-11-25", month: "2026-11"}
				if a, ok := b.budgets[i].account(&req, "small", &day); ok {
					spent[a] += llm.Money(real)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(7 * time.Millisecond):
			}
			for _, b := range books {
				checkBook(t, b, overshoots)
			}
			ledger.check(t, budgets, overshoots)
			ledger.fails(nil)
			if random.IntN(20) == 0 {
				ledger.fails(errors.New("busy"))
			}
		}
	}()
	all.Wait()
	close(done)
	synctest.Wait()
	ledger.fails(nil)
	for _, b := range books {
		closeBook(t, b)
		checkBook(t, b, overshoots)
	}
	if _, leased := ledger.total(); leased != 0 {
		t.Errorf("%d are leased to nobody", leased)
	}
	for _, a := range ledger.accounts() {
		if ledger.spent[a] != spent[a] {
			t.Errorf("%s: %d in the ledger, %d were spent", a, ledger.spent[a], spent[a])
		}
	}
}

// checkBook holds what is always so between two steps.
func checkBook(t *testing.T, b *Book, overshoots bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.accounts {
		if a.lease < 0 || a.held < 0 || a.unsettled < 0 || a.claimed < 0 || a.promised < 0 || a.moved < 0 || a.moved > a.unsettled || a.state.Spent < 0 {
			t.Errorf("%s: %+v", a.Account, a)
		}
		if !overshoots && a.free() < 0 {
			t.Errorf("%s: more is used than is leased: %+v", a.Account, a)
		}
		if waiting := b.queue.Len(); waiting == 0 && a.claimed != 0 {
			t.Errorf("%s: %d claimed by nobody", a.Account, a.claimed)
		}
		if b.underway == 0 && a.held != 0 {
			t.Errorf("%s: %d held by nobody", a.Account, a.held)
		}
	}
}
