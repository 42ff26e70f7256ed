package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a text safe for a terminal, on one line: what a model or a file
// says must not move the cursor, colour the screen, or turn the reading
// direction around. Such characters are shown as escapes: \x1b, \r, \u202e.
func clean(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	stacked := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) {
			stacked++
		} else {
			stacked = 0
		}
		switch {
		case stacked > maxStacked:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString("→   ")
		case r < 0x80 && isUnsafe(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case isUnsafe(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// maxStacked bounds the marks over one letter: scripts need a few, and more of
// them would draw over the lines above and take no column of their own.
const maxStacked = 4

// isPlain reports whether a text is printable ASCII, which most texts are.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isUnsafe finds control characters (C0, DEL, C1), line and paragraph separators,
// and all format characters but the two joiners that scripts and emoji need.
// Format characters hold the bidi overrides, zero-width and tag characters.
func isUnsafe(r rune) bool {
	switch {
	case r < 0x20, r == 0x7f:
		return true
	case r < 0x7f:
		return false
	case r == 0x200c, r == 0x200d:
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// Printable makes a stranger's text fit for a terminal: control and bidirectional
// characters are written as escapes, lines and tabs stay.
func Printable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = clean(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}
