package jsonschema

import (
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// graph is a compiled schema as it is walked by bounds.go and judge.go: one rule for each
// schema that can be reached.
type graph struct {
	root  *rule
	rules map[*jsonschema.Schema]*rule
}

// rule is one schema, and the rules that it applies. Those that all have to hold are given
// by claims.
type rule struct {
	schema *jsonschema.Schema
	own    *jsonschema.Schema // the schema without those in it
	types  []string           // nil for all
	alone  bool               // it applies no other

	texts, numbers int // that a value is compared with: names and strings, and all else

	self                              []*rule // to the value itself: $ref, allOf
	dynamic                           []*rule // of which one is applied, and the scope decides which
	anyOf, oneOf                      []*rule
	not, cond, then, otherwise        *rule
	properties, dependents            map[string]*rule
	patterns                          []patternRule
	additional, names, contains, rest *rule
	tuple                             []*rule
	unevaluated                       []*rule
}

type patternRule struct {
	matches func(string) bool
	rule    *rule
}

// newGraph makes the rules of a schema. anchored are schemas that only a dynamic reference
// can reach.
func newGraph(root *jsonschema.Schema, anchored []*jsonschema.Schema) *graph {
	g := &graph{rules: map[*jsonschema.Schema]*rule{}}
	g.root = g.rule(root)
	for _, s := range anchored {
		g.rule(s)
	}
	g.resolveDynamic()
	return g
}

// rule gives the rule of a schema, nil for none.
func (g *graph) rule(s *jsonschema.Schema) *rule {
	if s == nil {
		return nil
	}
	if known := g.rules[s]; known != nil {
		return known
	}
	r := &rule{schema: s, own: alone(s)}
	g.rules[s] = r
	if s.Types != nil {
		r.types = s.Types.ToStrings()
	}
	r.self = g.list(append([]*jsonschema.Schema{s.Ref}, s.AllOf...))
	r.anyOf, r.oneOf = g.list(s.AnyOf), g.list(s.OneOf)
	r.not, r.cond, r.then, r.otherwise = g.rule(s.Not), g.rule(s.If), g.rule(s.Then), g.rule(s.Else)
	r.properties = g.named(s.Properties)
	r.dependents = g.named(s.DependentSchemas)
	for name, dependency := range s.Dependencies {
		if schema, ok := dependency.(*jsonschema.Schema); ok {
			r.dependents[name] = g.rule(schema)
		}
	}
	for pattern, schema := range s.PatternProperties {
		r.patterns = append(r.patterns, patternRule{pattern.MatchString, g.rule(schema)})
	}
	additional, _ := s.AdditionalProperties.(*jsonschema.Schema)
	r.additional, r.names, r.contains = g.rule(additional), g.rule(s.PropertyNames), g.rule(s.Contains)
	g.items(r)
	r.unevaluated = g.list([]*jsonschema.Schema{s.UnevaluatedProperties, s.UnevaluatedItems})
	r.alone = len(sameValue(s)) == 0 && len(parts(s)) == 0
	r.texts = len(s.Required)
	if s.Enum != nil {
		for _, value := range s.Enum.Values {
			if _, ok := value.(string); ok {
				r.texts++
			} else {
				r.numbers++
			}
		}
	}
	return r
}

// items reads the keywords of arrays, which the drafts spell in two ways.
func (g *graph) items(r *rule) {
	r.tuple, r.rest = g.list(r.schema.PrefixItems), g.rule(r.schema.Items2020)
	switch items := r.schema.Items.(type) {
	case *jsonschema.Schema:
		r.rest = g.rule(items)
	case []*jsonschema.Schema:
		r.tuple = g.list(items)
		additional, _ := r.schema.AdditionalItems.(*jsonschema.Schema)
		r.rest = g.rule(additional)
	}
}

func (g *graph) list(schemas []*jsonschema.Schema) (rules []*rule) {
	for _, s := range schemas {
		if s != nil {
			rules = append(rules, g.rule(s))
		}
	}
	return rules
}

func (g *graph) named(schemas map[string]*jsonschema.Schema) map[string]*rule {
	rules := make(map[string]*rule, len(schemas))
	for name, s := range schemas {
		rules[name] = g.rule(s)
	}
	return rules
}

// resolveDynamic finds what $dynamicRef and $recursiveRef may lead to. One whose target
// is not dynamic is a plain reference.
func (g *graph) resolveDynamic() {
	var waiting []*rule
	for len(waiting) < len(g.rules) {
		waiting = waiting[:0]
		for _, r := range g.rules {
			waiting = append(waiting, r)
		}
		for _, r := range waiting { // a target may bring rules of its own
			if ref := r.schema.DynamicRef; ref != nil {
				g.rule(ref.Ref)
			}
			g.rule(r.schema.RecursiveRef)
		}
	}
	for _, r := range waiting {
		if ref := r.schema.DynamicRef; ref != nil {
			g.lead(r, ref.Ref, ref.Anchor != "" && ref.Ref.DynamicAnchor == ref.Anchor, func(s *jsonschema.Schema) bool { return s.DynamicAnchor == ref.Anchor })
		}
		if to := r.schema.RecursiveRef; to != nil {
			g.lead(r, to, to.RecursiveAnchor, func(s *jsonschema.Schema) bool { return s.RecursiveAnchor || s == g.root.schema })
		}
	}
}

func (g *graph) lead(r *rule, to *jsonschema.Schema, dynamic bool, may func(*jsonschema.Schema) bool) {
	if !dynamic {
		r.self = append(r.self, g.rule(to))
		return
	}
	for s, target := range g.rules {
		if may(s) || s == to {
			r.dynamic = append(r.dynamic, target)
		}
	}
}

// alone is a schema without the schemas in it, for what it says itself of a value. Which
// properties and items it names is part of that, where it allows no others.
func alone(s *jsonschema.Schema) *jsonschema.Schema {
	own := *s
	own.Ref, own.RecursiveRef, own.DynamicRef = nil, nil, nil
	own.AllOf, own.AnyOf, own.OneOf, own.Not, own.If, own.Then, own.Else = nil, nil, nil, nil, nil, nil, nil
	own.PropertyNames, own.DependentSchemas, own.UnevaluatedProperties = nil, nil, nil
	own.Contains, own.MinContains, own.MaxContains = nil, nil, nil
	own.Items2020, own.PrefixItems, own.UnevaluatedItems, own.ContentSchema = nil, nil, nil, nil
	own.Properties, own.PatternProperties = nil, nil
	if allowed, ok := s.AdditionalProperties.(bool); ok && !allowed {
		own.Properties = make(map[string]*jsonschema.Schema, len(s.Properties))
		for name := range s.Properties {
			own.Properties[name] = anything
		}
		own.PatternProperties = make(map[jsonschema.Regexp]*jsonschema.Schema, len(s.PatternProperties))
		for pattern := range s.PatternProperties {
			own.PatternProperties[pattern] = anything
		}
	} else {
		own.AdditionalProperties = nil
	}
	own.Items = nil
	tuple, isTuple := s.Items.([]*jsonschema.Schema)
	if allowed, ok := s.AdditionalItems.(bool); ok && !allowed && isTuple {
		own.Items = slices.Repeat([]*jsonschema.Schema{anything}, len(tuple))
	} else {
		own.AdditionalItems = nil
	}
	own.Dependencies = nil
	for name, dependency := range s.Dependencies {
		if names, ok := dependency.([]string); ok {
			if own.Dependencies == nil {
				own.Dependencies = map[string]any{}
			}
			own.Dependencies[name] = names
		}
	}
	return &own
}

var anything = &jsonschema.Schema{Bool: new(true)}
