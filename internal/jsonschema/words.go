package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// longest is how much of a value is shown, in runes.
const longest = 60

// clip cuts a text to what is shown of it.
func clip(text string) string {
	if len(text) <= longest {
		return text
	}
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

// show gives a value as JSON text, cut.
func show(value any) string {
	left := longest + 4
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(beginning(value, &left)); err != nil {
		return fmt.Sprintf("a Go %T", value)
	}
	return clip(strings.TrimSpace(b.String()))
}

// beginning is as much of a value as show can have use for, so that a large one is not
// written whole for each thing that is wrong with it. Each value that is left takes at least
// one character.
func beginning(value any, left *int) any {
	*left--
	switch value := value.(type) {
	case string:
		if len(value) > 4*longest {
			return strings.ToValidUTF8(value[:4*longest], "")
		}
	case []any:
		first := make([]any, 0, min(len(value), longest))
		for _, item := range value {
			if *left <= 0 {
				break
			}
			first = append(first, beginning(item, left))
		}
		return first
	case map[string]any:
		first := make(map[string]any, min(len(value), longest))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if *left <= 0 {
				break
			}
			first[name] = beginning(value[name], left)
		}
		return first
	}
	return value
}

// oneOf lists what is allowed. Strings stand without quotes where nothing else is listed.
func oneOf(values []any) string {
	plain := true
	for _, value := range values {
		_, isText := value.(string)
		plain = plain && isText && value != ""
	}
	const most = 20
	words := make([]string, 0, most)
	for _, value := range values {
		if len(words) == most {
			words = append(words, fmt.Sprintf("and %d more", len(values)-most))
			break
		}
		if plain {
			words = append(words, clip(value.(string)))
		} else {
			words = append(words, show(value))
		}
	}
	if len(values) == 1 {
		return words[0]
	}
	return "one of " + strings.Join(words, ", ")
}

// kinds gives types with their articles: "a string or null".
func kinds(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = article(name)
	}
	slices.Sort(words)
	return strings.Join(words, " or ")
}

func article(kind string) string {
	switch kind {
	case "null":
		return kind
	case "array", "integer", "object":
		return "an " + kind
	}
	return "a " + kind
}

// kindOf says what a JSON value is.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprintf("a Go %T", value)
	}
}

// seenAs says kind and text of a scalar, and the kind alone of the rest.
func seenAs(value any) string {
	switch value.(type) {
	case string, json.Number, bool:
		return show(value)
	}
	return kindOf(value)
}

// count gives "1 item", "2 items".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return strconv.Itoa(n) + " " + stem + "ies"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// decimal prints a bound as people write it.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		return clip(r.Num().String())
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// escapePointer writes a key as a token of a JSON pointer (RFC 6901).
func escapePointer(token string) string {
	if !strings.ContainsAny(token, "~/") {
		return token
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}
