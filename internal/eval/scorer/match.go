package scorer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// strictness says how alike two values must be.
type strictness int

const (
	subset strictness = iota // an object may have more keys than is wanted; white space in text does not count
	equal                    // objects have the same keys; white space in text does not count
	exact                    // the same to the letter; numbers still count by their value
)

// match compares a wanted JSON value with what came, and says where they part.
func match(want, got any, s strictness) (bool, string) {
	return matchAt("", want, got, s)
}

func matchAt(at string, want, got any, s strictness) (bool, string) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return matchObject(at, w, g, s)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return matchList(at, w, g, s)
		}
	case string:
		if g, ok := got.(string); ok && sameText(w, g, s) {
			return true, ""
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(string(w), string(g)) {
			return true, ""
		}
	default: // bool and null
		if want == got {
			return true, ""
		}
	}
	return false, at + differ(want, got)
}

func matchObject(at string, want, got map[string]any, s strictness) (bool, string) {
	for _, key := range sortedKeys(want) {
		value, there := got[key]
		if !there {
			return false, inside(at, key) + "want " + show(want[key]) + ", got nothing"
		}
		if ok, reason := matchAt(inside(at, key), want[key], value, s); !ok {
			return false, reason
		}
	}
	if s == subset || len(got) == len(want) {
		return true, ""
	}
	for _, key := range sortedKeys(got) {
		if _, wanted := want[key]; !wanted {
			return false, inside(at, key) + "want nothing, got " + show(got[key])
		}
	}
	return true, ""
}

func matchList(at string, want, got []any, s strictness) (bool, string) {
	if len(want) != len(got) {
		return false, fmt.Sprintf("%swant %d items, got %d: %s", at, len(want), len(got), show(got))
	}
	for i := range want {
		if ok, reason := matchAt(inside(at, fmt.Sprintf("[%d]", i)), want[i], got[i], s); !ok {
			return false, reason
		}
	}
	return true, ""
}

// inside extends "a: " by a key to "a.b: ".
func inside(at, key string) string {
	at = strings.TrimSuffix(at, ": ")
	if at != "" && !strings.HasPrefix(key, "[") {
		at += "."
	}
	return at + key + ": "
}

func sortedKeys[T any](object map[string]T) []string {
	if len(object) == 1 {
		for key := range object {
			return []string{key}
		}
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	d, ok := parseDecimal(a)
	e, also := parseDecimal(b)
	return ok && also && d == e
}

// sameText compares texts; but for exact, white space at the ends is nothing, and
// any within is one space.
func sameText(a, b string, s strictness) bool {
	if a == b {
		return true
	}
	if s == exact {
		return false
	}
	for {
		word, rest := nextWord(a)
		other, others := nextWord(b)
		if word != other {
			return false
		}
		if word == "" {
			return true
		}
		a, b = rest, others
	}
}

func nextWord(text string) (word, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		return text[:end], text[end:]
	}
	return text, ""
}

// differ words a difference. Where the types differ it names them, or "18" and 18
// would look alike.
func differ(want, got any) string {
	w, g := typeName(want), typeName(got)
	if w == g || want == nil || got == nil {
		return "want " + show(want) + ", got " + show(got)
	}
	return fmt.Sprintf("want %s %s, got %s %s", w, show(want), g, show(got))
}

func typeName(value any) string {
	switch value.(type) {
	case string:
		return "the text"
	case json.Number:
		return "the number"
	case bool:
		return "the boolean"
	case []any:
		return "the list"
	case map[string]any:
		return "the object"
	}
	return "null"
}

// maxShown is how many bytes of a value a reason shows.
const maxShown = 80

// show prints a value as JSON, cut to a sane length.
func show(value any) string {
	if text, ok := value.(string); ok {
		return quote(text)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return cut(string(text))
}

// quote prints a text in quotes, cut before it is escaped, so that a long answer
// costs nothing.
func quote(text string) string {
	short := cut(text)
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(short); err != nil {
		return fmt.Sprintf("%q", short)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func cut(text string) string { return cutTo(maxShown, text) }

func cutTo(most int, text string) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
