package jsonschema

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// place is a value within the value that is validated. A place is one pointer, so that
// what was found of it can be kept.
type place struct {
	value   any
	pointer string
	depth   int
	size    int               // how many places it is, with those in it
	members map[string]*place // of an object
	names   map[string]*place // its keys, as values
	order   []string          // of the keys
	items   []*place          // of an array
}

func newPlace(value any, pointer string, depth int) *place {
	p := &place{value: value, pointer: pointer, depth: depth, size: 1}
	switch value := value.(type) {
	case map[string]any:
		p.order = slices.Sorted(maps.Keys(value))
		p.members = make(map[string]*place, len(value))
		p.names = map[string]*place{}
		for _, name := range p.order {
			p.members[name] = newPlace(value[name], pointer+"/"+escapePointer(name), depth+1)
			p.size += p.members[name].size
		}
	case []any:
		for i, item := range value {
			p.items = append(p.items, newPlace(item, pointer+"/"+strconv.Itoa(i), depth+1))
			p.size += p.items[i].size
		}
	}
	return p
}

// name is a key of an object as a value.
func (p *place) name(key string) *place {
	if p.names[key] == nil {
		p.names[key] = &place{value: key, pointer: p.pointer, depth: p.depth}
	}
	return p.names[key]
}

// fits reports whether a rule's type may let the value in; an integer may be one of
// the numbers, which is left to the library.
func (r *rule) fits(p *place) bool {
	if r.types == nil {
		return true
	}
	switch p.value.(type) {
	case nil:
		return slices.Contains(r.types, "null")
	case bool:
		return slices.Contains(r.types, "boolean")
	case string:
		return slices.Contains(r.types, "string")
	case json.Number:
		return slices.Contains(r.types, "number") || slices.Contains(r.types, "integer")
	case []any:
		return slices.Contains(r.types, "array")
	}
	return slices.Contains(r.types, "object")
}

// claim is a rule that has to hold at a place.
type claim struct {
	rule *rule
	at   *place
	name string // for a rule of propertyNames, the property
}

// claims lists what a rule demands besides its own words and its alternatives: of the
// value itself, its properties and its items.
func (r *rule) claims(p *place) (all []claim) {
	for _, to := range r.self {
		all = append(all, claim{rule: to, at: p})
	}
	for _, name := range p.order {
		if to := r.dependents[name]; to != nil {
			all = append(all, claim{rule: to, at: p})
		}
		if r.names != nil {
			all = append(all, claim{rule: r.names, at: p.name(name), name: name})
		}
		all = r.ofProperty(all, name, p.members[name])
	}
	for i, item := range p.items {
		switch {
		case i < len(r.tuple):
			all = append(all, claim{rule: r.tuple[i], at: item})
		case r.rest != nil:
			all = append(all, claim{rule: r.rest, at: item})
		}
	}
	return all
}

func (r *rule) ofProperty(all []claim, name string, member *place) []claim {
	named := false
	if to := r.properties[name]; to != nil {
		all, named = append(all, claim{rule: to, at: member}), true
	}
	for _, pattern := range r.patterns {
		if pattern.matches(name) {
			all, named = append(all, claim{rule: pattern.rule, at: member}), true
		}
	}
	if !named && r.additional != nil {
		all = append(all, claim{rule: r.additional, at: member})
	}
	return all
}
