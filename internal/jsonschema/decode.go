package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// maxDepth bounds how deep lists and objects may nest.
const maxDepth = 200

// Decode reads one JSON text: string, bool, json.Number (as it was written), nil,
// []any, map[string]any. Unlike encoding/json it refuses an object key that is
// given twice, bytes that are not UTF-8 and half a surrogate pair, so that two
// readers of the text can never see two values. The error is a fault.Error of
// class Invalid without a place; its message begins with line and column.
func Decode(data []byte) (any, error) {
	d := decoder{data: data}
	d.space()
	value := d.value(0)
	if d.space(); d.err == nil && d.at < len(d.data) {
		d.fail("more text after the value: %s", d.seen())
	}
	if d.err != nil {
		return nil, d.err
	}
	return value, nil
}

// DecodeAt is Decode of a text that begins at a line, and a column if one is given, of
// a file: the error stands at its own place there.
func DecodeAt(data []byte, place fault.Place) (any, error) {
	value, err := Decode(data)
	if err == nil {
		return value, nil
	}
	message := fault.As(err).Message
	line, col := 1, 1
	if n, _ := fmt.Sscanf(message, "not valid JSON at line %d, column %d:", &line, &col); n == 2 {
		_, message, _ = strings.Cut(message, ": ")
		message = "not valid JSON: " + message
	}
	if line == 1 {
		col += max(place.Col, 1) - 1
	}
	return nil, fault.At(fault.Place{File: place.File, Line: place.Line + line - 1, Col: col}, "%s", message)
}

// decoder reads from data at an offset. After the first failure err is set, and
// what the methods return means nothing.
type decoder struct {
	data []byte
	at   int
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err != nil {
		return
	}
	before := d.data[:d.at]
	line := bytes.Count(before, []byte("\n")) + 1
	col := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	d.err = fault.New(fault.Invalid, "not valid JSON at line %d, column %d: %s", line, col, fmt.Sprintf(format, args...))
	d.at = len(d.data)
}

// seen says what stands at the offset, for messages.
func (d *decoder) seen() string {
	if d.at >= len(d.data) {
		return "the text ends"
	}
	r, size := utf8.DecodeRune(d.data[d.at:])
	if r == utf8.RuneError && size <= 1 {
		return "a byte that is not UTF-8"
	}
	return strconv.QuoteRune(r)
}

func (d *decoder) space() {
	for d.at < len(d.data) {
		switch d.data[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// next is the byte at the offset, 0 at the end.
func (d *decoder) next() byte {
	if d.at < len(d.data) {
		return d.data[d.at]
	}
	return 0
}

// accept steps over the byte if it is the next one.
func (d *decoder) accept(b byte) bool {
	if d.next() != b {
		return false
	}
	d.at++
	return true
}

func (d *decoder) value(depth int) any {
	if depth > maxDepth {
		d.fail("nested deeper than %d levels", maxDepth)
		return nil
	}
	switch c := d.next(); {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.list(depth)
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	for _, literal := range literals {
		if bytes.HasPrefix(d.data[d.at:], literal.text) {
			d.at += len(literal.text)
			return literal.value
		}
	}
	if d.at >= len(d.data) {
		d.fail("a value is missing: the text ends")
		return nil
	}
	d.fail("a value cannot begin with %s", d.seen())
	return nil
}

var literals = []struct {
	text  []byte
	value any
}{{[]byte("true"), true}, {[]byte("false"), false}, {[]byte("null"), nil}}

func (d *decoder) object(depth int) any {
	d.at++
	object := map[string]any{}
	if d.space(); d.accept('}') {
		return object
	}
	for d.err == nil {
		if d.space(); d.next() != '"' {
			d.fail("want an object key in double quotes, found %s", d.seen())
			break
		}
		start := d.at
		key := d.text()
		if _, twice := object[key]; twice && d.err == nil {
			d.at = start
			d.fail("the key %q is given twice", clip(key))
		}
		if d.space(); !d.accept(':') {
			d.fail("want a colon after the key %q, found %s", clip(key), d.seen())
		}
		d.space()
		object[key] = d.value(depth + 1)
		if d.space(); d.accept('}') {
			return object
		}
		if !d.accept(',') {
			d.fail("want a comma or } in the object, found %s", d.seen())
		}
	}
	return nil
}

func (d *decoder) list(depth int) any {
	d.at++
	list := []any{}
	if d.space(); d.accept(']') {
		return list
	}
	for d.err == nil {
		d.space()
		list = append(list, d.value(depth+1))
		if d.space(); d.accept(']') {
			return list
		}
		if !d.accept(',') {
			d.fail("want a comma or ] in the list, found %s", d.seen())
		}
	}
	return nil
}

// number keeps the text: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (d *decoder) number() any {
	start := d.at
	d.accept('-')
	if !d.accept('0') {
		d.digits()
	}
	if d.accept('.') {
		d.digits()
	}
	if d.next() == 'e' || d.next() == 'E' {
		d.at++
		if !d.accept('+') {
			d.accept('-')
		}
		d.digits()
	}
	if c := d.next(); c >= '0' && c <= '9' {
		d.fail("a number cannot begin with 0 and go on with digits")
	}
	if d.err != nil {
		return nil
	}
	return json.Number(d.data[start:d.at])
}

func (d *decoder) digits() {
	start := d.at
	for c := d.next(); c >= '0' && c <= '9'; c = d.next() {
		d.at++
	}
	if d.at == start {
		d.fail("want a digit in the number, found %s", d.seen())
	}
}

// text reads a string. A plain one is copied once, as it stands.
func (d *decoder) text() string {
	d.at++
	start := d.at
	var unescaped []byte
	for d.err == nil {
		switch c := d.next(); {
		case d.at >= len(d.data):
			d.fail("the string has no end")
		case c == '"':
			plain := d.data[start:d.at]
			d.at++
			if unescaped != nil {
				return string(append(unescaped, plain...))
			}
			return string(plain)
		case c == '\\':
			unescaped = append(unescaped, d.data[start:d.at]...)
			unescaped = d.escape(unescaped)
			start = d.at
		case c < ' ':
			d.fail("a control character (%#02x) in a string must be written as \\u%04x", c, c)
		case c < utf8.RuneSelf:
			d.at++
		default:
			r, size := utf8.DecodeRune(d.data[d.at:])
			if r == utf8.RuneError && size == 1 {
				d.fail("the byte %#02x is not UTF-8", c)
				return ""
			}
			d.at += size
		}
	}
	return ""
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads what a backslash begins and appends what it stands for; the
// result is never nil.
func (d *decoder) escape(to []byte) []byte {
	start := d.at
	d.at++
	if plain := escapes[d.next()]; plain != 0 {
		d.at++
		return append(to, plain)
	}
	if !d.accept('u') {
		d.at = start
		d.fail("an escape that JSON does not know")
		return to
	}
	r := d.hex()
	if utf16.IsSurrogate(r) {
		second := utf8.RuneError
		if d.accept('\\') && d.accept('u') {
			second = d.hex()
		}
		if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
			d.at = min(start, len(d.data))
			d.fail("half of a surrogate pair")
		}
	}
	return utf8.AppendRune(to, r)
}

func (d *decoder) hex() rune {
	if d.at+4 > len(d.data) {
		d.fail("an escape \\u needs four hexadecimal digits")
		return 0
	}
	code, err := strconv.ParseUint(string(d.data[d.at:d.at+4]), 16, 16)
	if err != nil {
		d.fail("an escape \\u needs four hexadecimal digits")
		return 0
	}
	d.at += 4
	return rune(code)
}
