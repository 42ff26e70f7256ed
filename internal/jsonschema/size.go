package jsonschema

import (
	"net/url"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// The libraries look each schema, each value of an enum and each required name up in a
// list of those before it: twice as many take four times as long.
const (
	maxSchemas = 10_000 // within one schema
	maxListed  = 20_000 // values under enum, required and the like, in one schema
	maxValues  = 50_000
	maxHidden  = 500 // schemas that stand where no keyword has one, and are referred to
)

// size is how much stands in a schema, and in the files that go into it.
type size struct{ schemas, listed, values, hidden int }

// add counts a document, and refuses what is too much.
func (s *size) add(document any) error {
	s.values += valuesIn(document)
	if s.values > maxValues {
		return fault.New(fault.Invalid, "the schema is too large: it holds more than %d values", maxValues).WithHint("%s", hintSize)
	}
	open := map[string]bool{}
	walk(document, func(schema map[string]any, pointer string) {
		open["#"+pointer] = true
		s.schemas++
		for keyword, value := range schema {
			list, isList := value.([]any)
			object, isObject := value.(map[string]any)
			switch {
			case isList:
				s.listed += len(list)
			case isObject && subschemas[keyword]&named != 0:
				s.schemas += booleansIn(object)
			}
		}
	})
	referred := map[string]bool{}
	refsIn(document, referred)
	for ref := range referred {
		if !open[ref] {
			s.hidden++
		}
	}
	switch {
	case s.hidden > maxHidden:
		return fault.New(fault.Invalid, "the schema refers to %d schemas that stand where no keyword has any, and may to %d", s.hidden, maxHidden).
			WithHint("schemas that are referred to go under $defs (definitions, up to draft 7)")
	case s.schemas > maxSchemas:
		return fault.New(fault.Invalid, "the schema is too large: %d schemas stand in it, and %d may", s.schemas, maxSchemas).WithHint("%s", hintSize)
	case s.listed > maxListed:
		return fault.New(fault.Invalid, "the schema is too large: its lists (enum, required, …) hold %d values, and %d may", s.listed, maxListed).WithHint("%s", hintSize)
	}
	return nil
}

const hintSize = "a schema is for the form of an answer: properties that are alike go under patternProperties or additionalProperties, and a long enum under pattern"

// booleansIn counts true and false, which are schemas that walk does not visit.
func booleansIn(object map[string]any) (n int) {
	for _, value := range object {
		if _, ok := value.(bool); ok {
			n++
		}
	}
	return n
}

// refsIn finds the pointers that are referred to, anywhere in a document.
func refsIn(value any, found map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		if ref, ok := value["$ref"].(string); ok && strings.HasPrefix(ref, "#") {
			if plain, err := url.PathUnescape(ref); err == nil {
				found[plain] = true
			}
		}
		for _, inner := range value {
			refsIn(inner, found)
		}
	case []any:
		for _, inner := range value {
			refsIn(inner, found)
		}
	}
}

func valuesIn(value any) int {
	n := 1
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			n += valuesIn(inner)
		}
	case []any:
		for _, inner := range value {
			n += valuesIn(inner)
		}
	}
	return n
}
