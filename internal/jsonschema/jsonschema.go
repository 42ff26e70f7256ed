// Package jsonschema compiles a JSON Schema and validates values under it. It is
// the only place that imports schema libraries, one a dialect family, behind one
// function; it imports fault besides. Nothing is ever fetched.
package jsonschema

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Schema is a compiled schema, safe for concurrent use.
type Schema struct {
	check func(value any) []Violation
}

// Compile reads a schema in draft 4, 6, 7, 2019-09 or 2020-12. The dialect is the
// one that $schema declares; without it, draft 7, or 2020-12 if keywords that only
// the newer dialects have stand in the schema. Formats are asserted. References
// may lead into the schema itself, or to the meta-schema of a dialect; all others
// are refused, and so is a schema that is too large or too winding for validation to come
// to an end. An error is of class Invalid and has no place: the caller knows the file.
func Compile(raw json.RawMessage) (*Schema, error) {
	document, err := Decode(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema is %s", fault.As(err).Message)
	}
	if err := new(size).add(document); err != nil {
		return nil, err
	}
	dialect, err := dialectOf(document)
	if err != nil {
		return nil, err
	}
	check, err := dialect.compile(document)
	if err != nil {
		return nil, err
	}
	return &Schema{check: check}, nil
}

// Validate lists what a JSON value (decoded with UseNumber, so numbers are
// json.Number) does wrong, sorted by pointer; nil for a valid one. It takes bounded time
// and memory, whatever the value: one that cannot be checked within them is in violation.
func (s *Schema) Validate(value any) []Violation {
	if strange := foreign(value, nil, 0); strange != nil {
		return []Violation{*strange}
	}
	return sorted(s.check(value))
}
