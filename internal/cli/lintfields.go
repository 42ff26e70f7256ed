package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// lintFields warns of checks that look at a part of the answer which the prompt's schema
// does not have, and of such golden answers: surely where the schema refuses it, and
// where it only does not name it, if it names one that is nearly written so.
func lintFields(one *loaded) ([]*fault.Error, error) {
	if one.prompt.Output.Kind != llm.OutputJSON || len(one.prompt.Output.Schema) == 0 {
		return nil, nil
	}
	root, err := jsonschema.Decode(one.prompt.Output.Schema)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema cannot be read: %v", err)
	}
	refused, err := withoutPresence(one.prompt.Output.Schema) // by which lintGoldens says what is surely wrong
	if err != nil {
		return nil, err
	}
	shape := shape{root: root}
	var warnings []*fault.Error
	seen := map[fault.Place]bool{} // a check of the whole suite is every case's
	golden := func(g *eval.Golden, place fault.Place, of string) {
		if g == nil {
			return
		}
		for _, lost := range shape.lost(root, g.Value, "") {
			if !lost.surely || refused == nil {
				warnings = append(warnings, fault.At(place, "the golden of %s has %s, and the schema of the prompt %s does not name it", of, lost.path, one.prompt.Name).
					WithHint("%s", fault.Allowed(lost.name, lost.known)))
			}
		}
	}
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		for check := range c.AllChecks() {
			for _, field := range eval.FieldsOf(check) {
				if seen[field.Place] {
					continue
				}
				seen[field.Place] = true
				if lost := shape.follow(field.Steps); lost != nil {
					warnings = append(warnings, lost.warning(field, check.Name(), one.prompt.Name))
				}
			}
		}
		golden(c.Golden, c.Place, "case "+c.ID)
		for i := range c.Turns {
			golden(c.Turns[i].Golden, c.Turns[i].Place, fmt.Sprintf("turn %d of case %s", c.Turns[i].Number, c.ID))
		}
	}
	return warnings, nil
}

// shape is what a schema says of the members of objects.
type shape struct{ root any }

// lost is a member that a schema does not name.
type lost struct {
	name   string
	path   string // to it
	known  []string
	surely bool // no answer under the schema has it
}

func (l *lost) warning(field eval.FieldPath, check, prompt string) *fault.Error {
	if l.surely {
		return fault.At(field.Place, "the check %s looks at %s, and no valid answer of the prompt %s has it", check, field.Text, prompt).
			WithHint("%s", fault.Allowed(l.name, l.known))
	}
	return fault.At(field.Place, "the check %s looks at %s, and the schema of the prompt %s does not name it", check, field.Text, prompt).
		WithHint("%s", fault.Allowed(l.name, l.known))
}

// follow finds the step of a path that leads nowhere; nil where none surely does.
func (s shape) follow(steps []any) *lost {
	at := s.root
	for _, step := range steps {
		object := s.plain(at)
		if object == nil {
			return nil
		}
		if name, ok := step.(string); ok {
			var found bool
			if at, found = members(object)[name]; !found {
				return s.unnamed(object, name)
			}
			continue
		}
		if object["prefixItems"] != nil {
			return nil
		}
		if at = object["items"]; at == nil {
			return nil
		}
	}
	return nil
}

// lost finds the members of a golden answer that the schema does not name.
func (s shape) lost(schema, golden any, path string) (all []*lost) {
	object := s.plain(schema)
	if object == nil {
		return nil
	}
	switch golden := golden.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(golden)) {
			at := strings.TrimPrefix(path+"."+name, ".")
			if inner, found := members(object)[name]; found {
				all = append(all, s.lost(inner, golden[name], at)...)
			} else if one := s.unnamed(object, name); one != nil {
				one.path = at
				all = append(all, one)
			}
		}
	case []any:
		if object["prefixItems"] != nil || object["items"] == nil {
			return nil
		}
		for i, item := range golden {
			all = append(all, s.lost(object["items"], item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return all
}

// unnamed judges a member that is not among those of an object's schema: nil where the
// schema leaves open whether there is such a one, and nothing is written nearly so.
func (s shape) unnamed(object map[string]any, name string) *lost {
	known := slices.Sorted(maps.Keys(members(object)))
	closed := object["additionalProperties"] == false
	if !closed && (len(known) == 0 || object["additionalProperties"] != nil || fault.Suggest(name, known) == "") {
		return nil
	}
	return &lost{name: name, known: known, surely: closed}
}

func members(object map[string]any) map[string]any {
	found, _ := object["properties"].(map[string]any)
	return found
}

// maxRefs bounds how many references are followed to one schema.
const maxRefs = 10

// plain gives a schema whose words say all there is about members; nil where others could
// have a say, or it is no object. A reference within the document is followed.
func (s shape) plain(schema any) map[string]any {
	for range maxRefs {
		object, ok := schema.(map[string]any)
		if !ok {
			return nil
		}
		for _, word := range []string{
			"oneOf", "anyOf", "allOf", "not", "if", "patternProperties", "unevaluatedProperties",
			"dependentSchemas", "dependencies", "$dynamicRef", "$recursiveRef",
		} {
			if _, found := object[word]; found {
				return nil
			}
		}
		ref, refers := object["$ref"].(string)
		if !refers {
			return object
		}
		if object["properties"] != nil || object["$id"] != nil {
			return nil
		}
		if schema = s.pointed(ref); schema == nil {
			return nil
		}
	}
	return nil
}

// pointed is what a reference such as #/$defs/line means; nil where that is not to be told.
func (s shape) pointed(ref string) any {
	rest, local := strings.CutPrefix(ref, "#/")
	if !local || strings.ContainsAny(rest, "~%") {
		return nil
	}
	at := s.root
	for step := range strings.SplitSeq(rest, "/") {
		object, _ := at.(map[string]any)
		at = object[step]
	}
	return at
}
