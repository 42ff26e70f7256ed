package budget

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// memory is a ledger without a file. Like the store it knows who lives by the time
// of the last entry.
type memory struct {
	mu      sync.Mutex
	takes   time.Duration // for every change
	broken  error
	changes int
	spent   map[Account]llm.Money
	leases  map[Account]map[string]lease
}

type lease struct {
	amount, wanted llm.Money
	renewed        time.Time
}

func newMemory() *memory {
	return &memory{spent: map[Account]llm.Money{}, leases: map[Account]map[string]lease{}}
}

func (m *memory) Change(owner string, accounts []Account, decide func([]State) []Entry) error {
	time.Sleep(m.takes / 2)
	defer time.Sleep(m.takes / 2) // after it is written, who wrote it does not know yet
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]State, len(accounts))
	for i, a := range accounts {
		states[i] = m.state(a, owner)
	}
	entries := decide(states)
	if m.broken != nil {
		return m.broken
	}
	m.changes++
	for i, a := range accounts {
		if m.leases[a] == nil {
			m.leases[a] = map[string]lease{}
		}
		if entries[i].Spent < 0 || entries[i].Lease < 0 || entries[i].Wanted < 0 {
			return errors.New("a negative entry")
		}
		m.spent[a] += entries[i].Spent
		m.leases[a][owner] = lease{entries[i].Lease, entries[i].Wanted, time.Now()}
		if entries[i].Lease == 0 && entries[i].Wanted == 0 {
			delete(m.leases[a], owner)
		}
	}
	return nil
}

func (m *memory) state(a Account, owner string) State {
	state := State{Spent: m.spent[a]}
	for who, l := range m.leases[a] {
		switch {
		case who == owner:
		case time.Since(l.renewed) > AliveFor:
			state.Lost += l.amount
		default:
			state.Leased += l.amount
			state.Wanted += l.wanted
		}
	}
	return state
}

// fails makes every change fail until it is nil.
func (m *memory) fails(with error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = with
}

// total is what is spent and what is leased of all accounts, by anybody.
func (m *memory) total() (spent, leased llm.Money) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.spent {
		spent += s
	}
	for _, leases := range m.leases {
		for _, l := range leases {
			leased += l.amount
		}
	}
	return spent, leased
}

func (m *memory) accounts() []Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Account
	for a := range m.spent {
		all = append(all, a)
	}
	slices.SortFunc(all, compare)
	return all
}

// wantTotal checks what a ledger has in all.
func (m *memory) wantTotal(t *testing.T, spent, leased llm.Money) {
	t.Helper()
	if s, l := m.total(); s != spent || l != leased {
		t.Errorf("spent %d and leased %d, want %d and %d", s, l, spent, leased)
	}
	for a, leases := range m.leases {
		if leased == 0 && len(leases) > 0 {
			t.Errorf("%s: left are %+v", a, leases)
		}
	}
}

// check holds the limits: what is spent and what may be are together no more.
func (m *memory) check(t *testing.T, budgets []Budget, overshoots bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for a, spent := range m.spent {
		at := slices.IndexFunc(budgets, func(b Budget) bool { return b.Scope == a.Scope && b.Per == a.Per })
		sum := spent
		for _, l := range m.leases[a] {
			sum += l.amount
		}
		if !overshoots && sum > budgets[at].Limit {
			t.Errorf("%s: %d spent and %d leased of %d", a, spent, sum-spent, budgets[at].Limit)
		}
	}
}

func contains(err error, part string) bool { return err != nil && strings.Contains(err.Error(), part) }
