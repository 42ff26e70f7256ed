package cli

import (
	"encoding/json"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// pricedBudgets refuses a budget in dollars over a model whose price nobody knows.
func (p *project) pricedBudgets() error {
	return p.config.CheckPrices(func(alias string) bool {
		found, err := p.priceOf(alias)
		return err != nil || found.Known // an error is told where the price stands
	})
}

// lintModels refuses a prompt's model that llmx.yaml does not have.
func (p *project) lintModels() error {
	names, err := p.prompts.Names()
	if err != nil {
		return nil // Check has said why
	}
	var problems fault.List
	for _, name := range names {
		found, err := p.prompts.Resolve(name, prompt.Develop)
		if err != nil || found.Model == "" {
			continue // likewise
		}
		if _, ok := p.config.Lookup(found.Model); !ok {
			problems.Add(fault.At(fault.Place{File: found.File}, "no model or route is called %q", found.Model).
				WithHint("%s", fault.Allowed(found.Model, p.config.Names())))
		}
	}
	return problems.Err()
}

// lintGoldens warns of golden answers that no valid answer can match.
func lintGoldens(one *loaded) ([]*fault.Error, error) {
	if one.prompt.Output.Kind != llm.OutputJSON || len(one.prompt.Output.Schema) == 0 {
		return nil, nil
	}
	partial, err := withoutPresence(one.prompt.Output.Schema)
	if err != nil || partial == nil {
		return nil, err
	}
	var warnings []*fault.Error
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		warnings = append(warnings, unmatched(partial, c.Golden, c.Place, "case "+c.ID)...)
		for i := range c.Turns {
			turn := &c.Turns[i]
			warnings = append(warnings, unmatched(partial, turn.Golden, turn.Place, fmt.Sprintf("turn %d of case %s", turn.Number, c.ID))...)
		}
	}
	return warnings, nil
}

// unmatched warns of a golden answer that the schema refuses.
func unmatched(schema *jsonschema.Schema, golden *eval.Golden, place fault.Place, of string) []*fault.Error {
	if golden == nil {
		return nil
	}
	violations := schema.Validate(golden.Value)
	if len(violations) == 0 {
		return nil
	}
	return []*fault.Error{fault.At(place, "no valid answer can match the golden of %s: %s", of, violations[0])}
}

// withoutPresence is a schema that lets parts be absent, as a golden answer may,
// and still says what those that are there must be; nil where alternatives make
// that more than a matter of leaving words out.
func withoutPresence(raw json.RawMessage) (*jsonschema.Schema, error) {
	schema, err := jsonschema.Decode(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema cannot be read: %v", err)
	}
	if !dropPresence(schema) {
		return nil, nil
	}
	relaxed, err := json.Marshal(schema)
	if err != nil {
		return nil, fault.New(fault.Internal, "the schema cannot be written: %v", err)
	}
	return jsonschema.Compile(relaxed)
}

// dropPresence takes the words of presence out of a schema and of the schemas in
// it; false where a word is in it whose meaning that could change.
func dropPresence(value any) bool {
	schema, ok := value.(map[string]any)
	if !ok {
		return true // true and false are schemas, too
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf", "not", "if", "contains", "$dynamicRef", "$recursiveRef", "unevaluatedProperties"} {
		if _, found := schema[word]; found {
			return false
		}
	}
	for _, word := range []string{"required", "minProperties", "minItems", "dependentRequired", "dependencies", "dependentSchemas"} {
		delete(schema, word)
	}
	for _, word := range []string{"items", "additionalProperties", "additionalItems", "propertyNames"} {
		if !dropPresence(schema[word]) {
			return false
		}
	}
	for _, word := range []string{"properties", "patternProperties", "$defs", "definitions"} {
		inner, _ := schema[word].(map[string]any)
		for _, one := range inner {
			if !dropPresence(one) {
				return false
			}
		}
	}
	return true
}
