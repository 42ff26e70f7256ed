package openapitest

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// check lists what a JSON text does wrong under a schema of the document. Where closed
// is set, an object may have no member that the schema does not name: what is sent and
// not described is nobody's to rely on.
func (d *Document) check(schema map[string]any, text []byte, closed bool) (wrong []string) {
	value, err := jsonschema.Decode(text)
	if err != nil {
		return []string{err.Error()}
	}
	compiled, err := d.compile(schema, closed)
	if err != nil {
		return []string{"the schema: " + err.Error()}
	}
	for _, violation := range compiled.Validate(value) {
		wrong = append(wrong, violation.String())
	}
	return wrong
}

// compiledKey is a schema of the document, which does not move.
type compiledKey struct {
	schema uintptr
	closed bool
}

func (d *Document) compile(schema map[string]any, closed bool) (*jsonschema.Schema, error) {
	key := compiledKey{reflect.ValueOf(schema).Pointer(), closed}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.compiled[key]; known != nil {
		return known, nil
	}
	whole := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema"}
	maps.Copy(whole, schema)
	if text, err := json.Marshal(schema); err != nil {
		return nil, err
	} else if strings.Contains(string(text), `"$ref"`) {
		whole["$defs"] = d.schemas
	}
	if closed {
		whole = closedIn(whole).(map[string]any)
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	compiled, err := jsonschema.Compile([]byte(strings.ReplaceAll(string(text), `"#/components/schemas/`, `"#/$defs/`)))
	if err == nil {
		d.compiled[key] = compiled
	}
	return compiled, err
}

// closedIn gives a schema in which every object that names its members has no others.
func closedIn(value any) any {
	switch value := value.(type) {
	case []any:
		list := slices.Clone(value)
		for i := range list {
			list[i] = closedIn(list[i])
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, inner := range value {
			object[name] = closedIn(inner)
		}
		_, names := object["properties"].(map[string]any)
		if _, says := object["additionalProperties"]; names && !says && object["type"] == "object" {
			object["additionalProperties"] = false
		}
		return object
	}
	return value
}
