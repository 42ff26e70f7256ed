package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// flaw is one thing that is wrong in a line, at a byte offset.
type flaw struct {
	at            int
	message, hint string
}

// place gives the flaw's line and column, counted in characters.
func (f flaw) place(file string, line int, text []byte) fault.Place {
	return fault.Place{File: file, Line: line, Col: utf8.RuneCount(text[:min(f.at, len(text))]) + 1}
}

func (f flaw) fault(file string, line int, text []byte) *fault.Error {
	e := fault.At(f.place(file, line, text), "%s", f.message)
	e.Hint = f.hint
	return e
}

// object reads the JSON object of one line strictly, and collects its flaws.
type object struct {
	flaws []flaw
}

func (o *object) add(at int, hint, format string, args ...any) {
	o.flaws = append(o.flaws, flaw{at: at, hint: hint, message: fmt.Sprintf(format, args...)})
}

// member is one name and value of an object. Offsets are those in the line.
type member struct {
	name    string
	index   int // of the name among those that are known, or -1
	nameAt  int
	value   []byte
	valueAt int
}

// walk calls each with the members of the object that the line holds; known are
// the names that it may have. A line that is not one JSON object is a flaw, and
// each is not called.
func (o *object) walk(line []byte, known []string, each func(m member)) {
	if !utf8.Valid(line) {
		o.add(firstInvalid(line), "save the file as UTF-8", "the file is not UTF-8")
		return
	}
	if !json.Valid(line) {
		at, message := syntax(line)
		o.add(at, "", "not valid JSON: %s", message)
		return
	}
	at := skipSpace(line, 0)
	if line[at] != '{' {
		o.add(at, "", "want a JSON object, got %s", kindOf(line[at]))
		return
	}
	members(line, at, known, each)
}

// members walks over the object that begins at an offset of valid JSON.
func members(line []byte, at int, known []string, each func(m member)) {
	at = skipSpace(line, at+1)
	for line[at] != '}' {
		if line[at] == ',' {
			at = skipSpace(line, at+1)
		}
		m := member{nameAt: at}
		end := skipValue(line, at)
		m.name, m.index = nameOf(line[at:end], known)
		at = skipSpace(line, end)
		m.valueAt = skipSpace(line, at+1) // past the colon
		end = skipValue(line, m.valueAt)
		m.value = line[m.valueAt:end]
		each(m)
		at = skipSpace(line, end)
	}
}

// nameOf finds a quoted name among those that are known, so that no string is
// made for it; the index is -1 for any other.
func nameOf(quoted []byte, known []string) (name string, index int) {
	for i, name := range known {
		if string(quoted[1:len(quoted)-1]) == name {
			return name, i
		}
	}
	name = unquote(quoted)
	return name, slices.Index(known, name)
}

func skipSpace(line []byte, at int) int {
	for at < len(line) && isSpace(line[at]) {
		at++
	}
	return at
}

// skipValue finds the end of the value that begins at an offset of valid JSON.
func skipValue(line []byte, at int) int {
	depth := 0
	for at < len(line) {
		switch line[at] {
		case '"':
			at = skipString(line, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			at++
			continue
		default:
			for at < len(line) && !isSpace(line[at]) && line[at] != ',' && line[at] != '}' && line[at] != ']' {
				at++
			}
		}
		if depth == 0 {
			return at
		}
	}
	return at
}

func skipString(line []byte, at int) int {
	for at++; at < len(line); at++ {
		switch line[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		}
	}
	return len(line)
}

// unquote decodes a JSON string that is known to be valid.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text) // cannot fail: the line is valid JSON
	return text
}

func (o *object) text(m member) string {
	if m.value[0] != '"' {
		o.wrong(m, "a string")
		return ""
	}
	return unquote(m.value)
}

// whole reads an integer that is not negative.
func (o *object) whole(m member) int64 {
	n, err := strconv.ParseInt(string(m.value), 10, 64)
	if err != nil || n < 0 {
		o.wrong(m, "a whole number, 0 or more")
		return 0
	}
	return n
}

func (o *object) boolean(m member) bool {
	if c := m.value[0]; c != 't' && c != 'f' {
		o.wrong(m, "true or false")
	}
	return m.value[0] == 't'
}

// millis reads a duration in milliseconds, exact to the nanosecond.
func (o *object) millis(m member) time.Duration {
	const most = 1e12 // thirty years
	ms, err := strconv.ParseFloat(string(m.value), 64)
	if err != nil || ms < 0 || ms > most {
		o.wrong(m, "milliseconds, a number of 0 or more")
		return 0
	}
	return time.Duration(math.Round(ms * 1e6))
}

func (o *object) date(m member) time.Time {
	if m.value[0] == '"' {
		if day, err := time.Parse(time.DateOnly, unquote(m.value)); err == nil {
			return day
		}
	}
	o.wrong(m, "a date such as \"2026-11-22\"")
	return time.Time{}
}

func (o *object) wrong(m member, want string) {
	o.add(m.valueAt, "", "%s: want %s, got %s", m.name, want, kindOf(m.value[0]))
}

// kindOf names the JSON value that begins with a byte.
func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// syntax finds where a line stops being JSON.
func syntax(line []byte) (at int, message string) {
	if len(bytes.TrimSpace(line)) == 0 {
		return 0, "the line is empty"
	}
	var value json.RawMessage
	err := json.Unmarshal(line, &value)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return max(int(syntax.Offset)-1, 0), syntax.Error()
	}
	return 0, "the line is no JSON value"
}

func firstInvalid(line []byte) int {
	at := 0
	for at < len(line) {
		r, size := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return at
}
