package jsonschema

import (
	"fmt"
	"strconv"
)

// The violations that both libraries word alike.

func missing(at string, names []string) []Violation {
	all := make([]Violation, len(names))
	for i, name := range names {
		all[i] = Violation{Pointer: at, Keyword: "required", Expected: fmt.Sprintf("required property %q", clip(name)), Got: "an object without it"}
	}
	return all
}

// unknown words properties that may not be there, each at its own place.
func unknown(at, keyword string, names []string, object any) []Violation {
	fields, _ := object.(map[string]any)
	all := make([]Violation, len(names))
	for i, name := range names {
		all[i] = Violation{
			Pointer: at + "/" + escapePointer(name), Keyword: keyword,
			Expected: fmt.Sprintf("no property %q", clip(name)), Got: show(fields[name]),
		}
	}
	return all
}

func dependents(at, keyword, because string, names []string) []Violation {
	all := make([]Violation, len(names))
	for i, name := range names {
		all[i] = Violation{
			Pointer: at, Keyword: keyword,
			Expected: fmt.Sprintf("property %q beside %q", clip(name), clip(because)), Got: "an object without it",
		}
	}
	return all
}

func noBranch(at, keyword string, branches int, value any) Violation {
	expected := "a value that one of the allowed forms fits"
	if branches > 0 {
		expected = fmt.Sprintf("a value that one of %d allowed forms fits", branches)
	}
	return Violation{Pointer: at, Keyword: keyword, Expected: expected, Got: show(value)}
}

func manyBranches(at string, value any) Violation {
	return Violation{Pointer: at, Keyword: "oneOf", Expected: "a value that exactly one of the allowed forms fits", Got: show(value) + ", which fits more than one"}
}

func noneContained(at string, value any) Violation {
	return Violation{Pointer: at, Keyword: "contains", Expected: "an item that the schema under contains fits", Got: show(value)}
}

func badName(at, name string) Violation {
	return Violation{Pointer: at, Keyword: "propertyNames", Expected: "property names as the schema allows them", Got: show(name)}
}

// pointerTo writes a path as a JSON pointer.
func pointerTo(path []string) string {
	pointer := ""
	for _, token := range path {
		pointer += "/" + escapePointer(token)
	}
	return pointer
}

// lookup follows a path into a value.
func lookup(value any, path []string) (any, bool) {
	for _, token := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}
