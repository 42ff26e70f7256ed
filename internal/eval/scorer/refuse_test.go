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

		{"contain", "unknown check \"contain\"\n  did you mean \"contains\"?"},
		{"tool_caled", "did you mean \"tool_called\"?"},
		{"{contains: {ordered: []}}", "contains looks for nothing\n  name what must be there: value, all, any or ordered"},
		{"{contains: {ordered: [a, '']}}", "contains looks for an empty text"},
		{"{starts_with: ''}", "s.yaml:1:15: every answer starts with an empty text"},
		{"starts_with", "the check starts_with needs arguments"},
		{"{starts_with: {ignore_case: true}}", "the key \"value\" is missing"},
		{"{ends_with: {value: {a: 1}}}", "s.yaml:1:21: want a text, or a list of texts of which one must match, got the object"},
		{"{ends_with: []}", "want a text, or a list of texts"},
		{"{length: {max: 5, unit: sentence}}", "s.yaml:1:25: \"sentence\" is not known here\n  did you mean \"sentences\"?"},
		{"{exact_match: {value: x, threshold: 1}}", "unknown key \"threshold\"\n  allowed: value, extract, metric, weight"},
		{"{token_f1: {value: x, treshold: 1}}", "s.yaml:1:23: unknown key \"treshold\"\n  did you mean \"threshold\"?"},
		{"{token_f1: {threshold: 80}}", "s.yaml:1:24: want a threshold from 0 to 1, got a number (\"80\")\n  the check passes where"},
		{"{token_f1: {threshold: -0.1}}", "want a threshold from 0 to 1"},
		{"{token_f1: {threshold: high}}", "want a threshold from 0 to 1, got a string"},
		{"{token_f1: [a, [b]]}", "want a text, or a list of texts"},
		{"{levenshtein: true}", "s.yaml:1:15: want a text, or a list of texts of which one must match, got the boolean true"},
		{"{levenshtein: " + strings.Repeat("x", 5001) + "}", "levenshtein compares with at most 5000 characters, this has 5001"},
		{"{refusal: no}", "s.yaml:1:11: want a mapping"},
		{"{refusal: {phrases: [' ']}}", "an empty phrase is in every answer"},
		{"{date: tomorrow}", "s.yaml:1:8: want a date, got the text \"tomorrow\"\n  write 2026-11-22"},
		{"{date: 22.11.2026}", "want a date"},
		{"{date: {value: 2026-11-22, same: hour}}", "s.yaml:1:34: \"hour\" is not known here\n  allowed: day, time"},
		{"{date: {value: 2026-11-22, same: time}}", "has no time to compare\n  write same: day"},
		{"{date: {value: 2026-11-22, formats: []}}", "no format is named"},
		{"{date: {formats: [dd.mm.yyyy]}}", "s.yaml:1:19: want a format of dates, got a string (\"dd.mm.yyyy\")\n  write it with YYYY"},
		{"{date: {formats: [MM/YYYY]}}", "want a format of dates"},
		{"{date: {formats: [YYYY-MM-DD mm]}}", "want a format of dates"},
		{"{date: {formats: [YYYY-MM-DD DD]}}", "want a format of dates"},
		{"{json: {label: billing}}", "s.yaml:1:9: unknown key \"label\"\n  allowed: value, exact, threshold, extract, metric, weight"},
		{"{json: 5}", "s.yaml:1:8: want a mapping, got a number (\"5\")\n  write {json: {value: {label: billing}"},
		{"{list: a}", "s.yaml:1:8: want a list of items, got the text \"a\"\n  write {list: {items: [a, b], as: set}}"},
		{"{list: {items: [a], as: sett}}", "\"sett\" is not known here\n  did you mean \"set\"?"},
		{"{list: {items: [a], measure: f2}}", "allowed: f1, precision, recall"},
		{"{list: {split: ''}}", "s.yaml:1:16: the separator is empty"},
		{"{is_json: true}", "s.yaml:1:11: want a mapping"},
		{"{is_xml: {schema: x}}", "unknown key \"schema\"\n  allowed: extract, metric, weight"},
		{"{golden: {extract: {path: 'a..b'}}}", "has an empty step"},
		{"{golden: {extract: {path: a, regex: b}}}", "s.yaml:1:27: regex and path do not stand together"},
		{"{tool_called: 5}", "s.yaml:1:15: want a tool's name, or a mapping, got a number"},
		{"{tool_called: ''}", "a tool has a name"},
		{"{tool_called: {name: x, match: exact}}", "s.yaml:1:32: match says how arguments are compared, and there are none"},
		{"{tool_called: {name: x, arguments: [a]}}", "s.yaml:1:36: want a mapping of arguments"},
		{"{tool_called: {name: x, arguments: {}, match: same}}", "allowed: subset, exact"},
		{"{tool_called: {name: x, schema: {type: strnig}}}", "s.yaml:1:33: invalid JSON Schema"},
		{"{tool_called: {tool: x}}", "unknown key \"tool\"\n  allowed: name, arguments, match, schema, metric, weight"},
		{"tool_sequence", "the check tool_sequence needs arguments"},
		{"{tool_sequence: a}", "s.yaml:1:17: want a list of calls, or a mapping"},
		{"{tool_sequence: []}", "want one of exact, in_order and any_order, with at least one call in it\n  that no tool is called is {not: tool_called}"},
		{"{tool_sequence: {exact: [a], in_order: [b]}}", "want one of exact, in_order and any_order"},
		{"{tool_sequence: [a, {nmae: b}]}", "s.yaml:1:22: unknown key \"nmae\"\n  did you mean \"name\"?"},
		{"{max_tokens: 0}", "s.yaml:1:14: a limit of tokens is a whole number above 0"},
		{"{max_tokens: {value: 5, of: all}}", "\"all\" is not known here\n  allowed: output, input, total"},
		{"{max_tokens: many}", "want a whole number"},
		{"{cached: 5}", "s.yaml:1:10: want a boolean"},
		{"{not: cached}", "s.yaml:1:2: not cannot stand around cached"},
		{"{not: {max_tokens: 5}}", "not cannot stand around max_tokens"},

		{"any_of", "any_of needs checks\n  write {any_of: [{contains: refund}"},
		{"{any_of: []}", "s.yaml:1:10: want a list of checks"},
		{"{all_of: {contains: a}}", "s.yaml:1:10: the key \"checks\" is missing\n  write {all_of: {checks: […]}}, with metric and weight beside checks"},
		{"{all_of: {checks: [refusal], treshold: 1}}", "s.yaml:1:30: unknown key \"treshold\"\n  did you mean \"threshold\"?"},
		{"{any_of: {checks: [refusal], threshold: 0.5}}", "s.yaml:1:41: any_of has no threshold"},
		{"{all_of: [{contians: a}, {regex: '('}]}", "s.yaml:1:12: unknown check \"contians\""},
		{"{all_of: [{contians: a}, {regex: '('}]}", "s.yaml:1:34: invalid regex"},
		{"{all_of: [schema, {max_cost: 1}]}", "s.yaml:1:19: max_cost cannot stand in all_of\n  a limit on cost"},
		{"{any_of: [{contains: {value: a, metric: m}}]}", "s.yaml:1:11: the metric \"m\" would never be counted: any_of has one score\n  write {any_of: {checks: […], metric: m}}"},
		{"{any_of: [{contains: {value: a, weight: 2}}]}", "a weight in any_of weighs nothing"},
		{"{not: {any_of: [{not: {not: schema}}]}}", "not stands within not"},

		{"{contains: {value: a, weight: 2}}", "s.yaml:1:2: the weight of contains weighs nothing: it counts in the mean of a metric, or of an all_of\n  add metric: NAME"},
		{"{contains: {value: a, metric: m, weight: 0}}", "s.yaml:1:42: want a weight above 0, at most 1000, got a number (\"0\")\n  a check that is measured and not required"},
		{"{schema: {type: object, metric: m, weight: heavy}}", "want a weight above 0"},
		{"{contains: {value: a, metric: m, weight: 1e9}}", "want a weight above 0, at most 1000"},
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
