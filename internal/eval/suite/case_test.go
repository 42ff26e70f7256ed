package suite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

// only loads a suite of the given tail and returns its one case.
func only(t testing.TB, d suite.Deps, tail string) eval.Case {
	t.Helper()
	root := fstest.MapFS{"suites/s.yaml": {Data: []byte("suite: s\nprompt: triage\n" + tail)}}
	all := cases(t, load(t, root, "suites/s.yaml", d))
	if len(all) != 1 {
		t.Fatalf("%d cases", len(all))
	}
	return all[0]
}

func one(vars, rest string) string {
	return fmt.Sprintf("cases: [{id: a, vars: %s, %s}]\n", vars, rest)
}

func TestInputHash(t *testing.T) {
	base := only(t, deps(), one("{ticket: x, priority: 1}", "golden: 1"))
	tests := map[string]struct {
		tail string
		same bool
	}{
		"other order":          {one("{priority: 1, ticket: x}", "golden: 1"), true},
		"other golden":         {one("{ticket: x, priority: 1}", "golden: 2"), true},
		"other check":          {one("{ticket: x, priority: 1}", "golden: 1, expect: [schema]"), true},
		"other tags and meta":  {one("{ticket: x, priority: 1}", "golden: 1, tags: [b], meta: {c: d}"), true},
		"other text":           {one("{ticket: y, priority: 1}", "golden: 1"), false},
		"number as other text": {one("{ticket: x, priority: 1.0}", "golden: 1"), false},
		"an input less":        {one("{ticket: x}", "golden: 1"), false},
		"null is something":    {one("{ticket: x, priority: null}", "golden: 1"), false},
	}
	for name, test := range tests {
		if got := only(t, deps(), test.tail); (got.InputHash == base.InputHash) != test.same {
			t.Errorf("%s: same hash %v, want %v", name, !test.same, test.same)
		}
	}
	// A baseline in git pairs by this hash: it may only change on purpose.
	if want := "e4411978fa47b04e6a763dcc8899aa4e"; base.InputHash != want {
		t.Errorf("the hash of {ticket: x, priority: 1} is %s, was %s", base.InputHash, want)
	}
}

// A check that compares with the golden answer takes the place of the implied one,
// whatever its name; the case's takes that of the suite's.
func TestChecksOfTheGoldenAnswer(t *testing.T) {
	for tail, want := range map[string]string{
		one("{ticket: x}", "golden: y"):                                                                           "golden",
		one("{ticket: x}", "golden: y, expect: [token_f1]"):                                                       "token_f1",
		one("{ticket: x}", "golden: y, expect: [{token_f1: {threshold: 0}}]"):                                     "golden token_f1",
		one("{ticket: x}", "golden: y, expect: [exact_match]") + "expect: [{token_f1: {threshold: 0}}, golden]\n": "token_f1 exact_match",
		one("{ticket: x}", "golden: y, expect: [{token_f1: z}]"):                                                  "golden token_f1",
		one("{ticket: x}", "golden: y, expect: [{any_of: [exact_match, {contains: z}]}]"):                         "any_of",
		one("{ticket: x}", "golden: y, expect: [levenshtein]") + "expect: [exact_match, refusal]\n":               "refusal levenshtein",
		one("{ticket: x}", "golden: y") + "expect: [{token_f1: {metric: f1}}, exact_match, golden]\n":             "token_f1 exact_match golden",
		one("{ticket: x}", "expect: [refusal]") + "expect: [exact_match, {not: {all_of: [list]}}]\n":              "refusal",
		one("{ticket: x}", "golden: [y], expect: [golden]") + "expect: [{not: {list: {as: set}}}]\n":              "golden",
		one("{ticket: x}", "golden: [y]") + "expect: [{not: {list: {as: set}}}, {list: {items: [a]}}]\n":          "not list list",
	} {
		c := only(t, deps(), tail)
		var names []string
		for _, check := range c.Checks {
			names = append(names, check.Name())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", tail, got, want)
		}
	}
}

func TestCriteriaHash(t *testing.T) {
	base := only(t, deps(), one("{ticket: x}", "golden: {label: bug}, expect: [{contains: a}, schema]"))
	tests := map[string]struct {
		tail string
		same bool
	}{
		"other input":              {one("{ticket: y}", "golden: {label: bug}, expect: [{contains: a}, schema]"), true},
		"the long form":            {one("{ticket: x}", "golden: {label: bug}, expect: [{contains: {value: a}}, schema]"), true},
		"the explicit golden":      {one("{ticket: x}", "golden: {label: bug}, expect: [golden, {contains: a}, schema]"), true},
		"a template's same text":   {one("{ticket: a}", "golden: {label: bug}, expect: [{contains: '{{ row.ticket }}'}, schema]"), true},
		"other golden":             {one("{ticket: x}", "golden: {label: bog}, expect: [{contains: a}, schema]"), false},
		"exact":                    {one("{ticket: x}", "golden: {label: bug}, golden_match: exact, expect: [{contains: a}, schema]"), false},
		"exact, said by the suite": {one("{ticket: x}", "golden: {label: bug}, expect: [{contains: a}, schema]") + "golden_match: exact\n", false},
		"other argument":           {one("{ticket: x}", "golden: {label: bug}, expect: [{contains: b}, schema]"), false},
		"a check less":             {one("{ticket: x}", "golden: {label: bug}, expect: [{contains: a}]"), false},
		"no golden":                {one("{ticket: x}", "expect: [{contains: a}, schema]"), false},
		"golden null":              {one("{ticket: x}", "golden: null, expect: [{contains: a}, schema]"), false},
		"not":                      {one("{ticket: x}", "golden: {label: bug}, expect: [{not: {contains: a}}, schema]"), false},
	}
	for name, test := range tests {
		if got := only(t, deps(), test.tail); (got.CriteriaHash == base.CriteriaHash) != test.same {
			t.Errorf("%s: same hash %v, want %v", name, !test.same, test.same)
		}
	}
}

func TestInputHashCoversTheBytesOfMedia(t *testing.T) {
	files := map[string]string{"a.png": "one", "b.png": "one"}
	d := deps()
	d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) {
		return suite.PromptInfo{Kinds: map[string]string{"scan": "image", "name": "string"}}, nil
	}
	d.MediaDigest = func(input string, value any) (string, bool, error) {
		if input != "scan" {
			t.Errorf("asked for the bytes of %s", input)
		}
		bytes, ok := files[value.(string)]
		if !ok {
			return "", false, errors.New("no such file")
		}
		return eval.DigestOf(bytes), true, nil
	}
	tail := one("{scan: a.png, name: a.png}", "golden: 1")
	before := only(t, d, tail)
	if before.Vars["scan"] != "a.png" {
		t.Errorf("the input became %v", before.Vars["scan"])
	}
	if got := only(t, d, strings.Replace(tail, "scan: a", "scan: b", 1)); got.InputHash != before.InputHash {
		t.Error("the same bytes under another name are another input")
	}
	files["a.png"] = "two"
	if got := only(t, d, tail); got.InputHash == before.InputHash {
		t.Error("other bytes under the same name are the same input")
	}
	root := fstest.MapFS{"suites/s.yaml": {Data: []byte("suite: s\nprompt: p\n" + one("{scan: c.png}", "golden: 1"))}}
	if _, err := suite.Load(root, "suites/s.yaml", d); err == nil || !strings.Contains(err.Error(), "suites/s.yaml:3:9: no such file") {
		t.Errorf("without the file: %v", err)
	}
}

func TestExplicitGoldenReplacesTheImplicitOne(t *testing.T) {
	final, regex := "golden: {extract: final_number}", "golden: {extract: {regex: x}}"
	tests := map[string]struct{ tail, want string }{
		"nobody says":              {one("{ticket: x}", "golden: 1"), "golden"},
		"the suite says":           {one("{ticket: x}", "golden: 1") + "expect: [schema, {" + final + "}]\n", "schema, golden final_number"},
		"the case says":            {one("{ticket: x}", "golden: 1, expect: [{"+regex+"}]") + "expect: [schema]\n", "schema, golden regex"},
		"both say":                 {one("{ticket: x}", "golden: 1, expect: [{"+regex+"}]") + "expect: [schema, {" + final + "}]\n", "schema, golden regex"},
		"not golden":               {one("{ticket: x}", "golden: 1, expect: [{not: golden}]"), "not golden"},
		"the suite's without one":  {one("{ticket: x}", "expect: [{contains: x}]") + "expect: [{" + final + "}]\n", "contains"},
		"the suite's checks first": {one("{ticket: x}", "golden: 1, expect: [{contains: x}]") + "expect: [schema]\n", "golden, schema, contains"},
	}
	for name, test := range tests {
		var got []string
		for _, check := range only(t, deps(), test.tail).Checks {
			label := check.Name()
			for _, word := range []string{"final_number", "regex"} {
				if strings.Contains(string(check.Spec()), word) {
					label += " " + word
				}
			}
			got = append(got, label)
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
	}
}

func TestExpectUsesTheRow(t *testing.T) {
	tests := []struct{ check, answer, reason string }{
		{`{contains: "{{ row.ticket }}"}`, "so: hello!", ""},
		{`{contains: "{{ row.ticket }}"}`, "no", `"hello" not in "no"`},
		{`{contains: "{{ row.ticket | upper }} {{ row.id }}"}`, "HELLO a", ""},
		{`{contains: {any: ["{{ row.tags[0] }}", "{{row.meta.who.name}}"]}}`, "ask Ann", ""},
		{`{contains: "{{ row.golden.label }}"}`, "bug", ""},
		{`{equals: "{{ row.priority }}"}`, "2", ""},
		{`{numeric: {equals: "{{ row.priority }}", tolerance: "{{ row.priority * 2 }}"}}`, "6", ""},
		{`{numeric: {equals: "{{ row.priority }}", tolerance: "{{ row.priority * 2 }}"}}`, "6.5", "want 2 ± 4, got 6.5"},
		{`{length: {max: "{{ row.priority }}"}}`, "ab", ""},
		{`{regex: '^{% if row.priority > 1 %}high{% endif %}$'}`, "high", ""},
		{`{equals: {value: "{{ row.meta }}"}}`, `{"who":{"name":"Ann"}}`, ""},
	}
	for _, test := range tests {
		t.Run(test.check, func(t *testing.T) {
			for _, tail := range []string{
				"cases: [{id: a, tags: [t1], vars: {ticket: hello, priority: 2}, meta: {who: {name: Ann}}, golden: {label: bug}}]\nexpect: [" + test.check + "]\n",
				"cases: [{id: a, tags: [t1], vars: {ticket: hello, priority: 2}, meta: {who: {name: Ann}}, golden: {label: bug}, expect: [" + test.check + "]}]\n",
			} {
				c := only(t, deps(), tail)
				score, err := c.Checks[1].Score(context.Background(), eval.Subject{Answer: test.answer})
				if err != nil || score.Reason != test.reason || score.Pass != (test.reason == "") {
					t.Errorf("got %+v, %v; want reason %q", score, err, test.reason)
				}
			}
		})
	}
}

func TestRowsExpectWithTemplates(t *testing.T) {
	data := `{"id":"a","ticket":"x","expect":[{"contains":"{{ row.ticket }}"}]}` + "\n" +
		`{"id":"b","ticket":"y","expect":[{"contains":"{{ row.ticket }}"}]}` + "\n"
	for _, c := range cases(t, load(t, project("c.jsonl", data), "suites/s.yaml", deps())) {
		want := map[string]string{"a": `"x"`, "b": `"y"`}[c.ID]
		if spec := string(c.Checks[0].Spec()); !strings.Contains(spec, want) {
			t.Errorf("%s: %s, want %s in it", c.ID, spec, want)
		}
	}
}
