package contract

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mender reads one value that is nearly JSON and writes it as JSON, in the order
// and with the digits that it has. What it cannot read in one way only it refuses;
// the end of the text within a value is a cut, and nothing is ever added there.
type mender struct {
	text    string
	at      int
	out     []byte
	changes changes
	bad     string // the first reason to refuse, "" so far
	cut     bool   // the reason is the end of the text
}

// maxDepth is how deep lists and objects may nest; the strict reader's bound.
const maxDepth = 200

func (m *mender) fail(format string, args ...any) {
	if m.bad == "" {
		m.bad = fmt.Sprintf(format, args...)
	}
}

func (m *mender) failCut(within string) {
	if m.bad == "" {
		m.bad, m.cut = "the answer is cut: the text ends within "+within, true
	}
}

func (m *mender) ended() bool { return m.at >= len(m.text) }

// next is the rune at the offset, 0 at the end.
func (m *mender) next() rune {
	if m.ended() {
		return 0
	}
	if c := m.text[m.at]; c < utf8.RuneSelf {
		return rune(c)
	}
	r, _ := utf8.DecodeRuneInString(m.text[m.at:])
	return r
}

// seen says what stands at the offset, for messages.
func (m *mender) seen() string {
	rest := m.text[m.at:]
	if strings.HasPrefix(rest, "...") || strings.HasPrefix(rest, "…") {
		return "an ellipsis: something was left out"
	}
	return fmt.Sprintf("%q", m.next())
}

func (m *mender) value(depth int) {
	switch r := m.next(); {
	case depth > maxDepth:
		m.fail("nested deeper than %d levels", maxDepth)
	case m.ended():
		m.failCut("a value")
	case r == '{':
		m.object(depth)
	case r == '[':
		m.list(depth)
	case closing(r) != 0:
		m.quoted()
	case r == '-' || r == '+' || r == '.' && !strings.HasPrefix(m.text[m.at:], "..") || r >= '0' && r <= '9':
		m.number()
	case isWord(r):
		m.literal()
	default:
		m.fail("a value cannot begin with %s", m.seen())
	}
}

func (m *mender) object(depth int) {
	m.at++
	m.out = append(m.out, '{')
	comma := -1 // the offset of a comma that waits for its member
	for {
		if m.space(); m.bad != "" {
			return
		}
		switch {
		case m.ended():
			m.failCut("an object")
			return
		case m.next() == '}':
			m.close('}', comma)
			return
		}
		if m.key(); m.bad != "" {
			return
		}
		m.space()
		if m.ended() {
			m.failCut("an object")
		} else if m.next() != ':' {
			m.fail("want a colon after the key, found %s", m.seen())
		}
		if m.bad != "" {
			return
		}
		m.at++
		m.out = append(m.out, ':')
		m.space()
		if m.value(depth + 1); m.bad != "" {
			return
		}
		var done bool
		if comma, done = m.afterMember(); done {
			return
		}
	}
}

// afterMember reads what stands behind an object's member: a comma, whose offset
// it gives, or the end. Where a comma is missing the next thing must be a key, apart
// from the value before; unquoted, on a line of its own.
func (m *mender) afterMember() (comma int, done bool) {
	end := m.at
	m.space()
	switch r := m.next(); {
	case m.bad != "":
	case m.ended():
		m.failCut("an object")
	case r == '}':
		m.close('}', -1)
	case r == ',':
		m.at++
		m.out = append(m.out, ',')
		return m.at - 1, false
	case closing(r) != 0 && (m.at > end || !isQuote(m.text[end-1])),
		isWord(r) && strings.Contains(m.text[end:m.at], "\n"):
		m.changes.add(repairMissingComma, end)
		m.out = append(m.out, ',')
		return -1, false
	default:
		m.fail("want a comma or } in the object, found %s", m.seen())
	}
	return -1, true
}

func isQuote(b byte) bool { return b == '"' || b == '\'' || b >= utf8.RuneSelf }

func (m *mender) list(depth int) {
	m.at++
	m.out = append(m.out, '[')
	comma := -1
	for {
		if m.space(); m.bad != "" {
			return
		}
		switch {
		case m.ended():
			m.failCut("a list")
			return
		case m.next() == ']':
			m.close(']', comma)
			return
		}
		first := m.next()
		if m.value(depth + 1); m.bad != "" {
			return
		}
		end := m.at
		m.space()
		r := m.next()
		switch {
		case m.bad != "":
			return
		case m.ended():
			m.failCut("a list")
			return
		case r == ']':
			m.close(']', -1)
			return
		case r == ',':
			comma = m.at
			m.at++
			m.out = append(m.out, ',')
		// "a" "b" may be one text, 10 500 one number, a[0] an index: only objects and
		// lists that stand apart are surely two.
		case r == first && (r == '{' || r == '[' && m.at > end):
			comma = -1
			m.changes.add(repairMissingComma, end)
			m.out = append(m.out, ',')
		default:
			m.fail("want a comma or ] in the list, found %s", m.seen())
			return
		}
	}
}

// close ends an object or a list; a comma that waits for a member goes.
func (m *mender) close(bracket byte, comma int) {
	if comma >= 0 {
		m.changes.add(repairTrailingComma, comma)
		m.out = m.out[:len(m.out)-1]
	}
	m.at++
	m.out = append(m.out, bracket)
}

// key reads an object's key: quoted, or a name or a whole number without quotes.
func (m *mender) key() {
	if closing(m.next()) != 0 {
		m.quoted()
		return
	}
	start := m.at
	for r := m.next(); !m.ended() && (isWord(r) || r >= '0' && r <= '9' || r == '-' && m.at > start); r = m.next() {
		m.at += utf8.RuneLen(r)
	}
	name := m.text[start:m.at]
	switch {
	case name == "":
		m.fail("want an object key, found %s", m.seen())
	case literals[name] != "" || isNaN(name):
		m.at = start
		m.fail("%s cannot be a key without quotes", name)
	case name[0] >= '0' && name[0] <= '9' && !wholeKey(name):
		m.at = start
		m.fail("%q cannot be a key without quotes", clip(name))
	default:
		m.changes.add(repairKey, start)
		m.out = append(append(append(m.out, '"'), name...), '"')
	}
}

// wholeKey reports a number that every language writes alike when it makes it a key.
func wholeKey(name string) bool {
	const safe = 15 // digits of a float64
	if len(name) > safe || name[0] == '0' && len(name) > 1 {
		return false
	}
	return strings.Trim(name, "0123456789") == ""
}

func isWord(r rune) bool { return r == '_' || r == '$' || r != utf8.RuneError && unicode.IsLetter(r) }

// space steps over white space and comments.
func (m *mender) space() {
	for m.bad == "" && !m.ended() {
		switch r := m.next(); {
		case r == ' ' || r == '\n' || r == '\r' || r == '\t':
			m.at++
		case r == '#', r == '/' && (strings.HasPrefix(m.text[m.at:], "//") || strings.HasPrefix(m.text[m.at:], "/*")):
			m.comment()
		case unicode.IsSpace(r), r == '\u200b', r == '\ufeff':
			m.changes.add(repairSpace, m.at)
			m.at += utf8.RuneLen(r)
		default:
			return
		}
	}
}

// comment leaves a comment out, unless it says that something else was left out.
func (m *mender) comment() {
	rest := m.text[m.at:]
	end, skip := strings.IndexByte(rest, '\n'), 0
	if strings.HasPrefix(rest, "/*") {
		if end = strings.Index(rest[2:], "*/"); end < 0 {
			m.at = len(m.text)
			m.failCut("a comment")
			return
		}
		end, skip = end+2, 2
	} else if end < 0 {
		end = len(rest)
	}
	if said := rest[:end]; strings.Contains(said, "...") || strings.Contains(said, "…") {
		m.fail("a comment with an ellipsis: something was left out")
		return
	}
	m.changes.add(repairComment, m.at)
	m.at += end + skip
}
