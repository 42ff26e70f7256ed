package server

import "sync"

// keptRecent is how many ids are kept: those of more than half a second of a busy server.
const keptRecent = 4096

// recent has the ids of the last requests that made a call, for whoever asks for one
// before it is stored. It is safe for concurrent use; the zero value has none.
type recent struct {
	mu   sync.Mutex
	ids  map[string]bool
	ring []string
	next int
}

func (r *recent) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids[id] {
		return
	}
	if r.ids == nil {
		r.ids, r.ring = map[string]bool{}, make([]string, keptRecent)
	}
	delete(r.ids, r.ring[r.next])
	r.ids[id], r.ring[r.next] = true, id
	r.next = (r.next + 1) % keptRecent
}

func (r *recent) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id]
}
