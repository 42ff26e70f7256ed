package contract

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// coercion converts a value, or reports that it is not one to convert.
type coercion struct {
	allowed llm.Coercion
	name    string
	convert func(value any) (any, bool)
}

var coercions = []coercion{
	{llm.CoerceNumber, coerceNumber, toNumber},
	{llm.CoerceBoolean, coerceBoolean, toBoolean},
	{llm.CoerceList, coerceList, toList},
}

// toNumber takes a text that is a number of JSON, letter by letter.
func toNumber(value any) (any, bool) {
	text, ok := value.(string)
	if !ok || !number.MatchString(text) {
		return nil, false
	}
	return json.Number(strings.TrimPrefix(text, "+")), true
}

// toBoolean takes yes, no, true and false in any case.
func toBoolean(value any) (any, bool) {
	text, _ := value.(string)
	switch strings.ToLower(text) {
	case "yes", "true":
		return true, true
	case "no", "false":
		return false, true
	}
	return nil, false
}

func toList(value any) (any, bool) {
	switch value.(type) {
	case string, bool, json.Number:
		return []any{value}, true
	}
	return nil, false
}

// Bounds of what is tried: every trial validates the whole value.
const (
	maxCoerced = 32 // places of a wrong type
	maxRounds  = 2  // a number in a text where a list of numbers is due takes two
)

// coerce converts what the schema refuses for its type alone, by the coercions that
// the prompt names. It gives no changes where the value does not satisfy the schema
// in the end. The value itself stays as it is.
func (p *Parser) coerce(value any, output llm.Output) (any, changes) {
	schema, err := p.schema(output.ValueSchema())
	if err != nil || len(output.ValueSchema()) == 0 {
		return nil, nil
	}
	var c changes
	for range maxRounds {
		pointers := wrongTypes(schema.Validate(value))
		if len(pointers) > maxCoerced {
			return nil, nil
		}
		for _, pointer := range pointers {
			if converted, name := convertAt(schema, value, pointer, output.Coerce); name != "" {
				value = converted
				c.add(name, 0)
			}
		}
	}
	if len(schema.Validate(value)) > 0 {
		return nil, nil
	}
	return value, c
}

func wrongTypes(violations []jsonschema.Violation) []string {
	var pointers []string
	for _, v := range violations {
		if v.Keyword == "type" && !slices.Contains(pointers, v.Pointer) {
			pointers = append(pointers, v.Pointer)
		}
	}
	return pointers
}

// convertAt tries the coercions at one place. Where two would do, "3" being 3 or
// ["3"], none is right.
func convertAt(schema *jsonschema.Schema, value any, pointer string, allowed []llm.Coercion) (any, string) {
	var converted any
	name := ""
	for _, one := range coercions {
		if !slices.Contains(allowed, one.allowed) {
			continue
		}
		trial, ok := replaced(value, strings.Split(pointer, "/")[1:], one.convert)
		if !ok || slices.Contains(wrongTypes(schema.Validate(trial)), pointer) {
			continue
		}
		if name != "" {
			return nil, ""
		}
		converted, name = trial, one.name
	}
	return converted, name
}

// replaced is a copy of value with the place at path converted.
func replaced(value any, path []string, convert func(any) (any, bool)) (any, bool) {
	if len(path) == 0 {
		return convert(value)
	}
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(path[0])
	switch value := value.(type) {
	case map[string]any:
		inner, ok := replaced(value[name], path[1:], convert)
		if !ok {
			return nil, false
		}
		copied := make(map[string]any, len(value))
		for key, one := range value {
			copied[key] = one
		}
		copied[name] = inner
		return copied, true
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(value) {
			return nil, false
		}
		inner, ok := replaced(value[i], path[1:], convert)
		if !ok {
			return nil, false
		}
		copied := slices.Clone(value)
		copied[i] = inner
		return copied, true
	}
	return nil, false
}
