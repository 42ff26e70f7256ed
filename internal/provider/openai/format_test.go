package openai

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// formatOf gives the schema that is sent, and what was said of it.
func formatOf(t *testing.T, schema string) (sent string, strict bool, lost string) {
	t.Helper()
	format, ok := ResponseFormat(json.RawMessage(schema))
	if !ok {
		return "", false, ""
	}
	var option struct {
		Type   string
		Schema struct {
			Name   string
			Strict bool
			Schema json.RawMessage
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(format.JSON, &option); err != nil || option.Type != "json_schema" || option.Schema.Name == "" {
		t.Fatalf("%s: %v", format.JSON, err)
	}
	if option.Schema.Strict != format.Strict {
		t.Errorf("strict is %t in the option", option.Schema.Strict)
	}
	var lines []string
	for _, l := range format.Lost {
		lines = append(lines, l.String())
	}
	return string(option.Schema.Schema), format.Strict, strings.Join(lines, "\n")
}

// of makes an object of one required property.
func of(property string) string {
	return `{"type":"object","properties":{"a":` + property + `},"required":["a"],"additionalProperties":false}`
}

func TestStrictSchemas(t *testing.T) {
	tests := []struct{ schema, want, lost string }{
		{of(`{"type":"string"}`), of(`{"type":"string"}`), ""},
		{of(`{"enum":["x","y",null]}`), of(`{"type":["string","null"],"enum":["x","y",null]}`), ""},
		{of(`{"const":1}`), of(`{"type":"number","enum":[1]}`), ""},
		{of(`{"type":"string","minLength":1,"title":"T","default":"q","description":"d"}`), of(`{"type":"string","title":"T","description":"d"}`), "#/properties/a: minLength"},
		{of(`{"type":"integer","minimum":1,"exclusiveMaximum":9}`), of(`{"type":"integer","minimum":1,"exclusiveMaximum":9}`), ""},
		{of(`{"type":"string","format":"date"}`), of(`{"type":"string","format":"date"}`), ""},
		{of(`{"type":"string","format":"uri"}`), of(`{"type":"string"}`), "#/properties/a: format"},
		{of(`{"type":"string","pattern":"^[A-Z]{3}$"}`), of(`{"type":"string","pattern":"^[A-Z]{3}$"}`), ""},
		{of(`{"type":"string","pattern":"[A-Z]"}`), of(`{"type":"string"}`), "#/properties/a: pattern"}, // some match the whole
		{of(`{"type":"string","pattern":"^a|b$"}`), of(`{"type":"string"}`), "#/properties/a: pattern"},
		{of(`{"type":"string","pattern":"^(?i)a$"}`), of(`{"type":"string"}`), "#/properties/a: pattern"},
		{of(`{"type":"array","items":{"type":"number"},"minItems":1,"uniqueItems":true}`), of(`{"type":"array","minItems":1,"items":{"type":"number"}}`), "#/properties/a: uniqueItems"},
		{of(`{"anyOf":[{"type":"string"},{"type":"null"}]}`), of(`{"anyOf":[{"type":"string"},{"type":"null"}]}`), ""},
		{of(`{"oneOf":[{"type":"string"},{"type":"null"}],"not":{"const":""}}`), of(`{"anyOf":[{"type":"string"},{"type":"null"}]}`), "#/properties/a: oneOf\n#/properties/a: not"},
		{of(`{"type":"string","anyOf":[{"minLength":1}],"if":{},"then":{}}`), of(`{"type":"string"}`), "#/properties/a: anyOf\n#/properties/a: if\n#/properties/a: then"},
		// references: those that are used, by one name each
		{`{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/r","$defs":{"r":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]},"m":{"$ref":"#/$defs/x/$defs/m","minimum":3},"n":{"allOf":[{"$ref":"#/$defs/x/$defs/m"}]}},"required":["next","m","n"],"additionalProperties":false},"x":{"$defs":{"m":{"type":"number"}}},"unused":{}}}`,
			`{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]},"m":{"$ref":"#/$defs/m"},"n":{"$ref":"#/$defs/m"}},"required":["next","m","n"],"additionalProperties":false,"$defs":{"m":{"type":"number"}}}`,
			"#/$defs/r/properties/m: minimum"},
	}
	for _, test := range tests {
		sent, strict, lost := formatOf(t, test.schema)
		if !strict {
			t.Errorf("%s: not strict: %s", test.schema, lost)
			continue
		}
		if diff := cmp.Diff(test.want, sent); diff != "" {
			t.Errorf("%s:\n%s", test.schema, diff)
		}
		if diff := cmp.Diff(test.lost, lost); diff != "" {
			t.Errorf("%s: lost:\n%s", test.schema, diff)
		}
	}
}

// What strict mode would make narrower than the schema is not strict, and sent as it is.
func TestNotStrict(t *testing.T) {
	tests := []struct{ schema, why string }{
		{`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, "#/properties/a: it is optional"},
		{`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`, "#: additionalProperties: strict mode allows no further properties"},
		{`{"type":"object","additionalProperties":{"type":"number"}}`, "#: additionalProperties: "},
		{of(`{"type":"object","additionalProperties":false,"patternProperties":{"^x":{}}}`), "#/properties/a: patternProperties: "},
		{of(`{}`), "#/properties/a: it says nothing of the type"},
		{of(`true`), "#/properties/a: it says nothing of the type"},
		{of(`{"enum":[]}`), "#/properties/a: enum: it has no value"},
		{of(`{"enum":[[1]]}`), "#/properties/a: enum: a value is a list or an object"},
		{of(`{"type":"array"}`), "#/properties/a: items: "},
		{of(`{"type":"array","items":[{"type":"string"}]}`), "#/properties/a: items: "},
		{of(`{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"number"}}`), "#/properties/a: prefixItems: "},
		{of(`{"$ref":"#name"}`), "#/properties/a: $ref: it is no pointer into the schema"},
		{of(nested(11)), "#: it has 12 levels of nesting, and strict mode takes 10"},
		{of(`{"enum":[` + strings.Repeat(`0,`, 1000) + `1]}`), "#: it has 1001 values in its enums, and strict mode takes 1000"},
		{of(`{"enum":[` + strings.Repeat(`"0123456789012345678901234567890123456789012345678901234567890",`, 250) + `"x"]}`), "#/properties/a: enum: it has "},
	}
	for _, test := range tests {
		sent, strict, lost := formatOf(t, test.schema)
		if strict || !strings.HasPrefix(lost, test.why) {
			t.Errorf("%s: strict %t, %s", test.schema, strict, lost)
		}
		if sent != test.schema {
			t.Errorf("sent %s, want it as it is: %s", sent, test.schema)
		}
	}
}

func nested(levels int) string {
	if levels == 1 {
		return `{"type":"string"}`
	}
	return `{"type":"array","items":` + nested(levels-1) + `}`
}

func TestNoNativeFormat(t *testing.T) {
	for _, schema := range []string{`{}`, `true`, `{"type":"array"}`, `{"type":["object","null"]}`, `{"anyOf":[{"type":"object"}]}`, `{"properties":{"a":{}}}`, `{"$ref":"#"}`, `{"$ref":"other.json"}`, `nonsense`} {
		if format, ok := ResponseFormat(json.RawMessage(schema)); ok {
			t.Errorf("%s: %s", schema, format.JSON)
		}
	}
}

func TestTakesSchemas(t *testing.T) {
	for wire, want := range map[string]bool{
		"gpt-4o-mini": true, "gpt-4o": true, "gpt-4.1": true, "gpt-5-nano": true, "o4-mini": true, "tomorrow": true, "ft:gpt-4o-mini:x": true,
		"gpt-3.5-turbo": false, "gpt-4": false, "gpt-4-turbo": false, "gpt-4o-2024-05-13": false, "o1-mini": false,
	} {
		if TakesSchemas(wire) != want {
			t.Errorf("%s: %t", wire, !want)
		}
	}
}

// Over the schemas of the JSON Schema Test Suite: what is valid under a schema is valid
// under what is sent in its place, and that keeps the rules of strict mode.
func TestStrictModeLetsEveryValidAnswerBe(t *testing.T) {
	const suite = "../../../../shared/data/json-schema-test-suite/tests"
	if _, err := os.Stat(suite); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the JSON Schema Test Suite is not at ../shared/data/json-schema-test-suite")
	}
	strict, answers := 0, 0
	for _, draft := range []string{"draft7", "draft2019-09", "draft2020-12"} {
		files, err := filepath.Glob(filepath.Join(suite, draft, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of %s: %v", draft, err)
		}
		for _, file := range files {
			s, a := everyValidAnswer(t, draft, file)
			strict, answers = strict+s, answers+a
		}
	}
	t.Logf("%d schemas were sent strict, with %d valid answers", strict, answers)
	if strict < 100 || answers < 200 {
		t.Error("hardly a schema was sent strict: the test says nothing")
	}
}

func everyValidAnswer(t *testing.T, draft, file string) (strict, answers int) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Description string
		Schema      json.RawMessage
		Tests       []struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		whole := asProperty(t, draft, group.Schema)
		full, err := jsonschema.Compile(whole)
		format, ok := ResponseFormat(whole)
		if err != nil || !ok || !format.Strict {
			continue
		}
		strict++
		sent, _, _ := formatOf(t, string(whole))
		for _, problem := range strictProblems(t, sent) {
			t.Errorf("%s: %s: %s\n%s", file, group.Description, problem, sent)
		}
		lowered, err := jsonschema.Compile(json.RawMessage(sent))
		if err != nil {
			t.Errorf("%s: %s: %v\n%s", file, group.Description, err, sent)
			continue
		}
		for _, test := range group.Tests {
			value, err := jsonschema.Decode([]byte(`{"v":` + string(test.Data) + `}`))
			if err != nil || len(full.Validate(value)) > 0 {
				continue
			}
			answers++
			if wrong := lowered.Validate(value); len(wrong) > 0 {
				t.Errorf("%s: %s: strict mode forbids %s: %v\n%s\n%s", file, group.Description, test.Data, wrong, whole, sent)
			}
		}
	}
	return strict, answers
}

// asProperty makes a schema that of a property of an object, and leads its references there.
// Where it names no type, every type is named, and objects and lists are as strict mode has
// them, so that more of the suite gets there.
func asProperty(t *testing.T, draft string, schema json.RawMessage) json.RawMessage {
	inner, err := jsonschema.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	inner.Schemas(func(s *jsonschema.Node, _ string) {
		if to, ok := s.Get("$ref").String(); ok && (to == "#" || strings.HasPrefix(to, "#/")) {
			s.Set("$ref", jsonschema.Text("#/properties/v"+to[1:]))
		}
		s.Delete("$schema")
		if s.Get("type") == nil && s.Get("$ref") == nil && s.Get("anyOf") == nil && s.Get("oneOf") == nil && s.Get("enum") == nil {
			types, _ := jsonschema.Parse([]byte(`["string","number","boolean","null","object","array"]`))
			s.Set("type", types)
			if s.Get("items") == nil {
				s.Set("items", jsonschema.Object(jsonschema.Member{Name: "type", Value: jsonschema.Text("number")}))
			}
			if s.Get("additionalProperties") == nil {
				s.Set("additionalProperties", &jsonschema.Node{Scalar: json.RawMessage("false")})
			}
			if properties := s.Get("properties"); properties.IsObject() && s.Get("required") == nil {
				names := jsonschema.List()
				for _, member := range properties.Members {
					names.Items = append(names.Items, jsonschema.Text(member.Name))
				}
				s.Set("required", names)
			}
		}
	})
	urls := map[string]string{"draft7": "http://json-schema.org/draft-07/schema#", "draft2019-09": "https://json-schema.org/draft/2019-09/schema", "draft2020-12": "https://json-schema.org/draft/2020-12/schema"}
	whole := jsonschema.Object(jsonschema.Member{Name: "$schema", Value: jsonschema.Text(urls[draft])})
	rest, err := jsonschema.Parse([]byte(`{"type":"object","required":["v"],"additionalProperties":false,"properties":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	whole.Members = append(whole.Members, rest.Members...)
	whole.Get("properties").Set("v", inner)
	return whole.JSON()
}

// strictProblems says what strict mode would refuse of a schema, as it is documented.
func strictProblems(t *testing.T, sent string) (problems []string) {
	root, err := jsonschema.Parse([]byte(sent))
	if err != nil {
		t.Fatal(err)
	}
	if kind, _ := root.Get("type").String(); kind != "object" {
		problems = append(problems, "the root is no object")
	}
	allowed := []string{
		"type", "enum", "anyOf", "$ref", "$defs", "properties", "required", "additionalProperties", "items", "title", "description",
		"pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
	}
	root.Schemas(func(s *jsonschema.Node, at string) {
		for _, member := range s.Members {
			if !slices.Contains(allowed, member.Name) {
				problems = append(problems, at+" has "+member.Name)
			}
		}
		if s.Get("$ref") != nil && len(s.Members) > 1 {
			problems = append(problems, at+" has something beside $ref")
		}
		if s.Get("type") == nil && s.Get("$ref") == nil && s.Get("anyOf") == nil {
			problems = append(problems, at+" has no type")
		}
		if properties := s.Get("properties"); properties != nil {
			closed := s.Get("additionalProperties")
			if closed == nil || string(closed.Scalar) != "false" || len(s.Get("required").Items) != len(properties.Members) {
				problems = append(problems, at+" is not closed, or has optional properties")
			}
		}
	})
	return problems
}

// Whatever schema is sent strict is one, keeps the rules of strict mode, and lets be
// what the whole schema lets be.
func FuzzResponseFormat(f *testing.F) {
	f.Add([]byte(of(`{"enum":["x",null]}`)), []byte(`{"a":"x"}`))
	f.Add([]byte(of(`{"anyOf":[{"$ref":"#"},{"type":"array","items":{"type":"integer","minimum":1}}]}`)), []byte(`{"a":{"a":[1]}}`))
	f.Add([]byte(of(`{"type":["string","object"],"properties":{},"additionalProperties":false,"pattern":"^a$"}`)), []byte(`{"a":{}}`))
	f.Add([]byte(`{"$ref":"#/definitions/a","definitions":{"a":`+of(`{"allOf":[{"$ref":"#/definitions/a"}]}`)+`}}`), []byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, schema, answer []byte) {
		full, err := jsonschema.Compile(schema)
		if err != nil {
			return
		}
		format, ok := ResponseFormat(schema)
		if !ok || !format.Strict {
			return
		}
		sent, _, _ := formatOf(t, string(schema))
		for _, problem := range strictProblems(t, sent) {
			t.Errorf("%s: %s", problem, sent)
		}
		lowered, err := jsonschema.Compile(json.RawMessage(sent))
		if err != nil {
			t.Fatalf("%v: %s", err, sent)
		}
		if value, err := jsonschema.Decode(answer); err == nil && len(full.Validate(value)) == 0 && len(lowered.Validate(value)) > 0 {
			t.Errorf("strict mode forbids %s: %s", answer, sent)
		}
	})
}
