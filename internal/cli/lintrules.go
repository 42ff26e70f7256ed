package cli

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// unkept warns of settings that are read, and that this version does not keep.
func (p *project) unkept() []*fault.Error {
	var warnings []*fault.Error
	if len(p.config.Budgets) > 0 {
		warnings = append(warnings, fault.At(p.config.Budgets[0].Place, "budgets are not kept by this version: with them only recorded replies and simulated models are used"))
	}
	for _, alias := range p.config.ModelNames() {
		if limits := p.config.Models[alias].Limits; limits.RPM > 0 || limits.TPM > 0 {
			warnings = append(warnings, fault.At(limits.Place, "rpm and tpm are not kept by this version; concurrency is"))
		}
	}
	return warnings
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
	if err != nil {
		return nil, err
	}
	var warnings []*fault.Error
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		if c.Golden == nil {
			continue
		}
		if violations := partial.Validate(c.Golden.Value); len(violations) > 0 {
			warnings = append(warnings, fault.At(c.Place, "no valid answer can match the golden of case %s: %s", c.ID, violations[0]))
		}
	}
	return warnings, nil
}

// withoutPresence is a schema that lets parts be absent, as a golden answer may,
// and still says what those that are there must be.
func withoutPresence(raw json.RawMessage) (*jsonschema.Schema, error) {
	schema, err := jsonschema.Decode(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema cannot be read: %v", err)
	}
	dropPresence(schema)
	relaxed, err := json.Marshal(schema)
	if err != nil {
		return nil, fault.New(fault.Internal, "the schema cannot be written: %v", err)
	}
	return jsonschema.Compile(relaxed)
}

func dropPresence(value any) {
	switch v := value.(type) {
	case map[string]any:
		if required, ok := v["required"].([]any); ok && required != nil {
			delete(v, "required")
		}
		for _, word := range []string{"minProperties", "dependentRequired", "dependencies"} {
			delete(v, word)
		}
		for _, item := range v {
			dropPresence(item)
		}
	case []any:
		for _, item := range v {
			dropPresence(item)
		}
	}
}
