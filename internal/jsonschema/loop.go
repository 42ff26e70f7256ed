package jsonschema

import (
	"cmp"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llmx-dev/llmx/internal/fault"
)

// refuseLoops refuses a schema that comes back to itself without stepping into
// the value ({"$ref": "#"}): validating under it would never end, and one of the
// libraries would take the process down with it. The compiled graph is searched,
// because there every reference is resolved.
func refuseLoops(root *jsonschema.Schema) error {
	l := loops{open: map[*jsonschema.Schema]bool{}, done: map[*jsonschema.Schema]int{}}
	for _, s := range reachable(root) {
		found, length := l.from(s)
		switch {
		case found == nil && length > maxChain:
			return fault.New(fault.Invalid, "at #%s more than %d schemas apply to one value, each through the one before it", fragmentOf(s.Location), maxChain).
				WithHint("refer to the last of them at once")
		case found != nil:
			return fault.New(fault.Invalid, "the schema refers to itself without end at #%s", fragmentOf(found.Location)).
				WithHint("a recursive schema must step into properties or items before it comes back")
		}
	}
	return nil
}

// maxChain bounds the schemas that lead from one to the next without stepping into the
// value: at each, the library looks through all of those before it.
const maxChain = 500

// loops is a depth-first search along the schemas that speak of one value.
type loops struct {
	open map[*jsonschema.Schema]bool // on the way here
	done map[*jsonschema.Schema]int  // without a loop: how many follow, at most
}

// from gives a schema that stands on a loop, or nil and how many schemas follow.
func (l loops) from(s *jsonschema.Schema) (looping *jsonschema.Schema, follow int) {
	if known, ok := l.done[s]; ok {
		return nil, known
	}
	if l.open[s] {
		return s, 0
	}
	l.open[s] = true
	for _, next := range sameValue(s) {
		found, more := l.from(next)
		if found != nil {
			return found, 0
		}
		follow = max(follow, more+1)
	}
	delete(l.open, s)
	l.done[s] = follow
	return nil, follow
}

// reachable lists a schema and all that it uses, by location.
func reachable(root *jsonschema.Schema) []*jsonschema.Schema {
	seen := map[*jsonschema.Schema]bool{root: true}
	all := []*jsonschema.Schema{root}
	for i := 0; i < len(all); i++ {
		for _, next := range append(sameValue(all[i]), parts(all[i])...) {
			if !seen[next] {
				seen[next] = true
				all = append(all, next)
			}
		}
	}
	return byLocation(all)
}

// sameValue lists the subschemas that are applied to the value itself.
func sameValue(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else}
	if s.DynamicRef != nil {
		all = append(all, s.DynamicRef.Ref)
	}
	all = append(append(append(all, s.AllOf...), s.AnyOf...), s.OneOf...)
	for _, dependency := range s.Dependencies {
		all = appendSchemas(all, dependency)
	}
	for _, dependent := range s.DependentSchemas {
		all = append(all, dependent)
	}
	return present(all)
}

// parts lists the subschemas that are applied to properties, names and items.
func parts(s *jsonschema.Schema) []*jsonschema.Schema {
	all := []*jsonschema.Schema{s.PropertyNames, s.UnevaluatedProperties, s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema}
	all = append(all, s.PrefixItems...)
	for _, property := range s.Properties {
		all = append(all, property)
	}
	for _, property := range s.PatternProperties {
		all = append(all, property)
	}
	for _, value := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		all = appendSchemas(all, value)
	}
	return present(all)
}

// appendSchemas adds what a field of the library holds that may be a schema,
// a list of them, or something else.
func appendSchemas(all []*jsonschema.Schema, value any) []*jsonschema.Schema {
	switch value := value.(type) {
	case *jsonschema.Schema:
		return append(all, value)
	case []*jsonschema.Schema:
		return append(all, value...)
	}
	return all
}

// present drops nil, and brings what came from maps into one order.
func present(all []*jsonschema.Schema) []*jsonschema.Schema {
	return byLocation(slices.DeleteFunc(all, func(s *jsonschema.Schema) bool { return s == nil }))
}

func byLocation(all []*jsonschema.Schema) []*jsonschema.Schema {
	slices.SortFunc(all, func(a, b *jsonschema.Schema) int { return cmp.Compare(a.Location, b.Location) })
	return all
}
