package sim

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds a generated value; a schema that requires more has no example.
const maxDepth = 24

// maxItems bounds a generated list, maxText a generated text.
const (
	maxItems = 1000
	maxText  = 1 << 16
)

// example makes a value under a schema that contains the hint, where known is
// set: what the hint has stays, what the schema requires besides is invented.
func (m *maker) example(raw any, hint any, known bool, d draw, depth int) any {
	n := m.resolve(raw, hint, known)
	if known {
		switch hint := hint.(type) {
		case map[string]any:
			return m.object(n, hint, d, depth)
		case []any:
			items := make([]any, len(hint))
			for i, item := range hint {
				items[i] = m.example(n.item(i), item, true, d.of("item").of(strconv.Itoa(i)), depth+1)
			}
			return items
		}
		return hint
	}
	if !m.step() {
		return nil
	}
	return m.invent(n, d, depth)
}

func (m *maker) object(n node, hint map[string]any, d draw, depth int) map[string]any {
	object := make(map[string]any, len(hint)+2)
	for name, value := range hint {
		property, _ := n.property(name)
		object[name] = m.example(property, value, true, d.of(name), depth+1)
	}
	if depth > maxDepth {
		return object
	}
	names := n.required()
	if len(names) == 0 && len(hint) == 0 && depth < 3 {
		names = n.propertyNames()
	}
	for _, name := range names {
		name, _ := name.(string)
		if _, there := object[name]; !there {
			property, _ := n.property(name)
			object[name] = m.example(property, nil, false, d.of(name), depth+1)
		}
	}
	return object
}

// propertyNames are those of properties that may have a value, in order.
func (n node) propertyNames() []any {
	properties, _ := n["properties"].(map[string]any)
	names := make([]string, 0, len(properties))
	for name, property := range properties {
		if property != false {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list
}

// item is the schema of a list's item.
func (n node) item(i int) any {
	prefix, _ := n["prefixItems"].([]any)
	if tuple, ok := n["items"].([]any); ok {
		prefix = tuple
	}
	if i < len(prefix) {
		return prefix[i]
	}
	if items, ok := n["items"].(map[string]any); ok {
		return items
	}
	return nil
}

// invent makes a value that meets a node, without knowing any.
func (m *maker) invent(n node, d draw, depth int) any {
	if value, ok := n["const"]; ok {
		return value
	}
	if words, ok := n["enum"].([]any); ok && len(words) > 0 {
		return words[d.below(len(words))]
	}
	for _, word := range []string{"examples", "example"} {
		if examples, ok := n[word].([]any); ok && len(examples) > 0 {
			return examples[d.below(len(examples))]
		}
	}
	switch n.kind() {
	case "object":
		return m.object(n, nil, d, depth)
	case "array":
		return m.array(n, d, depth)
	case "integer", "number":
		return rangeOf(n).pick(d)
	case "boolean":
		return d&1 == 0
	case "null":
		return nil
	}
	text := n.inventText(d)
	m.left -= len(text) / 16 // long texts are work too
	return text
}

func (m *maker) array(n node, d draw, depth int) any {
	count := 1
	if least, ok := n.number("minItems"); ok {
		count = int(math.Max(0, math.Min(least, maxItems)))
	}
	if most, ok := n.number("maxItems"); ok {
		count = int(math.Max(0, math.Min(most, float64(count))))
	}
	if depth > maxDepth || m.left < 0 {
		count = 0
	}
	items := make([]any, 0, count)
	for i := range count {
		item := any(nil)
		for try := range 20 {
			item = m.example(n.item(i), nil, false, d.of(strconv.Itoa(i)).of(strconv.Itoa(try)), depth+1)
			if n["uniqueItems"] != true || !contains(items, item) {
				break
			}
		}
		items = append(items, item)
	}
	return items
}

// number is a numeric keyword.
func (n node) number(keyword string) (float64, bool) {
	text, ok := n[keyword].(json.Number)
	if !ok {
		return 0, false
	}
	value, err := text.Float64()
	return value, err == nil
}

// The formats that an example is known of.
var formats = map[string]string{
	"date": "2026-01-15", "date-time": "2026-01-15T09:30:00Z", "time": "09:30:00Z", "duration": "P1D",
	"email": "someone@example.com", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uri": "https://example.com/", "uri-reference": "/", "uuid": "123e4567-e89b-42d3-a456-426614174000",
}

var inventedWords = []string{"amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor"}

func (n node) inventText(d draw) string {
	if format, ok := n["format"].(string); ok && formats[format] != "" {
		return formats[format]
	}
	if pattern, ok := n["pattern"].(string); ok {
		if text, ok := matching(pattern, d); ok {
			return text
		}
	}
	return n.fitLength(inventedWords[d.below(len(inventedWords))])
}

// fitLength pads or cuts a text to minLength and maxLength.
func (n node) fitLength(text string) string {
	if least, ok := n.number("minLength"); ok {
		least = math.Min(least, maxText)
		for short := int(least) - utf8.RuneCountInString(text); short > 0; short = int(least) - utf8.RuneCountInString(text) {
			text += strings.Repeat("x", short)
		}
	}
	if most, ok := n.number("maxLength"); ok {
		if runes := []rune(text); float64(len(runes)) > most {
			text = string(runes[:int(max(most, 0))])
		}
	}
	return text
}
