package contract

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// closing is the quote that ends a string which r begins, 0 for what is no quote.
func closing(r rune) rune {
	switch r {
	case '"', '\'':
		return r
	case '“':
		return '”'
	case '‘':
		return '’'
	}
	return 0
}

// quoted reads a string up to the first quote of its kind that is not escaped. What
// follows must be a delimiter, so an apostrophe or a quote within is never guessed.
func (m *mender) quoted() {
	start := m.at
	opening := m.next()
	end := closing(opening)
	if opening != '"' {
		m.changes.add(repairQuotes, start)
	}
	m.at += utf8.RuneLen(opening)
	m.out = append(m.out, '"')
	kept, letter := -1, false // a backslash that was kept, and an escape such as \n or \u0041
	for m.bad == "" {
		if m.ended() {
			m.failCut("a string")
			return
		}
		r, size := utf8.DecodeRuneInString(m.text[m.at:])
		switch {
		case r == end:
			m.at += size
			m.out = append(m.out, '"')
			if kept >= 0 && letter {
				m.fail("escapes that can be read in two ways: single backslashes beside \\n, \\t and the like")
			}
			return
		case r == '\\':
			at := m.at
			switch m.escape(opening) {
			case escapeKept:
				kept = at
			case escapeLetter:
				letter = true
			}
		case r == '"':
			m.out = append(m.out, '\\', '"')
			m.at++
		case r == '\n' || r == '\r' || r == '\t':
			m.changes.add(repairControl, m.at)
			m.out = append(m.out, '\\', "nrt"[strings.IndexRune("\n\r\t", r)])
			m.at++
		case r < ' ':
			m.fail("a control character (%#02x) in a string", r)
		case r == utf8.RuneError && size == 1:
			m.fail("the byte %#02x is not UTF-8", m.text[m.at])
		default:
			m.out = append(m.out, m.text[m.at:m.at+size]...)
			m.at += size
		}
	}
}

type escapeKind int

const (
	escapePlain  escapeKind = iota // \" \\ \/
	escapeLetter                   // \b \f \n \r \t \u0041
	escapeKept                     // a backslash that stands for itself
)

// escape reads what a backslash begins.
func (m *mender) escape(opening rune) escapeKind {
	if m.at+1 >= len(m.text) {
		m.at = len(m.text)
		m.failCut("a string")
		return escapePlain
	}
	c := m.text[m.at+1]
	switch {
	case strings.IndexByte(`"\/`, c) >= 0:
		m.out = append(m.out, '\\', c)
		m.at += 2
		return escapePlain
	case strings.IndexByte("bfnrt", c) >= 0:
		m.out = append(m.out, '\\', c)
		m.at += 2
		return escapeLetter
	case c == 'u' && hexadecimal.MatchString(m.text[m.at+2:min(m.at+6, len(m.text))]):
		m.out = append(m.out, m.text[m.at:m.at+6]...)
		m.at += 6
		return escapeLetter
	case c == '\'':
		if opening != '\'' {
			m.changes.add(repairEscape, m.at)
		}
		m.out = append(m.out, '\'')
		m.at += 2
		return escapePlain
	case c <= ' ' || c >= utf8.RuneSelf || strings.IndexByte("uUxN01234567", c) >= 0:
		// Other languages have a character for it, or continue the line.
		m.fail("an escape that can be read in two ways: \\%s", clip(m.text[m.at+1:min(m.at+2, len(m.text))]))
		return escapePlain
	}
	m.changes.add(repairEscape, m.at)
	m.out = append(m.out, '\\', '\\')
	m.at++
	return escapeKept
}

var hexadecimal = regexp.MustCompile(`^[0-9a-fA-F]{4}$`)

// literals are the words that stand for values, as they are written by somebody.
var literals = map[string]string{
	"true": "true", "True": "true", "TRUE": "true",
	"false": "false", "False": "false", "FALSE": "false",
	"null": "null", "None": "null", "Null": "null", "NULL": "null",
}

func isNaN(word string) bool { return strings.EqualFold(word, "nan") }

// literal reads a word. NaN becomes null, as JSON's writers make it; the schema then
// says whether nothing may stand there.
func (m *mender) literal() {
	start := m.at
	for r := m.next(); !m.ended() && (isWord(r) || r >= '0' && r <= '9'); r = m.next() {
		m.at += utf8.RuneLen(r)
	}
	word := m.text[start:m.at]
	value := literals[word]
	switch {
	case value == word:
	case value != "":
		m.changes.add(repairLiteral, start)
	case isNaN(word):
		m.changes.add(repairNaN, start)
		value = "null"
	case word == "Infinity" || word == "undefined":
		m.at = start
		m.fail("%s has no value in JSON", word)
	default:
		m.at = start
		m.fail("text without quotes: %s", clip(word))
	}
	m.out = append(m.out, value...)
}

// number keeps the digits as they are written: nothing is rounded.
func (m *mender) number() {
	start := m.at
	for m.at < len(m.text) && numberByte(m.text[m.at]) {
		m.at++
	}
	digits := m.text[start:m.at]
	written, ok := numberForm(digits)
	if !ok {
		m.at = start
		m.fail("%q is no number of JSON", clip(digits))
		return
	}
	if written != digits {
		m.changes.add(repairNumber, start)
	}
	m.out = append(m.out, written...)
}

// numberByte takes more than a number may hold, so that 5kg and 0x1F are seen whole.
func numberByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '-' || c == '.' || c == '_' || c == '%'
}

// looseNumber is a number as many languages write it, in its parts.
var looseNumber = regexp.MustCompile(`^([+-]?)(0|[1-9][0-9]*)?(\.([0-9]*))?([eE][+-]?[0-9]+)?$`)

// numberForm writes +1, .5 and 5. as JSON does. Leading zeroes, separators, units
// and other bases are refused.
func numberForm(digits string) (string, bool) {
	parts := looseNumber.FindStringSubmatch(digits)
	if parts == nil || parts[2] == "" && parts[4] == "" {
		return "", false
	}
	sign, whole, fraction, exponent := strings.TrimPrefix(parts[1], "+"), parts[2], parts[4], parts[5]
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction + exponent, true
}

func clip(text string) string {
	const most = 40
	if runes := []rune(text[:min(len(text), 4*most)]); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
