package scorer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// yaml reads one node.
func yaml(t testing.TB, text string) strictyaml.Node {
	t.Helper()
	n, err := strictyaml.Parse("s.yaml", []byte(text), 1)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func parse(t testing.TB, text string) eval.Check {
	t.Helper()
	check, err := NewParser(playedDeps()).Parse(yaml(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return check
}

// jsonOf reads a JSON value as the contract would.
func jsonOf(t testing.TB, text string) any {
	t.Helper()
	value, err := parseJSON(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// says makes a plain-text subject.
func says(answer string) eval.Subject { return eval.Subject{Answer: answer} }

// answers makes a subject whose JSON meets its contract.
func answers(t testing.TB, text string) eval.Subject {
	t.Helper()
	return eval.Subject{Answer: text, Value: jsonOf(t, text), Output: llm.Output{Kind: llm.OutputJSON}}
}

const ticket = `{"label":"billing","urgency":4,"note":"call  back","who":{"name":"Ann","vip":null},"items":[{"sku":"a1"},{"sku":"b2"}]}`

func TestScore(t *testing.T) {
	broken := eval.Subject{Answer: "{", Broken: "not JSON: unexpected end", Output: llm.Output{Kind: llm.OutputJSON}}
	tests := []struct {
		check   string
		subject eval.Subject
		reason  string // "" passes
	}{
		{"schema", answers(t, ticket), ""},
		{"schema", broken, "not JSON: unexpected end"},

		{"equals: billing", says(" billing\n"), ""},
		{"equals: billing", says("Billing"), `want "billing", got "Billing"`},
		{"equals: 18", says("18"), ""},
		{"equals: {value: {a: 1}}", answers(t, `{"a":1.0}`), ""},
		{"equals: {value: {a: 1}}", answers(t, `{"a":1,"b":2}`), "b: want nothing, got 2"},
		{"equals: [1, x]", answers(t, `[1,"x"]`), ""},
		{"equals: null", answers(t, `null`), ""},
		{"equals: x", broken, "no valid answer: not JSON: unexpected end"},
		{`equals: {value: 18, extract: {regex: 'A: (\S+)'}}`, says("A: 3\nso A: 18.0"), ""},
		{`equals: {value: "18", extract: {regex: 'A: (\S+)'}}`, says("A: 18.0"), `want "18", got "18.0"`},
		{`equals: {value: "1,800", extract: {regex: 'A: (.*)', drop: ","}}`, says("A: 1800"), ""},
		{"equals: {value: 1800, extract: final_number}", says("that is $1,800."), ""},
		{"equals: {value: 1800, extract: final_number}", says("nothing"), `no number in "nothing"`},

		{"contains: refund", says("we refund you"), ""},
		{"contains: refund", says("we Refund you"), `"refund" not in "we Refund you"`},
		{"contains: {value: refund, ignore_case: true}", says("we REFUND you"), ""},
		{"contains: [a, z]", says("abc"), `"z" not in "abc"`},
		{"contains: {any: [x, b]}", says("abc"), ""},
		{"contains: {any: [x, y]}", says("abc"), `none of "x", "y" in "abc"`},
		{"contains: {all: [a], any: [x, c]}", says("abc"), ""},
		{"contains: {value: b, extract: {regex: '^a(.)'}}", says("abc"), ""},
		{"contains: {value: c, extract: {regex: '^a(.)'}}", says("abc"), `"c" not in "b"`},

		{`regex: '^\d+$'`, says("12"), ""},
		{`regex: '^\d+$'`, says("12a"), `nothing matches ^\d+$ in "12a"`},
		{`regex: {value: '^b$', extract: {regex: 'a(.)'}}`, says("aab"), `nothing matches ^b$ in "a"`},

		{"field: {path: urgency, min: 4, max: 5}", answers(t, ticket), ""},
		{"field: {path: urgency, min: 4.5}", answers(t, ticket), "urgency: want at least 4.5, got 4"},
		{"field: {path: urgency, min: 1, max: 3}", answers(t, ticket), "urgency: want from 1 to 3, got 4"},
		{"field: {path: label, max: 3}", answers(t, ticket), `label: want at most 3, got "billing"`},
		{"field: {path: $.label, one_of: [bug, billing]}", answers(t, ticket), ""},
		{"field: {path: label, one_of: [bug]}", answers(t, ticket), `label: want one of ["bug"], got "billing"`},
		{"field: {path: label, equals: bug}", answers(t, ticket), `label: want "bug", got "billing"`},
		{"field: {path: who.vip, equals: null}", answers(t, ticket), ""},
		{"field: {path: who.name, equals: null}", answers(t, ticket), `who.name: want null, got "Ann"`},
		{"field: {path: urgency, equals: '4'}", answers(t, ticket), `urgency: want the text "4", got the number 4`},
		{"field: {path: 'items[1].sku', regex: '^b'}", answers(t, ticket), ""},
		{"field: {path: 'items[-1].sku', regex: '^a'}", answers(t, ticket), `items[-1].sku: nothing matches ^a in "b2"`},
		{"field: {path: urgency, regex: '^[1-5]$'}", answers(t, ticket), ""},
		{"field: {path: 'items[2].sku', exists: true}", answers(t, ticket), "items[2].sku: no such field in " + show(jsonOf(t, ticket))},
		{"field: {path: who.vip, exists: true}", answers(t, ticket), ""},
		{"field: {path: who.age, exists: false}", answers(t, ticket), ""},
		{"field: {path: who.name, exists: false}", answers(t, ticket), `who.name: want no such field, got "Ann"`},
		{"field: {path: a, exists: false}", says("hello"), `the answer is not JSON: "hello"`},
		{"field: {path: a, equals: 1}", says(`{"a": 1}`), ""},
		{"field: {path: a, equals: 1}", says(`{"a": 1} thanks`), `the answer is not JSON: "{\"a\": 1} thanks"`},

		{"numeric: 18", says(" 18.0 "), ""},
		{"numeric: 18", says("18 eggs"), `want the number 18, got "18 eggs"`},
		{"numeric: {equals: 0.3, tolerance: 0.1}", says("0.4"), ""},
		{"numeric: {equals: 0.3, tolerance: 0.1}", says("0.4000000000000000001"), "want 0.3 ± 0.1, got 0.4000000000000000001"},
		{"numeric: {equals: -200, relative: 0.05}", says("-210"), ""},
		{"numeric: {equals: -200, relative: 0.05}", says("-211"), "want -200 ± 10, got -211"},
		{"numeric: {equals: 200, relative: 0.01, tolerance: 5}", says("205"), ""},
		{"numeric: {equals: 18, extract: final_number}", says("so 18 eggs."), ""},
		{"numeric: 4", answers(t, "4"), ""},
		{"numeric: 4", answers(t, `{"a":4}`), `want the number 4, got the object {"a":4}`},
		{"numeric: 18", says("1e999999999"), `want the number 18, got "1e999999999"`},

		{"length: {max: 3}", says("äöü"), ""},
		{"length: {max: 3}", says("abcd"), "want at most 3 characters, got 4"},
		{"length: {min: 2, max: 3, unit: words}", says("one"), "want 2 to 3 words, got 1"},
		{"length: {min: 2, unit: words}", says("one two"), ""},

		{"finish_reason: stop", eval.Subject{Finish: llm.FinishStop}, ""},
		{"finish_reason: [stop, tool_calls]", eval.Subject{Finish: llm.FinishLength}, `want stop or tool_calls, got "length"`},

		{"max_cost: 0.002", eval.Subject{Cost: llm.KnownCost(2_000_000)}, ""},
		{"max_cost: 0.002", eval.Subject{Cost: llm.KnownCost(2_001_000)}, "want at most $0.002, cost $0.002001"},
		{"max_latency: 3s", eval.Subject{Service: 3 * time.Second}, ""},
		{"max_latency: 3s", eval.Subject{Service: 3001 * time.Millisecond}, "want at most 3s, took 3.001s"},
		{"max_attempts: 2", eval.Subject{Attempts: 2}, ""},
		{"max_attempts: 2", eval.Subject{Attempts: 3}, "want at most 2 attempts, took 3"},

		{"not: {contains: sorry}", says("fine"), ""},
		{"not: {contains: sorry}", says("so sorry"), `must not hold: contains "sorry"`},
		{"not: {field: {path: urgency, min: 4}}", answers(t, ticket), "must not hold: urgency min 4"},
		{"not: {length: {max: 3}}", says("abc"), "must not hold: has at most 3 characters"},
	}
	for _, test := range tests {
		t.Run(test.check, func(t *testing.T) {
			check := parse(t, test.check)
			got, err := check.Score(context.Background(), test.subject)
			if err != nil {
				t.Fatal(err)
			}
			if got.Pass != (test.reason == "") || got.Reason != test.reason {
				t.Errorf("pass %v, reason %q; want reason %q", got.Pass, got.Reason, test.reason)
			}
			if want := map[bool]float64{true: 1}[got.Pass]; got.Value != want {
				t.Errorf("value %v, want %v", got.Value, want)
			}
			if got.Check != check.Name() || got.Operational != check.Operational() {
				t.Errorf("score of %q, operational %v", got.Check, got.Operational)
			}
		})
	}
}

func TestMaxLatencyLeavesStoredAnswersOut(t *testing.T) {
	got, err := parse(t, "max_latency: 1s").Score(context.Background(), eval.Subject{Stored: true, Service: time.Hour})
	if err != nil || !got.Pass || got.Reason != "stored answer" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatCannotBeJudgedIsAnError(t *testing.T) {
	tests := map[string]struct {
		check string
		class fault.Class
	}{
		"unknown price":          {"max_cost: 1", fault.Unjudged},
		"no golden answer":       {"golden", fault.Invalid},
		"no golden within a not": {"not: golden", fault.Invalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, test.check).Score(context.Background(), says("x"))
			if err == nil || fault.ClassOf(err) != test.class {
				t.Errorf("got %v, want an error of class %s", err, test.class)
			}
		})
	}
}

func TestOperationalAndMetric(t *testing.T) {
	tests := []struct {
		check, name, metric string
		operational         bool
	}{
		{"schema", "schema", "", false},
		{"schema: {metric: shape}", "schema", "shape", false},
		{"golden: {metric: right}", "golden", "right", false},
		{"contains: {value: x, metric: has_x}", "contains", "has_x", false},
		{"not: {contains: {value: x, metric: no_x}}", "not contains", "no_x", false},
		{"max_cost: {value: 1, metric: cheap}", "max_cost", "cheap", true},
		{"max_latency: {value: 1s, metric: quick}", "max_latency", "quick", true},
		{"max_attempts: {value: 1, metric: first}", "max_attempts", "first", true},
		{"finish_reason: {value: stop, metric: ended}", "finish_reason", "ended", false},
		{"length: {max: 1, metric: brief}", "length", "brief", false},
		{"numeric: {equals: 1, metric: near}", "numeric", "near", false},
		{"regex: {value: a, metric: a}", "regex", "a", false},
		{"equals: {value: a, metric: same}", "equals", "same", false},
		{"field: {path: a, exists: true, metric: there}", "field", "there", false},
	}
	for _, test := range tests {
		check := parse(t, test.check)
		if check.Name() != test.name || check.Metric() != test.metric || check.Operational() != test.operational || !check.Deterministic() {
			t.Errorf("%s: name %q, metric %q, operational %v", test.check, check.Name(), check.Metric(), check.Operational())
		}
	}
}

func TestParseListReportsEveryProblem(t *testing.T) {
	_, err := ParseList(yaml(t, "- contians: x\n- schema\n- regex: '('\n- length: {}\n"))
	want := `s.yaml:1:3: unknown check "contians"
  ` + fault.Allowed("contians", Names()) + `; llmx help checks shows them
s.yaml:3:10: invalid regex: missing closing ): (
  the syntax is RE2's; single quotes keep backslashes as they are
s.yaml:4:11: length has no limit
  add min or max`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	checks, err := ParseList(yaml(t, "[schema, {contains: x}]"))
	if err != nil || len(checks) != 2 || checks[1].Name() != "contains" {
		t.Errorf("got %v, %v", checks, err)
	}
}

func TestNamesAreWhatParseKnows(t *testing.T) {
	names := Names()
	if !slices.Contains(names, "not") || len(names) < 10 {
		t.Fatalf("names: %v", names)
	}
	for _, name := range names {
		_, err := Parse(yaml(t, "{"+name+": {nonsense: 1}}"))
		e, ok := errors.AsType[*fault.Error](err)
		if name == "schema" { // where a key may be a keyword of the schema
			continue
		}
		if !ok || strings.Contains(e.Message, "unknown check") && name != "not" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func BenchmarkGoldenAndSchema(b *testing.B) {
	subject := answers(b, ticket)
	subject.Golden = &eval.Golden{Value: map[string]any{"label": "billing", "urgency": json.Number("4")}}
	checks := []eval.Check{Golden(), parse(b, "schema")}
	b.ReportAllocs()
	for b.Loop() {
		for _, check := range checks {
			if score, err := check.Score(context.Background(), subject); err != nil || !score.Pass {
				b.Fatal(score, err)
			}
		}
	}
}
