package cli

import (
	"context"
	"hash/maphash"
	"sync"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/store"
)

// storedCache lets the store be the cache's storage. A cache that cannot be read
// is a miss; one that cannot be written says so when the run ends.
//
// A store that had no entry at first is not asked for what this process has not put
// there: most live runs ask for nothing that was asked before, and every look would
// cost a tenth of a call. What another process puts there meanwhile is asked anew.
type storedCache struct {
	store *store.Store
	empty bool // there was no entry at first
	seed  maphash.Seed

	mu  sync.Mutex
	put map[uint64]struct{} // keys; nil once there are too many to remember
}

// mostPut bounds the keys that are remembered.
const mostPut = 100_000

func newStoredCache(s *store.Store) *storedCache {
	empty := false
	if s != nil {
		empty, _ = s.CacheEmpty(context.Background()) // who cannot tell is asked
	}
	return &storedCache{store: s, empty: empty, seed: maphash.MakeSeed(), put: map[uint64]struct{}{}}
}

// Get looks for an entry.
func (c *storedCache) Get(ctx context.Context, key string) (cache.Entry, bool) {
	if c.empty && !c.mayHave(key) {
		return cache.Entry{}, false
	}
	found, ok, err := c.store.CacheGet(ctx, key)
	if err != nil || !ok {
		return cache.Entry{}, false
	}
	return cache.Entry{Text: found.Text, ToolCalls: found.ToolCalls, End: found.End, Expires: found.Expires}, true
}

// Put keeps an entry.
func (c *storedCache) Put(key string, entry cache.Entry) {
	c.mu.Lock()
	if c.put != nil {
		if c.put[maphash.String(c.seed, key)] = struct{}{}; len(c.put) > mostPut {
			c.put = nil
		}
	}
	c.mu.Unlock()
	_ = c.store.CachePut(key, store.CacheEntry{Text: entry.Text, ToolCalls: entry.ToolCalls, End: entry.End, Expires: entry.Expires})
}

func (c *storedCache) mayHave(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.put == nil {
		return true
	}
	_, ok := c.put[maphash.String(c.seed, key)]
	return ok
}
