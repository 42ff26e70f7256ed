// Package jsonschema compiles a JSON Schema and validates values under it. It is
// the only place that imports schema libraries, one a dialect family, behind one
// function; it imports fault besides.
package jsonschema

import "encoding/json"

// Schema is a compiled schema, safe for concurrent use.
type Schema struct{}

// Violation is one thing that a value does wrong.
type Violation struct {
	Pointer  string // JSON pointer into the value, "" for the whole
	Keyword  string // the schema's keyword, "required"
	Expected string
	Got      string
}

// String gives "/label: expected one of …, got …".
func (v Violation) String() string { return v.Pointer + ": expected " + v.Expected + ", got " + v.Got }

// Compile reads a schema. References may be local ("#/…") only; a remote one is refused.
func Compile(raw json.RawMessage) (*Schema, error) { panic("being written") }

// Validate lists what a JSON value (decoded with UseNumber, so numbers are
// json.Number) does wrong, sorted by pointer; nil for a valid one.
func (s *Schema) Validate(value any) []Violation { panic("being written") }
