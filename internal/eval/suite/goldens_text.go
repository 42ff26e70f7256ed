package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
)

// checkGolden refuses what is no JSON value.
func checkGolden(id string, value any) error {
	wrong := func(text string) error {
		return fault.New(fault.Internal, "the golden answer of the case %s is no JSON value: %s", strconv.Quote(id), text)
	}
	switch v := value.(type) {
	case nil, bool:
	case string:
		if !utf8.ValidString(v) {
			return wrong("a string that is not UTF-8")
		}
	case json.Number:
		if !json.Valid([]byte(v)) || strings.ContainsAny(string(v), "\"[{ntf \t\r\n") {
			return wrong("the number " + strconv.Quote(string(v)))
		}
	case TurnGoldens:
		for _, number := range slices.Sorted(maps.Keys(v)) {
			if err := checkGolden(id, v[number]); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := checkGolden(id, item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if !utf8.ValidString(key) {
				return wrong("a key that is not UTF-8")
			}
			if err := checkGolden(id, v[key]); err != nil {
				return err
			}
		}
	default:
		return wrong(fmt.Sprintf("%T", v))
	}
	return nil
}

// encodeGolden writes a JSON value on one line, with sorted keys, as text that is
// YAML as well: what YAML does not allow in a file is escaped. Spaced puts a space
// after commas and colons.
func encodeGolden(value any, spaced bool) string {
	var b strings.Builder
	comma, colon := ",", ":"
	if spaced {
		comma, colon = ", ", ": "
	}
	writeGolden(&b, value, comma, colon)
	return b.String()
}

func writeGolden(b *strings.Builder, value any, comma, colon string) {
	switch v := value.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(string(v))
	case string:
		writeString(b, v)
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(comma)
			}
			writeGolden(b, item, comma, colon)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteString(comma)
			}
			writeString(b, key)
			b.WriteString(colon)
			writeGolden(b, v[key], comma, colon)
		}
		b.WriteByte('}')
	default:
		panic(fmt.Sprintf("suite: %T is not a JSON value", value)) // checkGolden comes first
	}
}

func writeString(b *strings.Builder, text string) {
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		// Not printable in YAML 1.2 (§5.1), a line break to YAML 1.1, or a byte order mark.
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
