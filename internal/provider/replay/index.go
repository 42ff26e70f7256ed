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

// pageSize bounds a page of the index, in spans: a new one moves 32 KB at most.
const pageSize = 1024

// index finds spans. They stand in pages, sorted over all, so that one can be added
// without moving or copying the others: a million take no more than they hold and
// the air in the pages.
type index struct{ pages [][]span }

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
	x.pages = x.pages[:0]
	for page := range slices.Chunk(kept, pageSize) {
		x.pages = append(x.pages, page)
	}
	return duplicates
}

// place is where a key stands, or would stand: its page and its place in it. There
// must be a page.
func (x *index) place(key id) (page, at int, found bool) {
	page, found = slices.BinarySearchFunc(x.pages, key, func(p []span, key id) int { return p[0].id.compare(key) })
	if found {
		return page, 0, true
	}
	page = max(page-1, 0) // the last page that begins before the key
	at, found = slices.BinarySearchFunc(x.pages[page], key, func(s span, key id) int { return s.id.compare(key) })
	return page, at, found
}

func (x *index) find(key id) (span, bool) {
	if len(x.pages) == 0 {
		return span{}, false
	}
	page, at, found := x.place(key)
	if !found {
		return span{}, false
	}
	return x.pages[page][at], true
}

// add puts a span in its place; one of the same key is replaced.
func (x *index) add(s span) {
	if len(x.pages) == 0 {
		x.pages = [][]span{append(make([]span, 0, pageSize), s)}
		return
	}
	page, at, found := x.place(s.id)
	if found {
		x.pages[page][at] = s
		return
	}
	if full := x.pages[page]; len(full) >= pageSize {
		half := append(make([]span, 0, pageSize), full[pageSize/2:]...)
		x.pages[page] = append(make([]span, 0, pageSize), full[:pageSize/2]...)
		x.pages = slices.Insert(x.pages, page+1, half)
		if at > pageSize/2 {
			page, at = page+1, at-pageSize/2
		}
	}
	x.pages[page] = slices.Insert(x.pages[page], at, s)
}

// all lists the spans in the order of the file.
func (x *index) all() []span {
	spans := slices.Concat(x.pages...)
	slices.SortFunc(spans, func(a, b span) int { return int(max(min(a.at-b.at, 1), -1)) })
	return spans
}

func (x *index) len() int {
	n := 0
	for _, page := range x.pages {
		n += len(page)
	}
	return n
}
