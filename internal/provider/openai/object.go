package openai

import (
	"encoding/json"
	"strings"
)

// object is a JSON object that comes in pieces. Whether it is whole must be known
// after each: so its brackets are counted as they come, and it is parsed but once,
// where they close. To parse all of it again for each piece would take minutes for
// megabytes in small pieces.
type object struct {
	text    strings.Builder
	depth   int
	begun   bool
	quoted  bool // inside a string …
	escaped bool // … behind a backslash
	closed  bool // the first bracket has its partner
	valid   bool
}

// String is what has come.
func (o *object) String() string { return o.text.String() }

// whole reports whether nothing but blanks can be added.
func (o *object) whole() bool { return o.valid }

func (o *object) add(piece string) {
	before := o.text.Len()
	o.text.WriteString(piece)
	for i := range len(piece) {
		c := piece[i]
		switch {
		case o.closed:
			o.valid = o.valid && blank(c)
		case !o.begun:
			o.begun = !blank(c)
			o.closed = o.begun && c != '{' // no object, whatever follows
			o.depth = 1
		default:
			o.step(c)
			if o.closed {
				o.valid = json.Valid([]byte(o.text.String()[:before+i+1]))
			}
		}
	}
}

// step goes on by one byte inside the object.
func (o *object) step(c byte) {
	switch {
	case o.escaped:
		o.escaped = false
	case o.quoted:
		o.escaped = c == '\\'
		o.quoted = c != '"'
	case c == '"':
		o.quoted = true
	case c == '{' || c == '[':
		o.depth++
	case c == '}' || c == ']':
		o.depth--
		o.closed = o.depth == 0
	}
}

// blank reports whether JSON has the byte as white space.
func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
