package jsonschema

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

// folder reads from a map, and says what was read how often.
func folder(files map[string]string, read map[string]int) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		read[name]++
		text, ok := files[name]
		if !ok {
			return nil, fault.New(fault.Invalid, "the file %q does not exist", name).Because(fs.ErrNotExist)
		}
		return []byte(text), nil
	}
}

const money = `{"$defs": {"money": {"type": "object", "properties": {"amount": {"$ref": "#/$defs/amount"}, "of": {"$ref": "deep/currency.json"}}, "required": ["amount"]}, "amount": {"type": "number", "minimum": 0}}}`

func TestBundle(t *testing.T) {
	files := map[string]string{
		"p/common/money.schema.json":  money,
		"p/common/deep/currency.json": `{"enum": ["EUR", "USD"], "description": "see ../money.schema.json"}`,
		"p/tree.json":                 `{"type": "object", "properties": {"kids": {"items": {"$ref": "leaf.json#"}}}, "additionalProperties": false}`,
		"p/leaf.json":                 `{"anyOf": [{"type": "null"}, {"$ref": "tree.json"}]}`,
		"p/named.json":                `{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://x.y/named.json", "items": {"$ref": "https://x.y/named.json#/definitions/n"}, "definitions": {"n": {"type": "number"}}}`,
		"p/api.json":                  `{"components": {"a": {"items": {"$ref": "#/components/b"}}, "b": {"type": "null"}}}`,
		"shared/a b/100%.json":        `{"x/y": {"type": "null"}, "type": "string"}`,
	}
	tests := []struct{ name, schema, want, right, wrong, broken string }{
		{
			"a file and one that it names",
			`{"type":"object","properties":{"price":{"$ref":"common/money.schema.json#/$defs/money"},"tax":{"$ref":"common/money.schema.json#/$defs/money"}}}`,
			`{"type":"object","properties":{"price":{"$ref":"#/$defs/money/$defs/money"},"tax":{"$ref":"#/$defs/money/$defs/money"}},"$defs":{` +
				`"money":{"$defs":{"money":{"type":"object","properties":{"amount":{"$ref":"#/$defs/money/$defs/amount"},"of":{"$ref":"#/$defs/currency"}},"required":["amount"]},"amount":{"type":"number","minimum":0}}},` +
				`"currency":{"enum":["EUR","USD"],"description":"see ../money.schema.json"}}}`,
			`{"price": {"amount": 1, "of": "EUR"}}`, `{"price": {"amount": -1, "of": "DM"}}`,
			"/price/amount: expected at least 0, got -1\n/price/of: expected one of EUR, USD, got \"DM\"",
		},
		{"files that go round", `{"$ref":"tree.json"}`, "", `{"kids": [null, {"kids": []}]}`, `{"kids": [{"kid": 1}]}`, ""},
		{"old words stay old words", `{"items":{"$ref":"named.json"}}`,
			`{"items":{"$ref":"#/definitions/named"},"definitions":{"named":{"items":{"$ref":"#/definitions/named/definitions/n"},"definitions":{"n":{"type":"number"}}}},"$schema":"http://json-schema.org/draft-07/schema#"}`,
			`[[1]]`, `[["a"]]`, `/0/0: expected a number, got "a"`},
		{"a name that is taken, and signs", `{"definitions":{"100_":{}},"properties":{"a":{"$ref":"../shared/a%20b/100%25.json#/x~1y"}}}`,
			`{"definitions":{"100_":{},"100_-2":{"x/y":{"type":"null"},"type":"string"}},"properties":{"a":{"$ref":"#/definitions/100_-2/x~1y"}}}`,
			`{"a": null}`, `{"a": "b"}`, `/a: expected null, got "b"`},
		{"where no keyword has a schema", `{"items":{"$ref":"#/x/list"},"x":{"list":{"items":{"$ref":"api.json#/components/a"}}}}`,
			`{"items":{"$ref":"#/x/list"},"x":{"list":{"items":{"$ref":"#/definitions/api/components/a"}}},"definitions":{"api":{"components":{"a":{"items":{"$ref":"#/definitions/api/components/b"}},"b":{"type":"null"}}}}}`,
			`[[[null]]]`, `[[[1]]]`, "/0/0/0: expected null, got 1"},
		{"itself by its file", `{"properties":{"next":{"$ref":"root.json"}},"additionalProperties":false}`,
			`{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}`, `{"next": {}}`, `{"next": {"a": 1}}`, `/next/a: expected no property "a", got 1`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			read := map[string]int{}
			whole, err := Bundle([]byte(test.schema), "p/root.json", folder(files, read))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(whole)); diff != "" && test.want != "" {
				t.Error(diff)
			}
			for name, times := range read {
				if times > 1 {
					t.Errorf("%s was read %d times", name, times)
				}
			}
			schema := compile(t, string(whole))
			if got := schema.Validate(decode(t, test.right)); len(got) > 0 {
				t.Errorf("%s: %v", test.right, got)
			}
			if got := words(schema.Validate(decode(t, test.wrong))); got == "" || test.broken != "" && got != test.broken {
				t.Errorf("%s:\n got %s\nwant %s", test.wrong, got, test.broken)
			}
		})
	}
}

func TestBundleLeavesAloneWhatRefersToNoFile(t *testing.T) {
	for _, schema := range []string{
		"{ \"type\" : \"object\" }", `true`, `{"$ref": "#/definitions/a", "definitions": {"a": {}}}`, `{"$ref": "http://json-schema.org/draft-07/schema#"}`,
		`{"$id": "https://x.y/z.json", "items": {"$ref": "z.json#/definitions/a"}, "definitions": {"a": {}}}`,
		`{"$id": "https://x.y/z.json", "items": {"$ref": "b.json"}, "definitions": {"a": {"$id": "b.json"}}}`,
		`{"$anchor": "a", "items": {"$ref": "#a"}}`, `{"enum": [{"$ref": "a.json"}], "properties": {"$ref": {"type": "string"}}}`,
	} {
		whole, err := Bundle([]byte(schema), "p/root.json", func(name string) ([]byte, error) { return nil, errors.New("read " + name) })
		if err != nil || string(whole) != schema {
			t.Errorf("%s: got %s, %v", schema, whole, err)
		}
	}
}

func TestBundleRefuses(t *testing.T) {
	files := map[string]string{
		"p/broken.json": `{"type": }`, "p/wrong.json": `{"properties": {"a": {"type": "strnig"}}}`, "p/remote.json": `{"items": {"$ref": "https://x.y/z.json"}}`,
		"p/anchored.json": `{"items": {"$anchor": "a"}}`, "p/new.json": `{"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": []}`,
		"p/old.json": `{"$schema": "http://json-schema.org/draft-07/schema#"}`, "p/four.json": `{"$schema": "http://json-schema.org/draft-04/schema#"}`,
		"p/unsaid.json": `{"prefixItems": [{}]}`, "p/empty.json": ``, "p/lone.json": `{"items": {"$ref": "gone.json"}}`,
	}
	tests := map[string]struct{ schema, place, want string }{
		"an address":              {`{"properties": {"a/b": {"$ref": "https://example.com/a.json#/b"}}}`, "", `#/properties/a~1b/$ref: the schema refers to the address "https://example.com/a.json#/b", and nothing is ever fetched`},
		"an address without http": {`{"$ref": "//example.com/a.json"}`, "", "and nothing is ever fetched"},
		"a file address":          {`{"$ref": "file:///etc/passwd"}`, "", "and nothing is ever fetched"},
		"an address in a file":    {`{"$ref": "remote.json"}`, "p/remote.json", `#/items/$ref: the schema refers to the address "https://x.y/z.json"`},
		"from the root":           {`{"$ref": "/etc/passwd"}`, "", "is named from the root of the machine"},
		"no such file":            {`{"$ref": "gone.json"}`, "", `#/$ref: the file "p/gone.json" does not exist`},
		"no such file, deeper":    {`{"$ref": "lone.json"}`, "p/lone.json", `#/items/$ref: the file "p/gone.json" does not exist`},
		"nothing there":           {`{"$ref": "old.json#/definitions/a"}`, "", `#/$ref: p/old.json has nothing at #/definitions/a`},
		"by name":                 {`{"$ref": "old.json#a"}`, "", "#a is no JSON pointer"},
		"no JSON":                 {`{"$ref": "broken.json"}`, "p/broken.json", "#/$ref: the schema is not valid JSON at line 1, column 10"},
		"nothing in it":           {`{"$ref": "empty.json"}`, "p/empty.json", "not valid JSON"},
		"no schema":               {`{"$ref": "wrong.json"}`, "p/wrong.json", `#/properties/a/type: expected`},
		"named from elsewhere":    {`{"$ref": "anchored.json"}`, "p/anchored.json", "#/items/$anchor: a schema that others refer to cannot have $anchor"},
		"two dialects":            {`{"items": [{"$ref": "new.json"}, {"$ref": "old.json"}]}`, "p/old.json", "of another dialect"},
		"new words among old":     {`{"allOf": [{"$ref": "unsaid.json"}, {"$ref": "old.json"}]}`, "p/unsaid.json", "declares no $schema"},
		"new words in the first":  {`{"items": {"$ref": "old.json"}, "prefixItems": [{}]}`, "", "declares no $schema"},
		"draft 4 unsaid":          {`{"items": {"$ref": "four.json"}, "const": 1}`, "", "declares no $schema"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Bundle([]byte(test.schema), "p/root.json", folder(files, map[string]int{}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if e := fault.As(err); fault.ClassOf(err) != fault.Invalid || e.Place.File != test.place {
				list, _ := err.(fault.List)
				if len(list) == 0 || list[0].Place.File != test.place {
					t.Errorf("class %q, place %v, want %q", fault.ClassOf(err), e.Place, test.place)
				}
			}
		})
	}
	many := func(name string) ([]byte, error) { return []byte(`{"items": {"$ref": "x` + name[2:] + `"}}`), nil }
	if _, err := Bundle([]byte(`{"$ref": "a.json"}`), "p/root.json", many); err == nil || !strings.Contains(err.Error(), "more than 64 files") {
		t.Errorf("a schema of endless files: %v", err)
	}
}

// A schema that is taken in is read with its own new words, though nothing declares them.
func TestBundleKeepsNewWords(t *testing.T) {
	whole, err := Bundle([]byte(`{"properties": {"a": {"$ref": "tuple.json"}}}`), "root.json", folder(map[string]string{"tuple.json": `{"prefixItems": [{"type": "string"}]}`}, map[string]int{}))
	if err != nil {
		t.Fatal(err)
	}
	if got := words(compile(t, string(whole)).Validate(decode(t, `{"a": [1]}`))); got != "/a/0: expected a string, got 1" {
		t.Error(got)
	}
}
