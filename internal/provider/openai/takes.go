package openai

import (
	"slices"
	"strings"
)

// withoutSchemas are OpenAI's models of before August 2024, as its documentation names
// them: they refuse response_format: json_schema.
var withoutSchemas = []string{"gpt-4", "gpt-4o-2024-05-13", "chatgpt-4o-latest"}

var withoutSchemasPrefixes = []string{"gpt-3.5-", "gpt-4-", "o1-mini", "o1-preview"}

// TakesSchemas reports whether a model at OpenAI takes a schema natively, by its name on
// the wire. One that nobody knows is taken for a newer one.
func TakesSchemas(wire string) bool {
	return !slices.Contains(withoutSchemas, wire) &&
		!slices.ContainsFunc(withoutSchemasPrefixes, func(prefix string) bool { return strings.HasPrefix(wire, prefix) })
}
