package prompt

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// source is template text that remembers which file each of its bytes came from,
// so that a failure in a flattened prompt is reported where its author wrote it.
type source struct {
	s       string
	origins []origin // ascending; the first is at 0
}

// origin says that the bytes from at on stand at place and after it.
type origin struct {
	at    int
	place fault.Place
}

func newSource(s string, place fault.Place) source {
	return source{s: s, origins: []origin{{place: place}}}
}

// originAt is the index of the origin that covers the offset.
func (t source) originAt(offset int) int {
	return sort.Search(len(t.origins), func(i int) bool { return t.origins[i].at > offset }) - 1
}

// place tells where the byte at offset was written. Columns count characters.
func (t source) place(offset int) fault.Place {
	offset = min(max(offset, 0), len(t.s))
	from := t.origins[t.originAt(offset)]
	place := from.place
	between := t.s[from.at:offset]
	if lines := strings.Count(between, "\n"); lines > 0 {
		place.Line += lines
		place.Col = 1
		between = between[strings.LastIndexByte(between, '\n')+1:]
	}
	place.Col += utf8.RuneCountInString(between)
	return place
}

// whole reports whether the bytes of [start, end) were written in one file, in a row.
func (t source) whole(start, end int) bool {
	return t.originAt(start) == t.originAt(max(start, end-1))
}

func (t source) slice(start, end int) source {
	part := source{s: t.s[start:end], origins: []origin{{place: t.place(start)}}}
	for _, o := range t.origins[t.originAt(start)+1:] {
		if o.at >= end {
			break
		}
		part.origins = append(part.origins, origin{at: o.at - start, place: o.place})
	}
	return part
}

// sourceBuilder joins pieces of source.
type sourceBuilder struct {
	s       []byte
	origins []origin
}

func (b *sourceBuilder) add(piece source) {
	if piece.s == "" {
		return
	}
	for _, o := range piece.origins {
		b.origins = append(b.origins, origin{at: o.at + len(b.s), place: o.place})
	}
	b.s = append(b.s, piece.s...)
}

// trimRight drops white space from the end, as {%- does.
func (b *sourceBuilder) trimRight() {
	b.s = b.s[:len(strings.TrimRight(string(b.s), jinjaSpace))]
	for len(b.origins) > 1 && b.origins[len(b.origins)-1].at >= len(b.s) {
		b.origins = b.origins[:len(b.origins)-1]
	}
}

func (b *sourceBuilder) source(empty fault.Place) source {
	if len(b.origins) == 0 || b.origins[0].at != 0 {
		return newSource(string(b.s), empty)
	}
	return source{s: string(b.s), origins: b.origins}
}

const jinjaSpace = " \t\r\n"

// trimLines drops the blank lines at both ends and the white space of the last
// line; the indentation of the first line stays.
func (t source) trimLines() source {
	end := len(strings.TrimRight(t.s, jinjaSpace))
	start := end - len(strings.TrimLeft(t.s[:end], jinjaSpace))
	if line := strings.LastIndexByte(t.s[:start], '\n'); line >= 0 {
		start = line + 1
	} else {
		start = 0
	}
	return t.slice(start, end)
}
