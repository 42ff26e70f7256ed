package jsonschema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

const ticket = `{
	"type": "object", "required": ["label", "urgency"], "additionalProperties": false,
	"properties": {
		"label": {"enum": ["billing", "bug", "account", "other"]},
		"urgency": {"type": "integer", "minimum": 1, "maximum": 5}
	}
}`

// dialectsOfTickets declares the same schema in a draft of either library.
var dialectsOfTickets = map[string]string{
	"draft 7":  ticket,
	"draft 4":  declare("http://json-schema.org/draft-04/schema#", ticket),
	"2020-12":  declare("https://json-schema.org/draft/2020-12/schema", ticket),
	"2019-09#": declare("https://json-schema.org/draft/2019-09/schema#", ticket),
}

func declare(url, schema string) string {
	return `{"$schema": "` + url + `",` + strings.TrimPrefix(schema, "{")
}

func TestValidateSaysTheSameInEveryDialect(t *testing.T) {
	tests := []struct{ value, want string }{
		{`{"label": "bug", "urgency": 5}`, ""},
		{`{"label": "refund", "urgency": 9}`, `/label: expected one of billing, bug, account, other, got "refund"` + "\n" + `/urgency: expected at most 5, got 9`},
		{`{"label": "bug"}`, `missing required property "urgency"`},
		{`{}`, `missing required property "label"` + "\n" + `missing required property "urgency"`},
		{`{"label": "bug", "urgency": "high"}`, `/urgency: expected an integer, got "high"`},
		{`{"label": "bug", "urgency": 1.5}`, `/urgency: expected an integer, got 1.5`},
		{`{"label": "bug", "urgency": 0, "a/b": [1]}`, `/a~1b: expected no property "a/b", got [1]` + "\n" + `/urgency: expected at least 1, got 0`},
		{`[]`, `expected an object, got an array`},
		{`null`, `expected an object, got null`},
		{`{"label": "bug", "urgency": 1e400}`, `/urgency: expected a number that fits 64 bits of floating point, got 1e400`},
		{`{"label": "bug", "urgency": 1e-999999999}`, `/urgency: expected a number that fits 64 bits of floating point, got 1e-999999999`},
		{`{"label": "` + strings.Repeat("ü", 100) + `", "urgency": 1}`, `/label: expected one of billing, bug, account, other, got "` + strings.Repeat("ü", 59) + "…"},
	}
	for name, schema := range dialectsOfTickets {
		compiled := compile(t, schema)
		for _, test := range tests {
			if diff := cmp.Diff(test.want, words(compiled.Validate(decode(t, test.value)))); diff != "" {
				t.Errorf("%s: %s:\n%s", name, test.value, diff)
			}
		}
	}
}

func TestWords(t *testing.T) {
	// want holds for the old dialects and the new ones, unless modern is given.
	tests := []struct{ schema, value, want, modern string }{
		{`{"const": {"a": 1}}`, `{"a": 2}`, `expected {"a":1}, got {"a":2}`, ""},
		{`{"enum": ["a", 1, null]}`, `"1"`, `expected one of "a", 1, null, got "1"`, ""},
		{`{"type": ["string", "null"]}`, `3`, `expected a string or null, got 3`, `expected a string or null, got 3`},
		{`{"minLength": 2}`, `"ü"`, `expected at least 2 characters, got 1 character`, ""},
		{`{"maxLength": 1}`, `"abc"`, `expected at most 1 character, got 3 characters`, ""},
		{`{"minItems": 1}`, `[]`, `expected at least 1 item, got 0 items`, ""},
		{`{"maxItems": 1}`, `[1,2]`, `expected at most 1 item, got 2 items`, ""},
		{`{"minProperties": 2}`, `{"a":1}`, `expected at least 2 properties, got 1 property`, ""},
		{`{"maxProperties": 0}`, `{"a":1}`, `expected at most 0 properties, got 1 property`, ""},
		{`{"exclusiveMinimum": 0.5}`, `0.5`, `expected more than 0.5, got 0.5`, ""},
		{`{"exclusiveMaximum": 5}`, `5`, `expected less than 5, got 5`, ""},
		{`{"multipleOf": 0.1}`, `0.25`, `expected a multiple of 0.1, got 0.25`, ""},
		{`{"uniqueItems": true}`, `[1,2,1]`, `expected items that differ, got the same at 0 and 2`, ""},
		{`{"pattern": "^[A-Z]+$"}`, `"abc"`, `expected text that matches ^[A-Z]+$, got "abc"`, ""},
		{`{"format": "email"}`, `"Joe <joe@example.com>"`, `expected a valid email, got "Joe <joe@example.com>"`, ""},
		{`{"format": "date-time"}`, `"2024-02-30T00:00:00Z"`, `expected a valid date-time, got "2024-02-30T00:00:00Z"`, ""},
		{`{"format": "date"}`, `12`, ``, ""},
		{`{"not": {"type": "string"}}`, `"a"`, `expected a value that the schema under not refuses, got "a"`, ""},
		{`{"properties": {"a": false}}`, `{"a": 1}`, `/a: expected nothing here, got 1`, ""},
		{`{"contains": {"type": "null"}}`, `[1]`, "expected an item that the schema under contains fits, got [1]\n/0: expected null, got 1", "expected an item that the schema under contains fits, got [1]"},
		{`{"propertyNames": {"maxLength": 1}}`, `{"ab": 1}`, "expected at most 1 character, got 2 characters\nexpected property names as the schema allows them, got \"ab\"", `expected property names as the schema allows them, got "ab"`},
		{`{"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "null"}}, "required": ["a"]}]}`, `{"a": 1}`,
			"expected a value that one of the allowed forms fits, got {\"a\":1}\n/a: expected null, got 1",
			"expected a value that one of 2 allowed forms fits, got {\"a\":1}\n/a: expected null, got 1"},
		{`{"oneOf": [{"type": "string"}, {"minLength": 1}]}`, `"a"`, `expected a value that one of the allowed forms fits, got "a"`, `expected a value that exactly one of the allowed forms fits, got "a", which fits more than one`},
		{`{"allOf": [{"minimum": 3}, {"maximum": 1}]}`, `2`, "expected at most 1, got 2\nexpected at least 3, got 2", ""},
		{`{"if": {"type": "string"}, "then": {"minLength": 2}, "else": false}`, `"a"`, `expected at least 2 characters, got 1 character`, ""},
		{`{"items": {"type": "object", "properties": {"b": {"type": "array"}}}}`, `[{}, {"b": 1}]`, `/1/b: expected an array, got 1`, ""},
	}
	for _, test := range tests {
		if got := words(compile(t, test.schema).Validate(decode(t, test.value))); got != test.want {
			t.Errorf("draft 7: %s under %s:\n got %s\nwant %s", test.value, test.schema, got, test.want)
		}
		want := test.modern
		if want == "" {
			want = test.want
		}
		modern := compile(t, declare("https://json-schema.org/draft/2020-12/schema", test.schema))
		if got := words(modern.Validate(decode(t, test.value))); got != want {
			t.Errorf("2020-12: %s under %s:\n got %s\nwant %s", test.value, test.schema, got, want)
		}
	}
}

func TestKeywordsOfNewDialectsAreNotPassedOver(t *testing.T) {
	tests := []struct{ schema, bad, want string }{
		{`{"prefixItems": [{"type": "string"}]}`, `[1]`, `/0: expected a string, got 1`},
		{`{"dependentRequired": {"a": ["b"]}}`, `{"a": 1}`, `expected property "b" beside "a", got an object without it`},
		{`{"dependentSchemas": {"a": {"required": ["b"]}}}`, `{"a": 1}`, `missing required property "b"`},
		{`{"properties": {"a": {}}, "unevaluatedProperties": false}`, `{"b": 1}`, `/b: expected nothing here, got 1`},
		{`{"items": {"contains": {"type": "null"}, "minContains": 2}}`, `[[null]]`, `/0: expected at least 2 matching items, got 1 matching item`},
		{`{"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"$anchor": "n", "type": "null"}}}`, `{"a": 1}`, `/a: expected null, got 1`},
		{`{"properties": {"a": {"$ref": "#/definitions/n", "minimum": 3}}, "definitions": {"n": {"type": "number"}}}`, `{"a": 1}`, `/a: expected at least 3, got 1`},
		{`{"items": [{"type": "string"}], "unevaluatedItems": false}`, `["a", 1]`, `/1: expected nothing here, got 1`},
		{`{"$recursiveAnchor": true, "properties": {"a": {"$recursiveRef": "#"}}, "additionalProperties": false}`, `{"a": {"b": 1}}`, `/a/b: expected no property "b", got 1`},
	}
	for _, test := range tests {
		if got := words(compile(t, test.schema).Validate(decode(t, test.bad))); got != test.want {
			t.Errorf("%s under %s:\n got %s\nwant %s", test.bad, test.schema, got, test.want)
		}
	}
	named := compile(t, `{"properties": {"prefixItems": {"exclusiveMaximum": 5}}}`)
	if got := named.Validate(decode(t, `{"prefixItems": 5}`)); len(got) != 1 {
		t.Errorf("a property named like a keyword: got %v", got)
	}
}

func TestFormatsAreAssertedInEveryDialect(t *testing.T) {
	for _, d := range append(slices.Clone(dialects), dialect{}) {
		for format, value := range map[string]string{
			"date": "2024-02-30", "date-time": "yesterday", "time": "25:00:00Z", "email": "nobody", "ipv4": "1.2.3", "ipv6": "::g", "uri": "a b",
			"uuid": "1", "hostname": "a..b", "json-pointer": "a", "regex": "(", "duration": "1 day",
		} {
			schema := `{"properties": {"a": {"format": "` + format + `"}}}`
			if d.url != "" {
				schema = declare(d.url, schema)
			}
			got := compile(t, schema).Validate(decode(t, `{"a": "`+value+`"}`))
			want := fmt.Sprintf("/a: expected a valid %s, got %q", format, value)
			if words(got) != want {
				t.Errorf("%s under %q: got %q, want %q", format, d.url, words(got), want)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := map[string]struct{ schema, want string }{
		"not JSON":             {`{"type": }`, "the schema is not valid JSON at line 1, column 10"},
		"not a schema":         {`[1]`, "a JSON Schema is an object or a boolean, this is an array"},
		"unknown type":         {`{"properties": {"a": {"type": "strnig"}}}`, "#/properties/a/type: expected"},
		"unknown type, modern": {`{"$defs": {}, "properties": {"a": {"type": "strnig"}}}`, "#/properties/a/type: expected"},
		"wrong type":           {`{"required": "a"}`, `#/required: expected an array, got "a"`},
		"new words, old form":  {`{"$schema": "https://json-schema.org/draft/2020-12/schema", "items": [{}]}`, "#/items: expected a boolean or an object, got an array"},
		"bad pattern":          {`{"pattern": "(?=a)"}`, "#/pattern: expected a valid regex"},
		"bad pattern, modern":  {`{"$defs": {}, "pattern": "(?=a)"}`, "#/pattern: expected a valid regex"},
		"remote":               {`{"properties": {"b/c": {"items": {"$ref": "https://example.com/a.json"}}}}`, `#/properties/b~1c/items/$ref: the schema refers to "https://example.com/a.json", which is not in it`},
		"remote, modern":       {`{"$defs": {}, "$ref": "https://example.com/a.json#/b"}`, `the schema refers to "https://example.com/a.json", which is not in it`},
		"file":                 {`{"properties": {"a": {"$ref": "file:///etc/passwd"}}}`, `"file:///etc/passwd"`},
		"file, modern":         {`{"$defs": {}, "properties": {"a": {"$ref": "other.json"}}}`, `"other.json"`},
		"relative file":        {`{"properties": {"a": {"$ref": "other.json"}}}`, `other.json`},
		"unresolved":           {`{"properties": {"a": {"$ref": "#/definitions/b"}}}`, "b"},
		"unresolved, modern":   {`{"$defs": {"c": {}}, "properties": {"a": {"$ref": "#/$defs/b"}}}`, "$defs/b"},
		"unknown dialect":      {`{"$schema": "http://json-schema.org/draft-03/schema#"}`, "a dialect that is not known"},
		"own dialect":          {`{"$schema": "http://example.com/mine"}`, "a dialect that is not known"},
		"loop":                 {`{"$ref": "#"}`, "refers to itself without end"},
		"loop of two":          {`{"anyOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"not": {"$ref": "#"}}}}`, "refers to itself without end"},
		"loop by anchor":       {`{"$anchor": "me", "allOf": [{"$ref": "#me"}]}`, "refers to itself without end"},
		"loop by id":           {`{"$id": "http://x.y/z", "allOf": [{"$ref": "z"}]}`, "refers to itself without end"},
		"draft 4 by accident":  {`{"minimum": 1, "exclusiveMinimum": true}`, "#/exclusiveMinimum: expected a number"},
		"key given twice":      {`{"type": "string", "type": "null"}`, "given twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Compile([]byte(test.schema))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if e := fault.As(err); e.Class != fault.Invalid || e.Place != (fault.Place{}) || strings.Contains(e.Error(), "llmx:") {
				t.Errorf("class %q, place %v, text %q", e.Class, e.Place, e.Error())
			}
		})
	}
}

func TestRecursiveSchemaThatStepsInIsFine(t *testing.T) {
	tree := compile(t, `{"type": "object", "properties": {"kids": {"items": {"$ref": "#"}}}}`)
	if got := words(tree.Validate(decode(t, `{"kids": [{"kids": [{}, 1]}]}`))); got != `/kids/0/kids/1: expected an object, got 1` {
		t.Error(got)
	}
	if got := compile(t, `{"$ref": "http://json-schema.org/draft-07/schema#"}`).Validate(decode(t, `{"type": 1}`)); len(got) == 0 {
		t.Error("a meta-schema may be referred to, and must count")
	}
}

func TestValidateRefusesWhatIsNotJSON(t *testing.T) {
	for name, schema := range dialectsOfTickets {
		compiled := compile(t, schema)
		for _, value := range []any{1, 1.5, []string{"a"}, map[string]string{}, map[string]any{"label": "bug", "urgency": 3}, map[string]any{"label": json.Number("x")}} {
			if got := compiled.Validate(value); len(got) != 1 || got[0].Keyword != "type" {
				t.Errorf("%s: %#v: got %v", name, value, got)
			}
		}
	}
}

func TestValidateAtOnce(t *testing.T) {
	for name, schema := range dialectsOfTickets {
		compiled := compile(t, schema)
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for range 50 {
					value := map[string]any{"label": "bug", "urgency": json.Number("3")}
					if want := i % 2; want == 1 {
						delete(value, "label")
					}
					if got := compiled.Validate(value); len(got) != i%2 {
						t.Errorf("%s: got %v", name, got)
					}
				}
			})
		}
		group.Wait()
	}
}

func FuzzCompile(f *testing.F) {
	f.Add([]byte(ticket), []byte(`{"label": "bug", "urgency": 5}`))
	f.Add([]byte(`{"$defs": {"a": {"$anchor": "x", "enum": [1e400]}}, "$ref": "#x"}`), []byte(`1e-400`))
	f.Add([]byte(`{"$id": "a", "allOf": [{"$ref": "a"}]}`), []byte(`[]`))
	f.Add([]byte(`{"items": [{"$ref": "#/items/0"}]}`), []byte(`[1]`))
	f.Fuzz(func(t *testing.T, schema, data []byte) {
		compiled, err := Compile(schema)
		if err != nil {
			return
		}
		if value, err := Decode(data); err == nil {
			compiled.Validate(value)
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	for name, schema := range dialectsOfTickets {
		b.Run(name, func(b *testing.B) {
			compiled, err := Compile([]byte(schema))
			if err != nil {
				b.Fatal(err)
			}
			value, _ := Decode([]byte(`{"label": "bug", "urgency": 5}`))
			b.ReportAllocs()
			for b.Loop() {
				if compiled.Validate(value) != nil {
					b.Fatal("not valid")
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode([]byte(`{"label": "bug", "urgency": 5}`)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, schema := range dialectsOfTickets {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Compile([]byte(schema)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func compile(t *testing.T, schema string) *Schema {
	t.Helper()
	compiled, err := Compile([]byte(schema))
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return compiled
}

func decode(t *testing.T, text string) any {
	t.Helper()
	value, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func words(violations []Violation) string {
	lines := make([]string, len(violations))
	for i, v := range violations {
		lines[i] = v.String()
	}
	return strings.Join(lines, "\n")
}
