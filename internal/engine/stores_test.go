package engine_test

import (
	"context"
	"sync"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/llm"
)

// What stands in for the store.

// kept is what a house has kept: answers and records.
type kept struct {
	mu      sync.Mutex
	entries map[string]cache.Entry
	calls   []*llm.Call
}

func (k *kept) Get(_ context.Context, key string) (cache.Entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	entry, ok := k.entries[key]
	return entry, ok
}

func (k *kept) Put(key string, entry cache.Entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries[key] = entry
}

func (k *kept) Record(call *llm.Call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, call)
}

// nowhere is a cache.Storage without entries.
type nowhere struct{}

func (nowhere) Get(context.Context, string) (cache.Entry, bool) { return cache.Entry{}, false }
func (nowhere) Put(string, cache.Entry)                         {}

// ledger has one owner.
type ledger struct {
	mu    sync.Mutex
	spent map[budget.Account]llm.Money
}

func (l *ledger) Change(_ string, accounts []budget.Account, decide func([]budget.State) []budget.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spent == nil {
		l.spent = map[budget.Account]llm.Money{}
	}
	states := make([]budget.State, len(accounts))
	for i, account := range accounts {
		states[i].Spent = l.spent[account]
	}
	for i, entry := range decide(states) {
		l.spent[accounts[i]] += entry.Spent
	}
	return nil
}
