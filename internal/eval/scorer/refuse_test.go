package scorer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct{ check, want string }{
		{"contains", "s.yaml:1:1: the check contains needs arguments\n  write {contains: …}"},
		{"not", "s.yaml:1:1: not needs a check\n  write {not: {contains: refund}}"},
		{"12", "s.yaml:1:1: want a check, got a number (\"12\")"},
		{"{contains: a, regex: b}", "s.yaml:1:1: a check has one name, this has 2"},
		{"{}", "s.yaml:1:1: a check has one name, this has 0"},
		{"{not: {not: schema}}", "s.yaml:1:2: not stands within not"},
		{"{not: {max_cost: 1}}", "s.yaml:1:2: not cannot stand around max_cost"},
		{"{not: {contian: a}}", "s.yaml:1:8: unknown check \"contian\"\n  did you mean \"contains\"?"},

		{"{golden: {extract: last_number}}", "s.yaml:1:20: want what to extract, got a string (\"last_number\")\n  write final_number"},
		{"{golden: {extract: {drop: ','}}}", "s.yaml:1:20: the key \"regex\" is missing"},
		{"{golden: {exact: true}}", "s.yaml:1:11: unknown key \"exact\"\n  did you mean \"extract\"? allowed: extract, metric"},
		{"{golden: x}", "s.yaml:1:10: want a mapping, got a string (\"x\")"},
		{"{golden: {metric: My Metric}}", "s.yaml:1:19: want a metric's name, got a string (\"My Metric\")\n  lower-case letters"},

		{"{schema: 1}", "s.yaml:1:10: want a JSON Schema, got a number"},
		{"{schema: {type: strnig}}", "invalid JSON Schema: "},

		{"{equals: {a: 1}}", "s.yaml:1:10: the key \"value\" is missing\n  write {equals: {value: {…}}}"},
		{"{equals: {value: 1, tolerance: 2}}", "s.yaml:1:21: unknown key \"tolerance\"\n  allowed: value, extract, metric"},

		{"{contains: 5}", "s.yaml:1:12: want a string or a list of strings, got a number (\"5\")\n  put quotes"},
		{"{contains: [a, 5]}", "s.yaml:1:16: want a string, got a number (\"5\")"},
		{"{contains: []}", "contains looks for nothing"},
		{"{contains: {any: []}}", "contains looks for nothing"},
		{"{contains: {value: x, any: []}}", "contains looks for nothing"},
		{"{contains: ''}", "contains looks for an empty text"},
		{"{contains: {any: [a, '']}}", "contains looks for an empty text"},
		{"{contains: {ignorecase: true, value: x}}", "unknown key \"ignorecase\"\n  did you mean \"ignore_case\"?"},

		{"{regex: 5}", "s.yaml:1:9: want a regex as a string, got a number"},
		{"{regex: 'a(?=b)'}", "s.yaml:1:9: invalid regex: invalid or unsupported Perl syntax: (?=\n  the syntax is RE2's: it has no look-around"},
		{"{regex: '(a{1000}){1000}'}", "invalid regex: "},
		{"{regex: '" + strings.Repeat("a", 5000) + "'}", "the regex has 5000 bytes, at most 4096 are allowed"},
		{"{regex: {pattern: a}}", "unknown key \"pattern\"\n  allowed: value"},

		{"{field: label}", "s.yaml:1:9: want a mapping, got a string"},
		{"{field: {equals: 1}}", "the key \"path\" is missing"},
		{"{field: {path: a}}", "s.yaml:1:9: the check does not say what the field must be\n  add one of: equals"},
		{"{field: {path: a, min: 5, max: 4}}", "s.yaml:1:24: min 5 is above max 4"},
		{"{field: {path: a, min: x}}", "s.yaml:1:24: want a number, got a string"},
		{"{field: {path: a, exists: false, equals: 1}}", "s.yaml:1:27: a field that must not exist"},
		{"{field: {path: a, one_of: b}}", "s.yaml:1:27: want a list of at least one value"},
		{"{field: {path: a, one_of: []}}", "want a list of at least one value"},
		{"{field: {path: 'a..b', exists: true}}", "s.yaml:1:16: the path \"a..b\" has an empty step\n  write urgency"},
		{"{field: {path: '', exists: true}}", "has an empty step"},
		{"{field: {path: '$', exists: true}}", "needs a field after $"},
		{"{field: {path: 'a[x]', exists: true}}", "has no whole number between [ and ]"},
		{"{field: {path: 'a[0', exists: true}}", "has no whole number between [ and ]"},
		{"{field: {path: 'a[0]b', exists: true}}", "has \"b\" where a point or [ must be"},
		{"{field: {path: 'a.*', exists: true}}", "has a step that is no field's name: *"},

		{"{numeric: x}", "s.yaml:1:11: want a number"},
		{"{numeric: {tolerance: 1}}", "the key \"equals\" is missing"},
		{"{numeric: {equals: 1, tolerance: -1}}", "s.yaml:1:34: tolerance must be a number from 0 on"},
		{"{numeric: {equals: 1, relative: -0.1}}", "s.yaml:1:33: relative must be a number from 0 on"},
		{"{numeric: 1e5000}", "the number 1e5000 is too large"},

		{"{length: 5}", "s.yaml:1:10: want a mapping, got a number (\"5\")\n  write {length: {max: 280}}"},
		{"{length: {max: 5, unit: bytes}}", "s.yaml:1:25: \"bytes\" is not known here\n  allowed: characters, words"},
		{"{length: {min: 5, max: 4}}", "min 5 is above max 4"},
		{"{length: {max: -1}}", "a length cannot be negative"},

		{"{finish_reason: stopp}", "s.yaml:1:17: unknown finish reason \"stopp\"\n  did you mean \"stop\"? allowed: stop, length, content_filter, tool_calls"},
		{"{finish_reason: []}", "no finish reason is named"},
		{"{max_cost: -1}", "a limit of cost must be USD from 0 on"},
		{"{max_cost: 1e30}", "a limit of 1e30 USD limits nothing"},
		{"{max_latency: 3}", "s.yaml:1:15: want a duration such as 500ms"},
		{"{max_latency: 0s}", "no answer comes in no time"},
		{"{max_attempts: 0}", "one attempt at least"},
		{"{max_attempts: 1.5}", "want a whole number"},
	}
	for _, test := range tests {
		t.Run(test.check, func(t *testing.T) {
			check, err := Parse(yaml(t, test.check))
			if err == nil {
				t.Fatalf("it was read as %s", check.Spec())
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Error(cmp.Diff(test.want, err.Error()))
			}
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Errorf("class %s, want invalid", class)
			}
		})
	}
}
