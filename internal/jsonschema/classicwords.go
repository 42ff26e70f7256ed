package jsonschema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/xeipuuv/gojsonschema"
)

// classicPointer reads the path out of the library's context, which can only be
// printed.
func classicPointer(context *gojsonschema.JsonContext) string {
	const between = "\x00"
	tokens := strings.Split(context.String(between), between)
	return pointerTo(tokens[1:])
}

// classicWords puts one of the library's errors into our words.
func classicWords(e gojsonschema.ResultError) []Violation {
	at := classicPointer(e.Context())
	details := e.Details()
	text := func(key string) string { s, _ := details[key].(string); return s }
	one := func(keyword, expected, got string) []Violation {
		return []Violation{{Pointer: at, Keyword: keyword, Expected: expected, Got: got}}
	}
	value := e.Value()
	switch e.Type() {
	case "required":
		return missing(at, []string{text("property")})
	case "additional_property_not_allowed":
		return unknown(at, "additionalProperties", []string{text("property")}, map[string]any{text("property"): value})
	case "missing_dependency":
		return one("dependencies", fmt.Sprintf("property %q", clip(text("dependency"))), "an object without it")
	case "invalid_type":
		return one("type", typeList(text("expected")), seenAs(value))
	case "enum":
		return one("enum", oneOf(classicValues(text("allowed"))), show(value))
	case "const":
		return one("const", oneOf(classicValues(text("allowed"))), show(value))
	case "format":
		return one("format", "a valid "+text("format"), show(value))
	case "pattern":
		return one("pattern", "text that matches "+clip(fmt.Sprint(details["pattern"])), show(value))
	case "false":
		return one("false", "nothing here", seenAs(value))
	case "number_any_of":
		return []Violation{noBranch(at, "anyOf", 0, value)}
	case "number_one_of":
		return []Violation{noBranch(at, "oneOf", 0, value)}
	case "number_not":
		return one("not", "a value that the schema under not refuses", show(value))
	case "contains":
		return []Violation{noneContained(at, value)}
	case "invalid_property_name":
		return []Violation{badName(at, text("property"))}
	case "unique":
		return one("uniqueItems", "items that differ", fmt.Sprintf("the same at %v and %v", details["i"], details["j"]))
	case "array_no_additional_items":
		return one("additionalItems", "no further items", seenAs(value))
	case "number_all_of", "condition_then", "condition_else":
		return nil // what is wrong is told by the violations beside it
	}
	if v, ok := classicBound(e, at); ok {
		return []Violation{v}
	}
	return one("schema", "a value that the schema allows", seenAs(value))
}

// classicBounds has the errors about size: our keyword, the words, the detail
// that holds the bound, the noun that is counted.
var classicBounds = map[string]struct{ keyword, words, detail, noun string }{
	"number_gte":           {"minimum", "at least", "min", ""},
	"number_lte":           {"maximum", "at most", "max", ""},
	"number_gt":            {"exclusiveMinimum", "more than", "min", ""},
	"number_lt":            {"exclusiveMaximum", "less than", "max", ""},
	"multiple_of":          {"multipleOf", "a multiple of", "multiple", ""},
	"string_gte":           {"minLength", "at least", "min", "character"},
	"string_lte":           {"maxLength", "at most", "max", "character"},
	"array_min_items":      {"minItems", "at least", "min", "item"},
	"array_max_items":      {"maxItems", "at most", "max", "item"},
	"array_min_properties": {"minProperties", "at least", "min", "property"},
	"array_max_properties": {"maxProperties", "at most", "max", "property"},
}

func classicBound(e gojsonschema.ResultError, at string) (Violation, bool) {
	b, ok := classicBounds[e.Type()]
	if !ok {
		return Violation{}, false
	}
	v := Violation{Pointer: at, Keyword: b.keyword}
	switch limit := e.Details()[b.detail].(type) {
	case *big.Float:
		v.Expected, v.Got = b.words+" "+limit.Text('g', 15), show(e.Value())
	case int:
		v.Expected, v.Got = b.words+" "+count(limit, b.noun), count(sizeOf(e.Value()), b.noun)
	}
	return v, true
}

// sizeOf counts characters, items or properties.
func sizeOf(value any) int {
	switch value := value.(type) {
	case string:
		return len([]rune(value))
	case []any:
		return len(value)
	case map[string]any:
		return len(value)
	}
	return 0
}

// typeList reads the library's "[string,null]" or "string".
func typeList(text string) string {
	names := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[], ", r) })
	return kinds(names)
}

// classicValues reads the library's list of JSON texts.
func classicValues(text string) []any {
	var values []any
	if err := json.Unmarshal([]byte("["+text+"]"), &values); err != nil {
		return []any{text}
	}
	return values
}
