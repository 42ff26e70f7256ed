package jsonschema

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestSilent(t *testing.T) {
	for schema, want := range map[string][]string{
		`{"type":"object","properties":{"mail":{"type":"string","format":"email","description":"x"}}}`: nil,
		`{"properties":{"mail":{"format":"emial"}}}`:                                                   {`#/properties/mail/format: no format is called "emial", so it holds nothing; did you mean "email"?`},
		`{"$schema":"http://json-schema.org/draft-07/schema#","items":{"prefixItems":[{"type":"string"}]}}`: {
			"#/items/prefixItems: the dialect of $schema does not know the keyword, so it holds nothing"},
		`{"prefixItems":[{"type":"string"}]}`:                                       nil, // recognised
		`{"properties":{"a/b":{"minLenght":3}}}`:                                    {`#/properties/a~1b/minLenght: no keyword is called so, so it holds nothing; did you mean "minLength"?`},
		`{"properties":{"minLenght":{"type":"string"}},"x-internal":true,"id":"a"}`: nil, // a property's name is no keyword
		`{"enum":["a"],"x-enum-descriptions":["b"]}`:                                nil,
		`not JSON`: nil,
	} {
		got := Silent(json.RawMessage(schema))
		same := slices.EqualFunc(got, want, func(got, want string) bool { return strings.HasPrefix(got, want) })
		if !same {
			t.Errorf("%s: %q, want %q", schema, got, want)
		}
	}
}
