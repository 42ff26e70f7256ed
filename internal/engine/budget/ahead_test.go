package budget

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// TestRequestsDoNotWaitForTheLedger but for the first of an account, and until the
// block has grown where the limit is small, though a change takes 20 ms. In which order
// those wake who are due at the same instant decides how soon it grows: the best of
// some goes counts. A block that does not grow lets 50 wait in every one.
func TestRequestsDoNotWaitForTheLedger(t *testing.T) {
	const goes = 6
	for limit, most := range map[llm.Money]int{1_000_000: 1, 100_000: 25} {
		fewest := waitedFor(t, limit)
		for range goes - 1 {
			if fewest <= most {
				break
			}
			fewest = min(fewest, waitedFor(t, limit))
		}
		if fewest > most {
			t.Errorf("limit %d: %d requests waited at best, want at most %d", limit, fewest, most)
		}
	}
}

// waitedFor is how many of 5,000 requests, 10,000 a second, wait for money.
func waitedFor(t *testing.T, limit llm.Money) (waited int) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newMemory()
		ledger.takes = 20 * time.Millisecond
		b := openBook(t, ledger, Options{Budgets: project(limit)})
		m := b.Model("small", aToken, answer(0, 10))
		const requests = 5000
		for range requests {
			admission := &llm.Admission{}
			if _, err := llm.Collect(m.Stream(llm.WithAdmission(t.Context(), admission), asking(10))); err != nil {
				t.Fatal(err)
			}
			if admission.Queue > 0 {
				waited++
			}
			time.Sleep(100 * time.Microsecond)
		}
		closeBook(t, b)
		t.Logf("limit %d: %d changes for %d requests, %d waited", limit, ledger.changes, requests, waited)
		ledger.wantTotal(t, requests*10, 0)
	})
	return waited
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
