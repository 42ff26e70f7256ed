package suite

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// editJSONL replaces the members of rows that make the golden answer.
func editJSONL(g *goldenEdit, f *goldenFile) error {
	var failure error
	offset, line := 0, 1
	readJSONL(nil, f.name, bytes.NewReader(f.data), func(r row, err error) bool {
		if err != nil {
			failure = err
			return false
		}
		for ; line < r.place.Line; line++ {
			offset += bytes.IndexByte(f.data[offset:], '\n') + 1
		}
		if c := g.want(rowID(r.columns), r.place, true); c != nil {
			failure = editLine(f, offset, r, c)
		}
		return failure == nil
	})
	return failure
}

// rowID is a row's id as readRow has it.
func rowID(columns map[string]any) string {
	switch id := columns["id"].(type) {
	case string:
		return id
	case json.Number:
		return string(id)
	}
	return ""
}

func editLine(f *goldenFile, from int, r row, c *goldenChange) (err error) {
	if c.before, c.had, err = goldenOf(r.columns); err != nil {
		return at(r.place, err)
	}
	if c.unchanged() {
		return nil
	}
	line := f.data[from:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	start := bytes.IndexByte(line, '{')
	o := splitObject(line[start:])
	o.set(c.after)
	f.edits = append(f.edits, byteEdit{from: from + start, to: from + start + o.length, text: o.String()})
	return nil
}

// rawMember is a member of an object as its bytes are: white space before the name,
// the name as it is written, what stands between name and value, the value, and
// white space after it.
type rawMember struct {
	lead, written, colon, value, trail string
	name                               string // decoded
}

// rawObject is an object whose text can be put together again, byte by byte.
type rawObject struct {
	members []rawMember
	length  int // of its text
}

// splitObject takes an object with members apart; the text is known to be valid.
func splitObject(text []byte) *rawObject {
	o := &rawObject{}
	at := 1
	space := func() string {
		start := at
		for strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
		}
		return string(text[start:at])
	}
	for {
		var m rawMember
		m.lead = space()
		end := at + rawLength(text[at:])
		m.written = string(text[at:end])
		_ = json.Unmarshal(text[at:end], &m.name) // it has been decoded once
		at = end
		m.colon = space()
		at++
		m.colon += ":" + space()
		end = at + rawLength(text[at:])
		m.value = string(text[at:end])
		at = end
		m.trail = space()
		o.members = append(o.members, m)
		if at++; text[at-1] == '}' {
			o.length = at
			return o
		}
	}
}

// rawLength is the length of the valid JSON value that text begins with.
func rawLength(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
			continue
		case ']', '}':
			depth--
		default:
			if depth > 0 {
				continue
			}
			if next := bytes.IndexAny(text[i:], ",]} \t\r\n"); next >= 0 {
				return i + next
			}
			return len(text)
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// set changes the members that make the golden answer; a new one is the last. Of
// values that stay, the bytes stay.
func (o *rawObject) set(golden any) {
	spaced := strings.HasSuffix(o.members[0].colon, " ")
	var have []string
	for _, m := range o.members {
		if isGoldenColumn(m.name) {
			have = append(have, m.name)
		}
	}
	cells := spread(golden, have)
	kept := o.members[:0:0]
	for i, m := range o.members {
		value, stays := cells[m.name]
		switch {
		case !isGoldenColumn(m.name):
		case !stays:
			if i == len(o.members)-1 && i > 0 {
				kept[len(kept)-1].trail = m.trail // the id at least was kept
			}
			continue
		default:
			if old, err := decodeRaw(m.value); err != nil || !reflect.DeepEqual(old, value) {
				m.value = encodeGolden(value, spaced)
			}
		}
		kept = append(kept, m)
	}
	kept[0].lead = o.members[0].lead
	for _, name := range slices.Sorted(maps.Keys(cells)) {
		if !slices.Contains(have, name) {
			kept = appendMember(kept, name, encodeGolden(cells[name], spaced), spaced)
		}
	}
	o.members = kept
}

func decodeRaw(text string) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// appendMember adds a last member, spaced as its neighbours are.
func appendMember(members []rawMember, name, value string, spaced bool) []rawMember {
	last := &members[len(members)-1]
	m := rawMember{name: name, written: encodeGolden(name, false), colon: ":", value: value, trail: last.trail}
	last.trail = ""
	if spaced {
		m.lead, m.colon = " ", ": "
	}
	if len(members) > 1 {
		m.lead = last.lead
	}
	return append(members, m)
}

func (o *rawObject) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m.lead + m.written + m.colon + m.value + m.trail)
	}
	b.WriteByte('}')
	return b.String()
}
