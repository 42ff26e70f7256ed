package server

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// anyObject is the contract of json_object.
const anyObject = `{"type":"object"}`

// formatTypes are the forms of an answer that a request may ask for.
var formatTypes = []string{"text", "json_object", "json_schema"}

// readFormat reads response_format. A schema is the contract of the answer, whatever
// strict says: an answer that breaks it is never passed on as one.
func readFormat(raw json.RawMessage) (llm.Output, error) {
	const at, want = "response_format", "an object {type: text, json_object or json_schema}"
	if len(raw) == 0 {
		return llm.Output{}, nil
	}
	o, err := readObject(raw, at, want)
	if err != nil {
		return llm.Output{}, err
	}
	var kind string
	var schema json.RawMessage
	if err := o.read([]member{{"type", &kind, "a string"}, {"json_schema", &schema, "an object {name, schema, strict}"}}); err != nil {
		return llm.Output{}, err
	}
	switch {
	case kind == "json_schema":
		return readSchema(schema, at+".json_schema")
	case schema != nil:
		return llm.Output{}, invalid(at+".json_schema", "%s.json_schema stands beside the type %q; write type: json_schema", at, kind)
	case kind == "text":
		return llm.Output{}, nil
	case kind == "json_object": // the messages say it, as OpenAI demands: no instructions are added
		return llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(anyObject), Told: true}, nil
	}
	return llm.Output{}, invalid(at+".type", "%s.type %q is not known; %s", at, kind, fault.Allowed(kind, formatTypes))
}

func readSchema(raw json.RawMessage, at string) (llm.Output, error) {
	const want = "an object {name, schema, strict}"
	if raw == nil {
		return llm.Output{}, invalid(at, "%s is missing: %s", at, want)
	}
	o, err := readObject(raw, at, want)
	if err != nil {
		return llm.Output{}, err
	}
	var name, description string
	var strict bool
	var schema json.RawMessage
	if err := o.read([]member{
		{"name", &name, "a string"}, {"description", &description, "a string"},
		{"schema", &schema, "a JSON Schema"}, {"strict", &strict, "a boolean"},
	}); err != nil {
		return llm.Output{}, err
	}
	if name != "" && !toolName.MatchString(name) {
		return llm.Output{}, invalid(at+".name", "%s.name: want 1 to 64 letters, digits, _ and -", at)
	}
	if schema == nil {
		return llm.Output{}, invalid(at+".schema", "%s.schema is missing", at)
	}
	if _, err := readObject(schema, at+".schema", "a JSON Schema, an object"); err != nil {
		return llm.Output{}, err
	}
	return llm.Output{Kind: llm.OutputJSON, Schema: described(schema, name, description)}, nil
}

// described lets a schema say what was said beside it, where it has no words of its own:
// models read both.
func described(schema json.RawMessage, title, description string) json.RawMessage {
	root, err := jsonschema.Parse(schema)
	if err != nil || !root.IsObject() {
		return schema
	}
	for _, word := range []struct{ key, text string }{{"title", title}, {"description", description}} {
		if word.text != "" && root.Get(word.key) == nil {
			root.Set(word.key, jsonschema.Text(word.text))
		}
	}
	return root.JSON()
}
