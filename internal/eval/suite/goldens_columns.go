package suite

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

const goldenDot = "golden."

// isGoldenColumn tells the columns of a row that make its golden answer.
func isGoldenColumn(name string) bool {
	return name == "golden" || strings.HasPrefix(name, goldenDot)
}

// spread lays a golden answer out over columns. have are the columns golden and
// golden.* that the row has. Columns of have that are not in the result are to be
// removed, and those that are in the result alone are to be added. An object keeps
// to dotted columns where the row has some.
func spread(golden any, have []string) map[string]any {
	whole := map[string]any{"golden": golden}
	object, isObject := golden.(map[string]any)
	dotted := slices.DeleteFunc(slices.Clone(have), func(name string) bool { return name == "golden" })
	if !isObject || len(dotted) == 0 {
		return whole
	}
	rest, _ := copied(object).(map[string]any)
	cells := map[string]any{}
	// The deeper column first: golden.who takes what golden.who.name leaves.
	slices.SortFunc(dotted, func(a, b string) int {
		return cmp.Or(strings.Count(b, ".")-strings.Count(a, "."), strings.Compare(a, b))
	})
	for _, column := range dotted {
		steps := strings.Split(column[len(goldenDot):], ".")
		if value, there := take(rest, steps); there {
			cells[column] = value
		}
	}
	switch {
	case len(rest) == 0:
	case slices.Contains(have, "golden"):
		cells["golden"] = rest
	default:
		if !addColumns(cells, goldenDot, rest) {
			return whole
		}
	}
	if back, had, err := goldenOf(cells); err != nil || !had || !reflect.DeepEqual(back, golden) {
		return whole // such as {}, which has no dotted form
	}
	return cells
}

// take removes the value at a path, and the objects that it leaves empty.
func take(from map[string]any, steps []string) (any, bool) {
	value, there := from[steps[0]]
	if !there {
		return nil, false
	}
	if len(steps) == 1 {
		delete(from, steps[0])
		return value, true
	}
	inner, isObject := value.(map[string]any)
	if !isObject {
		return nil, false
	}
	taken, there := take(inner, steps[1:])
	if there && len(inner) == 0 {
		delete(from, steps[0])
	}
	return taken, there
}

// addColumns makes dotted columns of an object, deep only where columns are deep
// already. It reports false where a key cannot be one.
func addColumns(cells map[string]any, prefix string, object map[string]any) bool {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		column := prefix + key
		if key == "" || strings.Contains(key, ".") || strings.TrimSpace(key) != key {
			return false
		}
		deep := false
		for other := range cells {
			deep = deep || strings.HasPrefix(other, column+".")
		}
		if inner, isObject := object[key].(map[string]any); isObject && deep {
			if !addColumns(cells, column+".", inner) {
				return false
			}
			continue
		}
		cells[column] = object[key]
	}
	return true
}

// goldenOf joins the golden columns of a row, as reading the row does.
func goldenOf(columns map[string]any) (golden any, had bool, err error) {
	s := &source{vars: map[string]any{}}
	for name, value := range columns {
		switch {
		case name == "golden":
			value := copied(value)
			s.golden = &value
		case isGoldenColumn(name):
			s.vars[name] = copied(value) // nest puts values into each other
		}
	}
	var problems fault.List
	s.nest(&problems)
	if s.golden == nil || len(problems) > 0 {
		return nil, false, problems.Err()
	}
	return *s.golden, true, nil
}

// copied is a deep copy of a JSON value.
func copied(value any) any {
	switch v := value.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, inner := range v {
			object[key] = copied(inner)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, inner := range v {
			list[i] = copied(inner)
		}
		return list
	}
	return value
}
