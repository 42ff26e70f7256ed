package sim

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"sync"
)

// schemas keeps the decoded schemas of a model: a suite asks thousands of times
// under the same one.
type schemas struct {
	mu    sync.Mutex
	known map[string]any
}

// maxSchemas bounds what is kept; past it everything is forgotten.
const maxSchemas = 256

func (s *schemas) get(raw json.RawMessage) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.known[string(raw)]; ok {
		return found, nil
	}
	var parsed any = map[string]any{}
	if len(raw) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&parsed); err != nil {
			return nil, noAnswer(err)
		}
	}
	if s.known == nil || len(s.known) >= maxSchemas {
		s.known = map[string]any{}
	}
	s.known[string(raw)] = parsed
	return parsed, nil
}

// maker makes one answer under a decoded schema, which it never changes.
type maker struct {
	root any
	left int // steps that it may still take
}

// maxSteps bounds the work for one answer: references and lists in lists can ask
// for more than anybody has. What is past it is left out.
const maxSteps = 20_000

func newMaker(root any) *maker { return &maker{root: root, left: maxSteps} }

// step reports whether another step may be taken.
func (m *maker) step() bool {
	m.left--
	return m.left >= 0
}

// node is the object of a schema, with references and combinations resolved as
// far as an example of it needs them. It is never changed.
type node map[string]any

// maxHops bounds references to references.
const maxHops = 32

// resolve follows a local $ref, merges allOf, and takes of anyOf or oneOf the
// first branch that the hint fits in. A boolean schema is an empty node.
func (m *maker) resolve(raw any, hint any, known bool) node {
	return m.resolveIn(raw, hint, known, 0)
}

func (m *maker) resolveIn(raw any, hint any, known bool, hops int) node {
	n, _ := raw.(map[string]any)
	if n == nil || hops > maxHops || !m.step() {
		return node{}
	}
	if ref, ok := n["$ref"].(string); ok {
		target := m.resolveIn(m.find(ref), hint, known, hops+1)
		n = merge(target, without(n, "$ref"))
	}
	if all, ok := n["allOf"].([]any); ok {
		merged := node(without(n, "allOf"))
		for _, part := range all {
			merged = merge(merged, m.resolveIn(part, hint, known, hops+1))
		}
		n = merged
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		branches, ok := n[word].([]any)
		if !ok || len(branches) == 0 {
			continue
		}
		chosen := m.resolveIn(branches[0], hint, known, hops+1)
		for _, branch := range branches {
			candidate := m.resolveIn(branch, hint, known, hops+1)
			if known && m.fits(candidate, hint, hops+1) {
				chosen = candidate
				break
			}
		}
		n = merge(node(without(n, word)), chosen)
	}
	return n
}

// find follows a JSON pointer within the schema; nil for anything else.
func (m *maker) find(ref string) any {
	pointer, local := strings.CutPrefix(ref, "#")
	if !local {
		return nil
	}
	at := m.root
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return at
}

func without(n map[string]any, key string) map[string]any {
	rest := maps.Clone(n)
	delete(rest, key)
	return rest
}

// merge lays b over a: properties and required of both count.
func merge(a, b node) node {
	merged := maps.Clone(a)
	for key, value := range b {
		switch key {
		case "properties":
			properties, _ := merged[key].(map[string]any)
			more, _ := value.(map[string]any)
			both := maps.Clone(properties)
			if both == nil {
				both = map[string]any{}
			}
			maps.Copy(both, more)
			merged[key] = both
		case "required":
			required, _ := merged[key].([]any)
			more, _ := value.([]any)
			merged[key] = append(append([]any{}, required...), more...)
		default:
			merged[key] = value
		}
	}
	return merged
}

// fits reports whether a value could be one of the node, by type, enum, const
// and the properties that it has.
func (m *maker) fits(n node, value any, hops int) bool {
	if hops > maxHops || !n.allows(jsonType(value)) {
		return false
	}
	if want, ok := n["const"]; ok && !same(want, value) {
		return false
	}
	if words, ok := n["enum"].([]any); ok && !contains(words, value) {
		return false
	}
	object, ok := value.(map[string]any)
	if !ok {
		return true
	}
	for name, item := range object {
		property, declared := n.property(name)
		if !declared {
			if n["additionalProperties"] == false {
				return false
			}
			continue
		}
		if !m.fits(m.resolveIn(property, item, true, hops+1), item, hops+1) {
			return false
		}
	}
	return true
}

// property finds the schema of a property: its own, or that of additional ones.
func (n node) property(name string) (property any, declared bool) {
	properties, _ := n["properties"].(map[string]any)
	if property, ok := properties[name]; ok {
		return property, true
	}
	return n["additionalProperties"], false
}

func (n node) required() []any {
	required, _ := n["required"].([]any)
	return required
}

// allows reports whether the node's type, if it has one, admits a JSON type.
func (n node) allows(kind string) bool {
	allowed := func(t any) bool { return t == kind || t == "number" && kind == "integer" }
	switch t := n["type"].(type) {
	case string:
		return allowed(t)
	case []any:
		for _, one := range t {
			if allowed(one) {
				return true
			}
		}
		return false
	}
	return true
}

// kind is the type to make an example of: the first that is not null, or one that
// the other keywords speak of.
func (n node) kind() string {
	switch t := n["type"].(type) {
	case string:
		return t
	case []any:
		for _, one := range t {
			if name, _ := one.(string); name != "null" {
				return name
			}
		}
		return "null"
	}
	for _, guess := range []struct{ keyword, kind string }{
		{"properties", "object"}, {"required", "object"}, {"items", "array"}, {"minItems", "array"},
		{"minimum", "number"}, {"maximum", "number"}, {"multipleOf", "number"},
	} {
		if _, ok := n[guess.keyword]; ok {
			return guess.kind
		}
	}
	return "string"
}

func jsonType(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if !strings.ContainsAny(string(value), ".eE") {
			return "integer"
		}
	}
	return "number"
}
