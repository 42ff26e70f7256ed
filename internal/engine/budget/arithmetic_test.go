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

	"github.com/llmx-dev/llmx/internal/llm"
)

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
