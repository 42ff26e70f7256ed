package jsonschema

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// Violation is one thing that a value does wrong.
type Violation struct {
	Pointer  string // JSON pointer into the value, "" for the whole
	Keyword  string // the schema's keyword, "required"
	Expected string
	Got      string
}

// String gives "/label: expected one of …, got …", or "missing required property …".
func (v Violation) String() string {
	text := "expected " + v.Expected + ", got " + v.Got
	if v.Keyword == "required" {
		text = "missing " + v.Expected
	}
	if v.Pointer == "" {
		return text
	}
	return v.Pointer + ": " + text
}

// sorted brings violations into the one order they are shown in, without doubles.
func sorted(violations []Violation) []Violation {
	if len(violations) == 0 {
		return nil
	}
	slices.SortFunc(violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Keyword, b.Keyword), cmp.Compare(a.Expected, b.Expected), cmp.Compare(a.Got, b.Got))
	})
	return slices.Compact(violations)
}

// foreign finds a value that is not JSON as Decode gives it, or that the
// libraries cannot work with: another Go type, nesting without end, a number
// beyond what a float64 holds.
func foreign(value any, path []string, depth int) *Violation {
	refuse := func(expected, got string) *Violation {
		return &Violation{Pointer: pointerTo(path), Keyword: "type", Expected: expected, Got: got}
	}
	if depth > maxDepth {
		return refuse("at most "+strconv.Itoa(maxDepth)+" levels", "more")
	}
	switch value := value.(type) {
	case nil, bool, string:
	case json.Number:
		if !workable(string(value)) {
			return refuse("a number that fits 64 bits of floating point", clip(string(value)))
		}
	case []any:
		for i, item := range value {
			if isScalar(item) {
				continue
			}
			if found := foreign(item, append(path, strconv.Itoa(i)), depth+1); found != nil {
				return found
			}
		}
	case map[string]any:
		for name, item := range value {
			if isScalar(item) {
				continue
			}
			if found := foreign(item, append(path, name), depth+1); found != nil {
				return found
			}
		}
	default:
		return refuse("a JSON value", kindOf(value))
	}
	return nil
}

// isScalar reports whether there is nothing to look at in a value.
func isScalar(value any) bool {
	switch value := value.(type) {
	case nil, bool, string:
		return true
	case json.Number:
		return workable(string(value))
	}
	return false
}

// workable reports whether a number is one, and has a size that exact arithmetic
// can bear. Short numbers without exponent need no closer look.
func workable(text string) bool {
	plain := len(text) > 0 && len(text) <= 300
	for i := 0; plain && i < len(text); i++ {
		c := text[i]
		plain = c >= '0' && c <= '9' || c == '.' && i > 0 || c == '-' && i == 0 && len(text) > 1
	}
	if plain && text[len(text)-1] != '.' {
		return true
	}
	if len(text) > 4096 || !json.Valid([]byte(text)) {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && (f != 0 || !farBelowOne(text))
}

// farBelowOne finds an exponent under -1000: such a number rounds to 0, but its
// exact fraction is huge.
func farBelowOne(text string) bool {
	for i := range len(text) {
		if text[i] == 'e' || text[i] == 'E' {
			exponent, err := strconv.Atoi(text[i+1:])
			return err != nil || exponent < -1000
		}
	}
	return false
}
