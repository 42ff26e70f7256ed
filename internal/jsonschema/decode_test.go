package jsonschema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestDecode(t *testing.T) {
	tests := map[string]any{
		`null`:                  nil,
		" \t\r\n true ":         true,
		`false`:                 false,
		`-0`:                    json.Number("-0"),
		`1.50e+10`:              json.Number("1.50e+10"),
		`"a\"\\\/\b\f\n\r\tü"`:  "a\"\\/\b\f\n\r\tü",
		`"\u00e9\uD83D\uDE00x"`: "é😀x",
		`""`:                    "",
		`"a\\b"`:                `a\b`,
		`[]`:                    []any{},
		`[1, [2], {}]`:          []any{json.Number("1"), []any{json.Number("2")}, map[string]any{}},
		`{"a": {"": null}}`:     map[string]any{"a": map[string]any{"": nil}},
	}
	for text, want := range tests {
		got, err := Decode([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := map[string]string{
		``:                              "line 1, column 1: a value is missing: the text ends",
		`{"a": 1} x`:                    "line 1, column 10: more text after the value: 'x'",
		`{"a": 1}{"a": 1}`:              "line 1, column 9: more text",
		"{\"a\": 1,\n  \"a\": 2}":       `line 2, column 3: the key "a" is given twice`,
		`{"a": 1, "\u0061": 2}`:         `the key "a" is given twice`,
		"[\n\"ü\xff\"]":                 "line 2, column 3: the byte 0xff is not UTF-8",
		"{\"0\xa1":                      "line 1, column 4: the byte 0xa1 is not UTF-8",
		"\xff":                          "line 1, column 1: a value cannot begin with a byte that is not UTF-8",
		`"\ud800"`:                      "line 1, column 2: half of a surrogate pair",
		`"\ud800\u0041"`:                "half of a surrogate pair",
		`"\ud800`:                       "half of a surrogate pair",
		`"\udc00\ud800"`:                "half of a surrogate pair",
		`"\x"`:                          "line 1, column 2: an escape that JSON does not know",
		`"\u12"`:                        "four hexadecimal digits",
		`"\u+123"`:                      "four hexadecimal digits",
		"\"a\nb\"":                      "a control character (0x0a) in a string must be written as \\u000a",
		`"abc`:                          "line 1, column 5: the string has no end",
		`"abc\`:                         "an escape that JSON does not know",
		`{"a" 1}`:                       `want a colon after the key "a", found '1'`,
		`{a: 1}`:                        "want an object key in double quotes, found 'a'",
		`{"a": 1,}`:                     "want an object key in double quotes, found '}'",
		`{"a": 1`:                       "want a comma or } in the object, found the text ends",
		`[1,]`:                          "a value cannot begin with ']'",
		`[1 2]`:                         "want a comma or ] in the list, found '2'",
		`[1`:                            "want a comma or ] in the list, found the text ends",
		`01`:                            "a number cannot begin with 0",
		`-`:                             "want a digit in the number, found the text ends",
		`1.`:                            "want a digit",
		`1e`:                            "want a digit",
		`+1`:                            "a value cannot begin with '+'",
		`NaN`:                           "a value cannot begin with 'N'",
		`nul`:                           "a value cannot begin with 'n'",
		`'a'`:                           "a value cannot begin with '\\''",
		strings.Repeat("[", 100_000):    "nested deeper than 200 levels",
		"\ufeff{}":                      "a value cannot begin with '\\ufeff'",
		"```json\n{\"a\": 1}\n```":      "line 1, column 1: a value cannot begin with '`'",
		strings.Repeat("[{\"a\":", 150): "nested deeper",
	}
	for text, want := range tests {
		_, err := Decode([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
		if err != nil && fault.ClassOf(err) != fault.Invalid {
			t.Errorf("%.40q: class %q", text, fault.ClassOf(err))
		}
	}
}

// FuzzDecode holds Decode against encoding/json: what Decode takes, both read alike.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a": [1, "\ud83d\ude00", null]}`, `{"a":1,"a":2}`, "\"\xff\"", `1e5`, `"\ud800"`, strings.Repeat("[", 300)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Decode(data)
		if err != nil {
			return
		}
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("Decode takes %q, encoding/json says %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, want %#v", data, got, want)
		}
	})
}
