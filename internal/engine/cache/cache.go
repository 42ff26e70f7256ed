// Package cache is the engine's wrapper that answers the exact same request from
// what was answered before, or is being answered now. It imports the words of llm
// and fault, and alone imports github.com/maypok86/otter; the store satisfies Storage.
package cache

import (
	"context"
	"encoding/hex"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Storage keeps entries by key, beyond the life of this process. A broken entry is
// a miss, never an error to the caller. Entries that are handed over are not
// changed by either side.
type Storage interface {
	Get(ctx context.Context, key string) (Entry, bool)
	Put(key string, entry Entry)
}

// Options of the cache.
type Options struct {
	Storage Storage
	// MemoryBytes bounds the entries that are kept in memory over Storage, about:
	// 0 for the usual 16 MB, below 0 for none.
	MemoryBytes int64
	TTL         time.Duration
	Now         func() time.Time // the wall clock, by which entries expire
	// Resolve gives the alias of the model that a request is meant for, and names all
	// that it stands for, so that re-pointing an alias asks anew. Not ok are requests
	// whose answers are neither kept nor shared: they depend on what is in no key (a
	// simulated model knows the golden answer), or nobody knows the name.
	Resolve func(req llm.Request) (alias, resolved string, ok bool)
}

// cache is the wrapper; its memory and flights are those of one engine.
type cache struct {
	Options
	next    llm.Model
	memory  *memory
	flights flights
}

// New wraps a model.
//
// Only whole answers that stopped by themselves, or to have tools called, and were
// accepted by the contract are kept (End.Keep): never a fallback's, cut,
// length-stopped, filtered or failed one, nor one of which pieces were left out.
//
// Equal requests that may be answered from the cache and are under way at the same
// time share one answer, whatever it is: that is not keeping it. A request that asks
// again for what broke its contract (Request.Reask) does none of this.
func New(o Options, next llm.Model) llm.Model {
	return &cache{Options: o, next: next, memory: newMemory(o.MemoryBytes)}
}

// Stream answers from memory, from an equal request under way, from the storage,
// or from below, in this order.
func (c *cache) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	if req.Reask > 0 || !req.Reuse.Reads() && !req.Reuse.Keeps() {
		return c.next.Stream(ctx, req)
	}
	alias, resolved, ok := c.Resolve(req)
	if !ok {
		return c.next.Stream(ctx, req)
	}
	return func(yield func(llm.Event, error) bool) {
		id := identify(&req, resolved)
		if !req.Reuse.Reads() {
			c.ask(ctx, id, req, nil, yield)
			return
		}
		if entry, hit := c.memory.get(id); hit && c.alive(entry) {
			entry.give(ctx, alias, yield)
			return
		}
		c.share(ctx, id, alias, req, yield)
	}
}

// alive reports an entry that has not expired. One that has stays where it is
// until it is replaced or evicted.
func (c *cache) alive(entry *Entry) bool {
	return entry.Expires.IsZero() || c.Now().Before(entry.Expires)
}

// lead answers for all who ask the same now: from the storage, else from below.
func (c *cache) lead(ctx context.Context, id identity, alias string, req llm.Request, f *flight, yield func(llm.Event, error) bool) {
	defer c.flights.land(f) // also when the caller panics or stops listening
	if entry, hit := c.stored(ctx, id); hit {
		f.answer = entry
		f.tell()
		entry.give(ctx, alias, yield)
		return
	}
	c.ask(ctx, id, req, f, yield)
}

// stored looks in the storage, and in memory once more: the answer of a leader who
// has just landed may still be on its way to the storage.
func (c *cache) stored(ctx context.Context, id identity) (*Entry, bool) {
	if entry, hit := c.memory.get(id); hit && c.alive(entry) {
		return entry, true
	}
	entry, hit := c.Storage.Get(ctx, hex.EncodeToString(id[:]))
	if !hit || !entry.whole() || !c.alive(&entry) {
		return nil, false
	}
	c.memory.put(id, &entry)
	return &entry, true
}

// ask passes a fresh answer on, tells the flight of it (nil: nobody waits), and
// lets the contract keep it.
func (c *cache) ask(ctx context.Context, id identity, req llm.Request, f *flight, yield func(llm.Event, error) bool) {
	var heard hearing
	for event, err := range c.next.Stream(ctx, req) {
		if err != nil {
			c.flights.fail(ctx, f, err)
			yield(llm.Event{}, err)
			return
		}
		heard.add(event)
		if event.End != nil {
			end := *event.End
			entry := heard.entry(ctx, end, c.Now())
			if f != nil {
				f.answer = entry.shared()
				f.tell()
			}
			if req.Reuse.Keeps() && end.Stored == nil && entry.worthKeeping() {
				end.Keep = func() { c.keep(id, entry.kept(c.TTL)) }
			}
			event.End = &end
		}
		if !yield(event, nil) {
			return
		}
	}
	c.flights.fail(ctx, f, errCut)
}

// keep puts an entry into both layers; in memory it is found at once.
func (c *cache) keep(id identity, entry *Entry) {
	c.memory.put(id, entry)
	c.Storage.Put(hex.EncodeToString(id[:]), *entry)
}
