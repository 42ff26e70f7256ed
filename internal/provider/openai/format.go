package openai

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// Format is what response_format says of a schema.
type Format struct {
	JSON   json.RawMessage // the option's value
	Strict bool            // the server holds the model to it
	// Lost has, where Strict, what the server is not told; else why it is not strict.
	Lost []Loss
}

// Loss is a keyword of a schema that strict mode does not have.
type Loss struct {
	Pointer string // into the schema, "" for the whole
	Keyword string // "" where it is no single one
	Why     string // why that bars strict mode; "" where the keyword can be left out
}

// String gives "#/properties/age: minLength", and why where that is said.
func (l Loss) String() string {
	text := "#" + l.Pointer
	if l.Keyword != "" {
		text += ": " + l.Keyword
	}
	if l.Why != "" {
		text += ": " + l.Why
	}
	return text
}

// formatName is the name that every schema goes by. It is the same for all prompts, as a
// model may read it.
const formatName = "answer"

// ResponseFormat lowers a schema to what strict mode takes. One rule holds: every answer
// that is valid under the schema is valid under what is sent. So keywords are left out,
// and nothing is added that the schema does not say; where strict mode wants more (every
// property required, no further ones), the whole schema is sent as it is, and is not
// strict. False where the server takes no schema like that: an answer that need not be
// an object. The schema must be valid, and hold all that it refers to.
func ResponseFormat(schema json.RawMessage) (Format, bool) {
	root, err := jsonschema.Parse(schema)
	if err != nil {
		return Format{}, false
	}
	l := &lowering{document: root, names: map[string]string{}, taken: map[string]bool{}}
	at := ""
	for hops := 0; root.Get("$ref") != nil && hops < maxHops; hops++ {
		target, pointer := l.target(root.Get("$ref"))
		if target == nil {
			return Format{}, false
		}
		l.beside(root, at, "$ref")
		root, at = target, pointer
	}
	if kind, _ := root.Get("type").String(); kind != "object" {
		return Format{}, false
	}
	lowered := l.whole(root, at)
	l.withinLimits()
	f := Format{Strict: len(l.barred) == 0, Lost: l.lost}
	if !f.Strict {
		f.Lost = l.barred
		lowered, err = jsonschema.Parse(schema)
		if err != nil {
			return Format{}, false
		}
	}
	strict := &jsonschema.Node{Scalar: json.RawMessage("false")}
	if f.Strict {
		strict.Scalar = json.RawMessage("true")
	}
	member := func(name string, value *jsonschema.Node) jsonschema.Member {
		return jsonschema.Member{Name: name, Value: value}
	}
	f.JSON = jsonschema.Object(
		member("type", jsonschema.Text("json_schema")),
		member("json_schema", jsonschema.Object(
			member("name", jsonschema.Text(formatName)), member("strict", strict), member("schema", lowered),
		)),
	).JSON()
	return f, true
}

// maxHops bounds the references that the whole schema may be.
const maxHops = 16
