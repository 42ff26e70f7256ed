package sim

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// leaf is a value of the golden that a wrong answer may have another of.
type leaf struct {
	node  node
	value any
	avoid []any // the other items of a list whose items must differ
	set   func(other any)
}

// spoil makes a right answer wrong in one place that the hint knows of, if it
// can so that the schema still holds. The answer is changed or replaced.
func (m *maker) spoil(answer, hint any, d draw) any {
	var leaves []leaf
	m.leaves(leaf{set: func(other any) { answer = other }}, m.root, answer, hint, &leaves)
	if len(leaves) == 0 {
		return answer // nothing is said, so nothing can be wrong
	}
	first := d.of("leaf").below(len(leaves))
	for i := range leaves {
		l := leaves[(first+i)%len(leaves)]
		for try := range 8 {
			other, ok := m.other(l.node, l.value, d.of("other").of(strconv.Itoa(8*i+try)))
			if ok && !contains(l.avoid, other) {
				l.set(other)
				return answer
			}
		}
	}
	// The schema leaves no choice: a wrong answer breaks it.
	l := leaves[first]
	other, ok := m.other(node{}, l.value, d.of("other"))
	if !ok {
		other = "unknown"
	}
	l.set(other)
	return answer
}

// leaves lists those of the hint, at which the answer has the same value.
func (m *maker) leaves(at leaf, raw, answer, hint any, leaves *[]leaf) {
	at.node, at.value = m.resolve(raw, hint, true), hint
	switch hint := hint.(type) {
	case map[string]any:
		object, _ := answer.(map[string]any)
		for _, name := range sortedNames(hint) {
			property, _ := at.node.property(name)
			inner := leaf{set: func(other any) { object[name] = other }}
			m.leaves(inner, property, object[name], hint[name], leaves)
		}
		return
	case []any:
		items, _ := answer.([]any)
		for i := range items {
			inner := leaf{set: func(other any) { items[i] = other }}
			if at.node["uniqueItems"] == true {
				inner.avoid = hint
			}
			m.leaves(inner, at.node.item(i), items[i], hint[i], leaves)
		}
		if len(hint) > 0 {
			return
		}
	}
	*leaves = append(*leaves, at)
}

// other finds another value of the node, or reports that there is none.
func (m *maker) other(n node, value any, d draw) (any, bool) {
	if _, fixed := n["const"]; fixed {
		return nil, false
	}
	if words, ok := n["enum"].([]any); ok {
		first := d.below(len(words))
		for i := range words {
			if word := words[(first+i)%len(words)]; !same(word, value) {
				return word, true
			}
		}
		return nil, false
	}
	switch value := value.(type) {
	case bool:
		return !value, true
	case string:
		return n.otherText(value, d)
	case nil:
		if other := m.invent(n, d, 0); other != nil {
			return other, true
		}
		return nil, false
	case []any:
		if most, ok := n.number("maxItems"); ok && most < 1 {
			return nil, false
		}
		return []any{m.example(n.item(0), nil, false, d, 1)}, true
	}
	return rangeOf(n).near(numberText(value), d)
}

// otherText finds a text of the node that is not the right one.
func (n node) otherText(right string, d draw) (any, bool) {
	if n["pattern"] != nil || n["format"] != nil {
		for try := range 8 {
			other := node(without(n, "examples")).inventText(d.of(strconv.Itoa(try)))
			if other != right {
				return other, true
			}
		}
		return nil, false
	}
	for _, other := range wrongTexts(right, d) {
		if fitting := n.fitLength(other); fitting == other || n["minLength"] != nil || n["maxLength"] != nil {
			if !strings.EqualFold(strings.TrimSpace(fitting), strings.TrimSpace(right)) {
				return fitting, true
			}
		}
	}
	return nil, false
}

// wrongTexts are texts that somebody could give in place of the right one.
func wrongTexts(right string, d draw) []string {
	texts := []string{"unknown", "not stated", "none of these"}
	if number, ok := (span{low: math.Inf(-1), high: math.Inf(1)}).near(strings.TrimSpace(right), d); ok {
		return []string{string(number)}
	}
	switch strings.ToLower(strings.TrimSpace(right)) {
	case "yes":
		return []string{"no"}
	case "no":
		return []string{"yes"}
	case "true":
		return []string{"false"}
	case "false":
		return []string{"true"}
	}
	if words := strings.Fields(right); len(words) > 2 {
		texts = append(texts, strings.Join(words[:len(words)-1], " "))
	}
	first := d.of("text").below(len(texts))
	return append(texts[first:len(texts):len(texts)], texts[:first]...)
}

// same compares JSON values; numbers by value.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, there := b[name]; !there || !same(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, errX := a.Float64()
		y, errY := b.Float64()
		return a == b || errX == nil && errY == nil && x == y
	}
	return jsonType(a) == jsonType(b) && a == b
}

func contains(values []any, value any) bool {
	for _, one := range values {
		if same(one, value) {
			return true
		}
	}
	return false
}

// breakForm makes an answer that a program cannot read, in the ways that models
// do: a cut, talk after the answer, a code fence, a field left out.
func breakForm(text string, fields map[string]any, required []any, d draw) string {
	switch d.of("way").below(4) {
	case 0:
		return text + "\n\nLet me know if you need anything else!"
	case 1:
		return "```json\n" + text + "\n```"
	case 2:
		if len(required) > 0 && len(fields) > 0 {
			name, _ := required[d.of("field").below(len(required))].(string)
			return marshal(without(fields, name))
		}
	}
	// Without its last character a number may still be one, and a list too.
	if fields == nil {
		return "Sure! Here it is: " + text
	}
	_, size := utf8.DecodeLastRuneInString(text)
	return text[:len(text)-size]
}
