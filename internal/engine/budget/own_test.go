package budget

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// owning gives keys budgets of their own, by id.
func owning(limits map[string]llm.Money) func(string) (Budget, bool) {
	return func(key string) (Budget, bool) {
		limit, ok := limits[key]
		return Budget{Scope: ScopeKey, Per: PerDay, Limit: limit, Place: fault.Place{File: "the budget of the key " + key}}, ok
	}
}

func askingBy(key string, tokens int) llm.Request {
	req := asking(tokens)
	req.Key = key
	return req
}

// TestAKeyBringsABudgetOfItsOwn: it bounds that key alone, under concurrency, and what
// is spent of it stands in the ledger for the next process.
func TestAKeyBringsABudgetOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		for round, want := range []int{10, 0} {
			b := openBook(t, ledger, Options{Own: owning(map[string]llm.Money{"poor": 100})})
			m := b.Model("small", aToken, answer(time.Millisecond, 10))
			var mu sync.Mutex
			answered := map[string]int{}
			var asking sync.WaitGroup
			for range 30 {
				for _, key := range []string{"poor", "rich", ""} {
					asking.Go(func() {
						if err := ask(t.Context(), m, askingBy(key, 10)); err == nil {
							mu.Lock()
							answered[key]++
							mu.Unlock()
						} else if fault.ClassOf(err) != fault.Budget {
							t.Error(err)
						}
					})
				}
			}
			asking.Wait()
			if answered["poor"] != want || answered["rich"] != 30 || answered[""] != 30 {
				t.Errorf("process %d: %v, want %d of the poor", round+1, answered, want)
			}
			closeBook(t, b)
		}
		ledger.wantTotal(t, 100, 0)
	})
}

// TestOfTwoBudgetsOfAKeyTheLowerHolds, whichever that is: both count the same account.
func TestOfTwoBudgetsOfAKeyTheLowerHolds(t *testing.T) {
	for own, want := range map[llm.Money]int{50: 5, 500: 20} {
		synctest.Test(t, func(t *testing.T) {
			b := openBook(t, newMemory(), Options{
				Budgets: []Budget{{Scope: ScopeKey, Per: PerDay, Limit: 200}}, Own: owning(map[string]llm.Money{"k": own}),
			})
			m := b.Model("small", aToken, answer(time.Millisecond, 10))
			answered := 0
			for range 30 {
				if ask(t.Context(), m, askingBy("k", 10)) == nil {
					answered++
				}
			}
			if answered != want {
				t.Errorf("of $%d: %d answers, want %d", own, answered, want)
			}
			closeBook(t, b)
		})
	}
}

// TestAnUnpricedModelIsRefusedToAKeyWithABudgetAlone: others are not bounded, and need no price.
func TestAnUnpricedModelIsRefusedToAKeyWithABudgetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := openBook(t, newMemory(), Options{Own: owning(map[string]llm.Money{"poor": 100})})
		defer closeBook(t, b)
		m := b.Model("small", func(llm.Usage) llm.Cost { return llm.Cost{} }, answer(time.Millisecond, 10))
		if err := ask(t.Context(), m, askingBy("rich", 1)); err != nil {
			t.Error(err)
		}
		if err := ask(t.Context(), m, askingBy("poor", 1)); fault.ClassOf(err) != fault.Budget {
			t.Error(err)
		}
	})
}
