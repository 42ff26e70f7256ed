package suite

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// yamlText finds where the values of a YAML file end. Nodes say where they begin;
// the file is known to be valid, so brackets and quotes are closed.
type yamlText struct {
	file  string
	data  []byte
	lines []int // offsets of their beginnings
}

func newYAMLText(file string, data []byte) *yamlText {
	t := &yamlText{file: file, data: data, lines: []int{0}}
	if bytes.HasPrefix(data, byteOrderMark) {
		t.lines[0] = len(byteOrderMark)
	}
	for i := 0; i < len(data); {
		if n := breakLength(data[i:]); n > 0 {
			i += n
			t.lines = append(t.lines, i)
			continue
		}
		i++
	}
	return t
}

// breakLength is the length of the line break that text begins with: those of YAML
// 1.1, which the reader counts lines by.
func breakLength(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	switch text[0] {
	case '\n':
		return 1
	case '\r':
		if len(text) > 1 && text[1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if len(text) > 1 && text[1] == 0x85 {
			return 2
		}
	case 0xe2:
		if len(text) > 2 && text[1] == 0x80 && (text[2] == 0xa8 || text[2] == 0xa9) {
			return 3
		}
	}
	return 0
}

// offset is where a place stands in the file. Columns count characters.
func (t *yamlText) offset(place fault.Place) int {
	at := t.lines[min(place.Line, len(t.lines))-1]
	for range place.Col - 1 {
		_, size := utf8.DecodeRune(t.data[at:])
		at += size
	}
	return at
}

// column counts the characters before an offset in its line.
func (t *yamlText) column(at int) int {
	start := t.lineStart(at)
	return utf8.RuneCount(t.data[start:at])
}

func (t *yamlText) lineStart(at int) int {
	low, high := 0, len(t.lines)
	for high-low > 1 {
		if middle := (low + high) / 2; t.lines[middle] <= at {
			low = middle
		} else {
			high = middle
		}
	}
	return t.lines[low]
}

// lineEnd is the offset of the break that ends the line, or the end of the file.
func (t *yamlText) lineEnd(at int) int {
	for at < len(t.data) && breakLength(t.data[at:]) == 0 {
		at++
	}
	return at
}

// nextLine is the offset after the line and its break.
func (t *yamlText) nextLine(at int) int {
	end := t.lineEnd(at)
	return end + breakLength(t.data[end:])
}

// char is the byte at an offset; 0 at the end.
func (t *yamlText) char(at int) byte {
	if at < len(t.data) {
		return t.data[at]
	}
	return 0
}

// blank reports whether white space, a break or the end is at an offset.
func (t *yamlText) blank(at int) bool {
	c := t.char(at)
	return c == 0 || c == ' ' || c == '\t' || breakLength(t.data[at:]) > 0
}

// skip steps over white space, breaks, comments and the bytes of more.
func (t *yamlText) skip(at int, more string) int {
	for at < len(t.data) {
		switch n := breakLength(t.data[at:]); {
		case n > 0:
			at += n
		case t.data[at] == ' ' || t.data[at] == '\t' || strings.IndexByte(more, t.data[at]) >= 0:
			at++
		case t.data[at] == '#':
			at = t.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

// word is the end of an alias, an anchor or a tag.
func (t *yamlText) word(at int) int {
	if bytes.HasPrefix(t.data[at:], []byte("!<")) {
		return at + bytes.IndexByte(t.data[at:], '>') + 1
	}
	for !t.blank(at) && strings.IndexByte(",[]{}", t.data[at]) < 0 {
		at++
	}
	return at
}

// quoted is the end of a scalar in quotes.
func (t *yamlText) quoted(at int) int {
	quote := t.data[at]
	for at++; at < len(t.data); at++ {
		switch {
		case quote == '"' && t.data[at] == '\\':
			at++
		case t.data[at] == quote && quote == '\'' && t.char(at+1) == quote:
			at++
		case t.data[at] == quote:
			return at + 1
		}
	}
	return at
}

// plain is the end of a scalar without quotes, which stands deeper than indent,
// or within brackets.
func (t *yamlText) plain(at, indent int, flow bool) int {
	end := at
	for at < len(t.data) {
		c := t.data[at]
		switch n := breakLength(t.data[at:]); {
		case n > 0:
			at = t.skipBlank(at)
			if at < len(t.data) && (t.data[at] == '#' || !flow && t.column(at) <= indent) {
				return end
			}
		case c == ' ' || c == '\t':
			if at++; t.char(at) == '#' {
				return end
			}
		case flow && strings.IndexByte(",[]{}", c) >= 0:
			return end
		case c == ':' && (t.blank(at+1) || flow && strings.IndexByte(",[]{}", t.char(at+1)) >= 0):
			return end
		default:
			at++
			end = at
		}
	}
	return end
}

func (t *yamlText) skipBlank(at int) int {
	for at < len(t.data) && t.blank(at) {
		at += max(1, breakLength(t.data[at:]))
	}
	return at
}

// block is the end of a block scalar whose header is at an offset: after its last
// line with content, before the break. Lines that it keeps (+) are content.
func (t *yamlText) block(at, indent int) int {
	end := t.word(at)
	keeps := bytes.IndexByte(t.data[at:end], '+') >= 0
	end = t.lineEnd(end)
	for line := t.nextLine(end); line < len(t.data); line = t.nextLine(line) {
		content := line
		for t.char(content) == ' ' {
			content++
		}
		empty := content == t.lineEnd(line)
		if !empty && content-line <= indent {
			break
		}
		if !empty || keeps {
			end = t.lineEnd(line)
		}
	}
	return end
}

// end is where a value ends: after its last character, comments left out. indent
// is the column, from 0, of the mapping or list that the value stands in.
func (t *yamlText) end(n strictyaml.Node, indent int, flow bool) int {
	at := t.offset(n.Place())
	for t.char(at) == '&' || t.char(at) == '!' {
		after := t.word(at)
		if at = t.skip(after, ""); isEmptyScalar(n) && strings.IndexByte("&!\"'|>", t.char(at)) < 0 {
			return after
		}
	}
	switch c := t.char(at); {
	case c == '*':
		return t.word(at)
	case n.Kind() == strictyaml.Mapping || n.Kind() == strictyaml.List:
		return t.collectionEnd(n, at, flow)
	case c == '"' || c == '\'':
		return t.quoted(at)
	case !flow && (c == '|' || c == '>'):
		return t.block(at, indent)
	case isEmptyScalar(n):
		return at
	}
	return t.plain(at, indent, flow)
}

func isEmptyScalar(n strictyaml.Node) bool {
	return n.Kind() != strictyaml.Mapping && n.Kind() != strictyaml.List && n.Text() == ""
}

// inBrackets reports whether a mapping or list, which begins at an offset, is
// written with brackets.
func (t *yamlText) inBrackets(n strictyaml.Node, at int) bool {
	return n.Kind() == strictyaml.Mapping && t.char(at) == '{' || n.Kind() == strictyaml.List && t.char(at) == '['
}

func (t *yamlText) collectionEnd(n strictyaml.Node, at int, flow bool) int {
	brackets := t.inBrackets(n, at)
	last, there := lastOf(n)
	end := at + 1
	if there {
		end = t.end(last, t.column(at), flow || brackets)
	}
	if brackets {
		end = t.skip(end, ",:?") + 1
	}
	return end
}

func lastOf(n strictyaml.Node) (strictyaml.Node, bool) {
	if fields := n.Fields(); len(fields) > 0 {
		return fields[len(fields)-1].Value, true
	}
	if items := n.Items(); len(items) > 0 {
		return items[len(items)-1], true
	}
	return strictyaml.Node{}, false
}
