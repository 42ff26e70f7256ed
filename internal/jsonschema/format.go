package jsonschema

import (
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"
)

// formats that both libraries are to judge alike.
var formats = []string{
	"date", "date-time", "time", "duration", "email", "idn-email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference",
	"uri-template", "uuid", "regex", "json-pointer", "relative-json-pointer",
}

// sameFormats gives gojsonschema the format checks of the other library: its own
// take "Joe <joe@example.com>" for an address, and refuse numbers under a format
// that speaks of strings. The library keeps its checks in one table for the process.
var sameFormats = sync.OnceFunc(func() {
	for _, name := range formats {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource(here, map[string]any{"format": name}); err != nil {
			continue // cannot be: a constant address and document
		}
		if schema, err := compiler.Compile(here); err == nil {
			gojsonschema.FormatCheckers.Add(name, borrowed{schema})
		}
	}
})

// borrowed checks a format by a schema that holds nothing else.
type borrowed struct{ schema *jsonschema.Schema }

// IsFormat is called with strings, and with *big.Rat for numbers.
func (b borrowed) IsFormat(value any) bool {
	text, ok := value.(string)
	return !ok || b.schema.Validate(text) == nil
}
