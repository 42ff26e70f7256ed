package report

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
)

// role says what a piece of text means; a page knows how that looks.
type role int

const (
	plain role = iota
	strong
	faint
	good
	bad
	doubtful
	removed
	added
)

// span is a piece of text with its role.
type span struct {
	text string
	role role
}

func text(s string) span { return span{text: s} }

// width counts the columns of a cleaned text.
func width(s string) int {
	if isPlain(s) {
		return len(s)
	}
	return lipgloss.Width(s)
}

func widthOf(line []span) int {
	sum := 0
	for _, s := range line {
		sum += width(s.text)
	}
	return sum
}

// cut shortens a cleaned text to so many columns, the last of them "…".
func cut(s string, columns int) string {
	if len(s) <= columns || width(s) <= columns {
		return s
	}
	if columns < 1 {
		return ""
	}
	return takeColumns(s, columns-1) + "…"
}

// takeColumns gives the longest start of a text that fits into so many columns.
// Runes are measured one by one, in one pass: what a model says may be nothing
// but joined characters.
func takeColumns(s string, columns int) string {
	used := 0
	for i, r := range s {
		if r < 0x7f {
			used++
		} else {
			used += lipgloss.Width(string(r))
		}
		if used > columns {
			return s[:i]
		}
	}
	return s
}

// pad fills a cleaned text up to so many columns, on the left if right is set.
func pad(s string, columns int, right bool) string {
	missing := columns - width(s)
	if missing <= 0 {
		return s
	}
	if right {
		return strings.Repeat(" ", missing) + s
	}
	return s + strings.Repeat(" ", missing)
}

// oneLineBytes bounds the bytes of a text that can matter on one line: even joined
// emoji take fewer bytes a column.
func oneLineBytes(columns int) int { return 32 * max(columns, 1) }

// wrap breaks spans into lines of at most so many columns, at spaces where there
// are some. The texts are cleaned first.
func wrap(spans []span, columns int) [][]span {
	columns = max(columns, 10)
	var lines [][]span
	var line []span
	used := 0
	flush := func() {
		lines, line, used = append(lines, trimmed(line)), nil, 0
	}
	for _, s := range spans {
		for _, word := range words(clean(s.text)) {
			letters := strings.TrimRightFunc(word, unicode.IsSpace)
			if used > 0 && used+width(letters) > columns {
				flush()
			}
			for width(letters) > columns {
				head := takeColumns(letters, columns)
				line = append(line, span{head, s.role})
				flush()
				letters, word = letters[len(head):], word[len(head):]
			}
			used += width(word)
			if n := len(line); n > 0 && line[n-1].role == s.role {
				line[n-1].text += word
				continue
			}
			line = append(line, span{word, s.role})
		}
	}
	if len(line) > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// trimmed takes the spaces off a line's end: they would count as columns too many,
// and cost the line its last letter.
func trimmed(line []span) []span {
	for i := len(line) - 1; i >= 0; i-- {
		line[i].text = strings.TrimRightFunc(line[i].text, unicode.IsSpace)
		if line[i].text != "" {
			break
		}
	}
	return line
}

// words splits a text after its runs of spaces, which stay with the word before.
func words(s string) []string {
	var list []string
	start := 0
	space := false
	for i, r := range s {
		if isSpace := unicode.IsSpace(r); isSpace {
			space = true
		} else if space {
			list = append(list, s[start:i])
			start, space = i, false
		}
	}
	if start < len(s) {
		list = append(list, s[start:])
	}
	return list
}
