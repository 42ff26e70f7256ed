package cache

import (
	"math"

	"github.com/maypok86/otter/v2"
)

const (
	// usualMemory is the bound where Options say nothing.
	usualMemory = 16 << 20
	// largestShare of the bound is what one entry may take: a few large answers must
	// not drive out thousands of small ones.
	largestShare = 16
	// entryOverhead is about what an entry takes in memory besides its texts.
	entryOverhead = 640
)

// memory is the layer over the storage: bounded by bytes, what is rarely used goes
// first. It looks at no clock and has no goroutine; who gets an entry looks whether
// it has expired.
type memory struct {
	entries *otter.Cache[identity, *Entry] // nil: nothing is kept
	largest int64                          // bytes of one entry
}

func newMemory(bytes int64) *memory {
	switch {
	case bytes < 0:
		return &memory{}
	case bytes == 0:
		bytes = usualMemory
	}
	return &memory{
		largest: min(bytes/largestShare, math.MaxUint32),
		entries: otter.Must(&otter.Options[identity, *Entry]{
			MaximumWeight: uint64(bytes),
			Weigher:       func(_ identity, entry *Entry) uint32 { return uint32(entry.bytes()) },
			// Who puts an entry evicts for it.
			Executor: func(evict func()) { evict() },
			Logger:   &otter.NoopLogger{},
		}),
	}
}

func (m *memory) get(id identity) (*Entry, bool) {
	if m.entries == nil {
		return nil, false
	}
	return m.entries.GetIfPresent(id)
}

// put replaces what is there; an entry that is too large leaves the storage's alone.
func (m *memory) put(id identity, entry *Entry) {
	switch {
	case m.entries == nil:
	case entry.bytes() > m.largest:
		m.entries.Invalidate(id)
	default:
		m.entries.Set(id, entry)
	}
}

// bytes is about what the entry takes in memory.
func (e *Entry) bytes() int64 {
	n := entryOverhead + len(e.Text) + len(e.End.Model) + len(e.End.ResponseID)
	for i := range e.ToolCalls {
		call := &e.ToolCalls[i]
		n += 48 + len(call.ID) + len(call.Name) + len(call.Arguments)
	}
	return int64(n)
}
