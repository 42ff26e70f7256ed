package jsonschema

import (
	"slices"
	"strconv"
)

// Where subschemas stand under a keyword.
const (
	one   = 1 << iota // the value is a schema
	many              // the value is a list of schemas
	named             // the value is an object of schemas
)

// subschemas has every keyword of any dialect that holds schemas.
var subschemas = map[string]int{
	"$defs": named, "definitions": named,
	"properties": named, "patternProperties": named, "additionalProperties": one, "unevaluatedProperties": one, "propertyNames": one,
	"items": one | many, "additionalItems": one, "prefixItems": many, "unevaluatedItems": one, "contains": one, "contentSchema": one,
	"allOf": many, "anyOf": many, "oneOf": many, "not": one,
	"if": one, "then": one, "else": one,
	"dependencies": named, "dependentSchemas": named,
}

// assertions are the other keywords that a value can break.
var assertions = []string{
	"type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
	"multipleOf", "required", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems",
}

func isKeyword(name string) bool {
	return subschemas[name] != 0 || slices.Contains(assertions, name)
}

// walk visits every object that stands where a schema stands, with its pointer.
func walk(schema any, visit func(schema map[string]any, pointer string)) {
	walkAt(schema, "", visit)
}

func walkAt(schema any, pointer string, visit func(map[string]any, string)) {
	object, ok := schema.(map[string]any)
	if !ok {
		return
	}
	visit(object, pointer)
	for keyword := range object {
		children(object, keyword, func(child any, path string) { walkAt(child, pointer+path, visit) })
	}
}

// children visits what stands under one keyword of a schema.
func children(schema map[string]any, keyword string, visit func(child any, path string)) {
	shape := subschemas[keyword]
	path := "/" + escapePointer(keyword)
	switch value := schema[keyword].(type) {
	case []any:
		if shape&many != 0 {
			for i, child := range value {
				visit(child, path+"/"+strconv.Itoa(i))
			}
		}
	case map[string]any:
		switch {
		case shape&one != 0:
			visit(value, path)
		case shape&named != 0:
			for name, child := range value {
				visit(child, path+"/"+escapePointer(name))
			}
		}
	}
}

// Asserts reports a keyword, of any dialect, that a value can break.
func Asserts(name string) bool {
	switch name {
	case "$defs", "definitions", "contentSchema":
		return false
	case "$ref", "$dynamicRef", "$recursiveRef", "dependentRequired", "minContains", "maxContains":
		return true
	}
	return isKeyword(name)
}
