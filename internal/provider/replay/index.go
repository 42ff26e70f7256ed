package replay

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// id is the first 16 bytes of a key: enough to tell recordings apart. Lookup
// compares the whole key.
type id [2]uint64

func idOf(key string) (id, bool) {
	var raw [32]byte
	if len(key) != 2*len(raw) {
		return id{}, false
	}
	if _, err := hex.Decode(raw[:], []byte(key)); err != nil {
		return id{}, false
	}
	return id{binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:16])}, true
}

func (a id) compare(b id) int {
	switch {
	case a[0] < b[0]:
		return -1
	case a[0] > b[0]:
		return 1
	case a[1] < b[1]:
		return -1
	case a[1] > b[1]:
		return 1
	}
	return 0
}

// span says where a recording's line stands: 32 bytes a recording.
type span struct {
	id   id
	at   int64
	size uint32 // without the line's end
	line uint32 // counted from 1
}

// index finds spans. Those of the file are a sorted slice, which costs no more
// than it holds; new ones wait in a map, and move over when they have become many.
type index struct {
	sorted []span
	added  map[id]span
}

// build sorts the spans and keeps the last of each key; it tells how many others there were.
func (x *index) build(spans []span) (duplicates int) {
	slices.SortFunc(spans, func(a, b span) int {
		if c := a.id.compare(b.id); c != 0 {
			return c
		}
		return int(max(min(a.at-b.at, 1), -1))
	})
	kept := spans[:0]
	for _, s := range spans {
		if n := len(kept); n > 0 && kept[n-1].id == s.id {
			kept[n-1] = s
			duplicates++
			continue
		}
		kept = append(kept, s)
	}
	x.sorted, x.added = kept, nil
	return duplicates
}

func (x *index) find(key id) (span, bool) {
	if s, ok := x.added[key]; ok {
		return s, true
	}
	i, ok := slices.BinarySearchFunc(x.sorted, key, func(s span, key id) int { return s.id.compare(key) })
	if !ok {
		return span{}, false
	}
	return x.sorted[i], true
}

func (x *index) add(s span) {
	if x.added == nil {
		x.added = map[id]span{}
	}
	x.added[s.id] = s
	if len(x.added) > 4096+len(x.sorted)/8 {
		spans := slices.Grow(x.sorted, len(x.added))
		for _, s := range x.added {
			spans = append(spans, s)
		}
		x.build(spans)
	}
}

// all lists the spans in the order of the file.
func (x *index) all() []span {
	spans := make([]span, 0, len(x.sorted)+len(x.added))
	for _, s := range x.sorted {
		if _, newer := x.added[s.id]; !newer {
			spans = append(spans, s)
		}
	}
	for _, s := range x.added {
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b span) int { return int(max(min(a.at-b.at, 1), -1)) })
	return spans
}

func (x *index) len() int {
	n := len(x.sorted)
	for key := range x.added {
		if _, known := slices.BinarySearchFunc(x.sorted, key, func(s span, key id) int { return s.id.compare(key) }); !known {
			n++
		}
	}
	return n
}
