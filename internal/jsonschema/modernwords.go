package jsonschema

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// flatten makes violations of the library's tree of errors. Of the branches of
// anyOf and oneOf only the nearest is told.
func flatten(err *jsonschema.ValidationError, root any) []Violation {
	at := pointerTo(err.InstanceLocation)
	value, _ := lookup(root, err.InstanceLocation)
	switch k := err.ErrorKind.(type) {
	case *kind.AnyOf:
		return append([]Violation{noBranch(at, "anyOf", len(err.Causes), value)}, nearest(err.Causes, root)...)
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return []Violation{manyBranches(at, value)}
		}
		return append([]Violation{noBranch(at, "oneOf", len(err.Causes), value)}, nearest(err.Causes, root)...)
	case *kind.Contains:
		return []Violation{noneContained(at, value)}
	case *kind.PropertyNames:
		return []Violation{badName(at, k.Property)}
	}
	if len(err.Causes) > 0 {
		var all []Violation
		for _, cause := range err.Causes {
			all = append(all, flatten(cause, root)...)
		}
		return all
	}
	return leaf(err, at, value)
}

// nearest flattens the branch that came furthest: the deepest place, then the
// fewest violations, then the first.
func nearest(branches []*jsonschema.ValidationError, root any) []Violation {
	var best []Violation
	bestDepth := -1
	for _, branch := range branches {
		all := flatten(branch, root)
		depth := 0
		for _, v := range all {
			depth = max(depth, strings.Count(v.Pointer, "/"))
		}
		if depth > bestDepth || depth == bestDepth && len(all) < len(best) {
			best, bestDepth = all, depth
		}
	}
	return best
}

// leaf words one error that has no causes.
func leaf(err *jsonschema.ValidationError, at string, value any) []Violation {
	one := func(keyword, expected, got string) []Violation {
		return []Violation{{Pointer: at, Keyword: keyword, Expected: expected, Got: got}}
	}
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		return missing(at, k.Missing)
	case *kind.AdditionalProperties:
		return unknown(at, "additionalProperties", k.Properties, value)
	case *kind.Dependency:
		return dependents(at, "dependencies", k.Prop, k.Missing)
	case *kind.DependentRequired:
		return dependents(at, "dependentRequired", k.Prop, k.Missing)
	case *kind.Type:
		return one("type", kinds(k.Want), seenAs(value))
	case *kind.Enum:
		return one("enum", oneOf(k.Want), show(k.Got))
	case *kind.Const:
		return one("const", show(k.Want), show(k.Got))
	case *kind.Format:
		return one("format", "a valid "+k.Want, show(k.Got))
	case *kind.Pattern:
		return one("pattern", "text that matches "+clip(k.Want), show(k.Got))
	case *kind.FalseSchema:
		return one("false", "nothing here", seenAs(value))
	case *kind.Not:
		return one("not", "a value that the schema under not refuses", show(value))
	case *kind.UniqueItems:
		return one("uniqueItems", "items that differ", fmt.Sprintf("the same at %d and %d", k.Duplicates[0], k.Duplicates[1]))
	}
	if v, ok := bound(err.ErrorKind, at); ok {
		return []Violation{v}
	}
	keyword := "schema"
	if path := err.ErrorKind.KeywordPath(); len(path) > 0 {
		keyword = path[0]
	}
	return one(keyword, "a value that "+keyword+" allows", seenAs(value))
}

// bound words the errors about size.
func bound(err jsonschema.ErrorKind, at string) (Violation, bool) {
	v := Violation{Pointer: at}
	switch k := err.(type) {
	case *kind.Minimum:
		v.Keyword, v.Expected, v.Got = "minimum", "at least "+decimal(k.Want), decimal(k.Got)
	case *kind.Maximum:
		v.Keyword, v.Expected, v.Got = "maximum", "at most "+decimal(k.Want), decimal(k.Got)
	case *kind.ExclusiveMinimum:
		v.Keyword, v.Expected, v.Got = "exclusiveMinimum", "more than "+decimal(k.Want), decimal(k.Got)
	case *kind.ExclusiveMaximum:
		v.Keyword, v.Expected, v.Got = "exclusiveMaximum", "less than "+decimal(k.Want), decimal(k.Got)
	case *kind.MultipleOf:
		v.Keyword, v.Expected, v.Got = "multipleOf", "a multiple of "+decimal(k.Want), decimal(k.Got)
	case *kind.MinLength:
		v.Keyword, v.Expected, v.Got = "minLength", "at least "+count(k.Want, "character"), count(k.Got, "character")
	case *kind.MaxLength:
		v.Keyword, v.Expected, v.Got = "maxLength", "at most "+count(k.Want, "character"), count(k.Got, "character")
	case *kind.MinItems:
		v.Keyword, v.Expected, v.Got = "minItems", "at least "+count(k.Want, "item"), count(k.Got, "item")
	case *kind.MaxItems:
		v.Keyword, v.Expected, v.Got = "maxItems", "at most "+count(k.Want, "item"), count(k.Got, "item")
	case *kind.MinProperties:
		v.Keyword, v.Expected, v.Got = "minProperties", "at least "+count(k.Want, "property"), count(k.Got, "property")
	case *kind.MaxProperties:
		v.Keyword, v.Expected, v.Got = "maxProperties", "at most "+count(k.Want, "property"), count(k.Got, "property")
	case *kind.MinContains:
		v.Keyword, v.Expected, v.Got = "minContains", "at least "+count(k.Want, "matching item"), count(len(k.Got), "matching item")
	case *kind.MaxContains:
		v.Keyword, v.Expected, v.Got = "maxContains", "at most "+count(k.Want, "matching item"), count(len(k.Got), "matching item")
	case *kind.AdditionalItems:
		v.Keyword, v.Expected, v.Got = "additionalItems", "no further items", count(k.Count, "item")+" too many"
	default:
		return v, false
	}
	return v, true
}
