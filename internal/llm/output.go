package llm

import "encoding/json"

// OutputKind says what form an answer must have.
type OutputKind string

// The kinds of output. Package contract says exactly what each accepts.
const (
	OutputText    OutputKind = "text"
	OutputJSON    OutputKind = "json"    // one JSON value, valid under Output.Schema
	OutputNumber  OutputKind = "number"  // a JSON number
	OutputBoolean OutputKind = "boolean" // true or false
	OutputLabel   OutputKind = "label"   // one of Output.Enum
	OutputList    OutputKind = "list"    // a JSON array, or lines with bullets or numbers
	OutputCode    OutputKind = "code"    // a fenced block in Output.Language
	OutputRegex   OutputKind = "regex"   // what Output.Pattern matches; the value is its named groups

	// OutputEmbedding asks for the vector of the one message's text. The answer is the
	// base64 of its float32s, little-endian. No prompt can ask for it.
	OutputEmbedding OutputKind = "embedding"
)

// Output is the contract of an answer. The zero value is text; without a word on
// repair nothing is repaired.
type Output struct {
	Kind     OutputKind      `json:"kind,omitempty"`
	Schema   json.RawMessage `json:"schema,omitempty"`   // of JSON
	Items    string          `json:"items,omitempty"`    // of a list: "string" or "number", "" for any JSON value
	Enum     []string        `json:"enum,omitempty"`     // of a label
	Language string          `json:"language,omitempty"` // of code, "" for any
	Pattern  string          `json:"pattern,omitempty"`  // of a regex, in Go's syntax
	Repair   RepairMode      `json:"repair,omitempty"`
	Coerce   []Coercion      `json:"coerce,omitempty"` // read where Repair is RepairCoerce
	Reask    int             `json:"reask,omitempty"`  // how often an answer that breaks the contract is asked for again
	Told     bool            `json:"told,omitempty"`   // the prompt's own text says the form: no instructions are added

	// Optimistic lets a live answer through as it comes, and judges it at its end: what
	// breaks the contract, or would have to be repaired, is then an error behind it.
	Optimistic bool `json:"optimistic,omitempty"`
}

// IsText reports whether every answer will do.
func (o Output) IsText() bool { return o.Kind == "" || o.Kind == OutputText }

// Details is the JSON text of what the kind asks for besides a schema, nil where
// it asks for nothing more: part of what is asked, as repair is not.
func (o Output) Details() []byte {
	if o.Items == "" && len(o.Enum) == 0 && o.Language == "" && o.Pattern == "" {
		return nil
	}
	text, err := json.Marshal(Output{Items: o.Items, Enum: o.Enum, Language: o.Language, Pattern: o.Pattern})
	if err != nil {
		return nil // strings alone always marshal
	}
	return text
}

// ValueSchema is a JSON Schema of the answer's value, nil for text. That of JSON is
// the prompt's own, and may be nil for any value.
func (o Output) ValueSchema() json.RawMessage {
	switch o.Kind {
	case OutputJSON:
		return o.Schema
	case OutputNumber, OutputBoolean:
		return json.RawMessage(`{"type":"` + string(o.Kind) + `"}`)
	case OutputLabel:
		labels, err := json.Marshal(o.Enum)
		if err != nil {
			return nil
		}
		return json.RawMessage(`{"enum":` + string(labels) + `}`)
	case OutputList:
		if o.Items == "" {
			return json.RawMessage(`{"type":"array"}`)
		}
		return json.RawMessage(`{"type":"array","items":{"type":"` + o.Items + `"}}`)
	case OutputCode:
		return json.RawMessage(`{"type":"string"}`)
	case OutputRegex:
		return json.RawMessage(`{"type":"object","additionalProperties":{"type":["string","null"]}}`)
	}
	return nil
}
