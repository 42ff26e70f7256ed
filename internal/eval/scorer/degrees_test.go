package scorer

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// scored runs one check over one subject.
func scored(t *testing.T, check string, subject eval.Subject) eval.Score {
	t.Helper()
	got, err := parse(t, check).Score(context.Background(), subject)
	if err != nil {
		t.Fatalf("%s: %v", check, err)
	}
	return got
}

func TestChecksThatHoldByDegrees(t *testing.T) {
	tests := []struct {
		check   string
		subject eval.Subject
		value   float64
		pass    bool
		reason  string
	}{
		{"levenshtein: kitten", says("sitting"), 1 - 3.0/7, false, `score 0.571, want 0.8: want "kitten", got "sitting"`},
		{"levenshtein: {value: kitten, threshold: 0.5}", says("sitting"), 1 - 3.0/7, true, `want "kitten", got "sitting"`},
		{"levenshtein: {value: 'Saturday', ignore_case: true}", says("SUNDAY"), 1 - 3.0/8, false, `score 0.625, want 0.8: want "Saturday", got "sunday"`},
		{"levenshtein: [flaw, lawn, kitten]", says("lawn"), 1, true, ""},
		{"levenshtein: 'a  b'", says(" a\nb "), 1, true, ""},
		{"levenshtein: \"caf\\u00e9\"", says("cafe\u0301"), 1, true, ""},
		{"levenshtein: {value: '', threshold: 1}", says(" "), 1, true, ""},
		{"levenshtein: {value: abc, threshold: 0}", says("xyz"), 0, true, `want "abc", got "xyz"`},
		{"levenshtein: x", says(strings.Repeat("x", 50_001)), 0, false, "score 0, want 0.8: the answer has 50001 characters; more than 50000 are not compared"},
		{"levenshtein: {value: Ann, extract: {path: who.name}}", answers(t, ticket), 1, true, ""},
		{"levenshtein: {value: Ann, extract: {path: who.age}}", answers(t, `{"who":{}}`), 0, false, `score 0, want 0.8: who.age: no such field in {"who":{}}`},

		{"json: {value: {label: billing, urgency: 4}}", answers(t, ticket), 1, true, ""},
		{"json: {value: {label: bug, urgency: 4.0, gone: [1, {a: 2}]}, threshold: 0.5}", answers(t, ticket), 0.25, false,
			`score 0.25, want 0.5: 1 of 4 fields are right: gone: want [1,{"a":2}], got nothing (2 fields); label: want "bug", got "billing"`},
		{"json: {value: {note: call back, who: {name: Ann, vip: true}}}", answers(t, ticket), 2.0 / 3, false, `2 of 3 fields are right: who.vip: want true, got null`},
		{"json: {value: {items: [{sku: a1}]}, threshold: 0.5}", answers(t, ticket), 0.5, true, `1 of 2 fields are right: items[1]: want nothing, got {"sku":"b2"}`},
		{"json: {value: {items: [{sku: b2}, {sku: b2}, {sku: c3}]}}", answers(t, ticket), 1.0 / 3, false,
			`1 of 3 fields are right: items[0].sku: want "b2", got "a1"; items[2]: want {"sku":"c3"}, got nothing`},
		{"json: {value: {a: 1}, exact: true}", answers(t, `{"a":1,"b":{"c":1,"d":[]}}`), 1.0 / 3, false, `1 of 3 fields are right: b: want nothing, got {"c":1,"d":[]} (2 fields)`},
		{"json: {value: {a: 1}}", answers(t, `{"a":1,"b":2}`), 1, true, ""},
		{"json: {value: {a: {b: 1, c: 2}}}", answers(t, `{"a":"x"}`), 0, false, `0 of 2 fields are right: a: want the object {"b":1,"c":2}, got the text "x" (2 fields)`},
		{"json: {value: {a: 1}}", says("hello"), 0, false, `the answer is not JSON: "hello"`},
		{"json: {value: {sku: b2}, extract: {path: 'items[-1]'}}", answers(t, ticket), 1, true, ""},
		{"json: {value: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}", answers(t, `[0,0,0,0,0,0,0,0,0,10]`), 0.1, false,
			"1 of 10 fields are right: [0]: want 1, got 0; [1]: want 2, got 0; [2]: want 3, got 0; [3]: want 4, got 0; [4]: want 5, got 0; [5]: want 6, got 0; [6]: want 7, got 0; [7]: want 8, got 0; and 1 more"},
		{"json: {value: []}", answers(t, `[]`), 1, true, ""},
		{"json: {value: []}", answers(t, `[1]`), 0, false, "0 of 1 fields are right: want 0 items, got 1: [1]"},
		{"json", eval.Subject{Answer: `{"a":"x  y","b":1}`, Golden: &eval.Golden{Value: map[string]any{"a": "x y"}}}, 1, true, ""},
		{"json", eval.Subject{Answer: `{"a":"x  y","b":1}`, Golden: &eval.Golden{Value: map[string]any{"a": "x y"}, Exact: true}}, 0, false,
			`0 of 2 fields are right: a: want "x y", got "x  y"; b: want nothing, got 1`},

		{"list: [a, b, c]", answers(t, `["a","b","c"]`), 1, true, ""},
		{"list: [a, b, c]", answers(t, `["b","a","c"]`), 2.0 / 3, false, `the same items in another order: "b", "a", "c" (precision 0.667, recall 0.667)`},
		{"list: {items: [a, b, c], as: unordered}", answers(t, `["b","a","c"]`), 1, true, ""},
		{"list: {items: [a, b], as: unordered}", answers(t, `["b","a","a"]`), 0.8, false, `more than wanted "a" (precision 0.667, recall 1)`},
		{"list: {items: [a, b], as: set}", answers(t, `["b","a","a"]`), 1, true, ""},
		{"list: {items: [a, b, c], as: set, measure: precision}", answers(t, `["a"]`), 1, true, ""},
		{"list: {items: [a, b, c], as: set, measure: recall, threshold: 0.3}", answers(t, `["a","z"]`), 1.0 / 3, true, `missing "b", "c"; more than wanted "z" (precision 0.5, recall 0.333)`},
		{"list: [1, 2.50, null, {b: 1, a: ' x '}]", answers(t, `[1.0,25e-1,null,{"a":"x","b":1}]`), 1, true, ""},
		{"list: ['1']", answers(t, `[1]`), 0, false, `missing "1"; more than wanted 1 (precision 0, recall 0)`},
		{"list: {items: [apples, 3], split: ','}", says("apples,, 3\n"), 1, true, ""},
		{"list: {items: [], as: set}", answers(t, `[]`), 1, true, ""},
		{"list: {items: [], measure: recall}", answers(t, `[1]`), 1, true, ""},
		{"list: {items: []}", answers(t, `[1]`), 0, false, "more than wanted 1 (precision 0, recall 1)"},
		{"list: [a]", answers(t, `{"a":1}`), 0, false, `want a list, got the object {"a":1}`},

		{"all_of: [{contains: a}, {contains: b}]", says("a"), 0.5, false, `1 of 2 hold: contains: "b" not in "a"`},
		{"all_of: [{contains: a}, {levenshtein: {value: ab, threshold: 0.5}}]", says("a"), 0.75, true, ""},
		{"all_of: {checks: [{contains: {value: a, weight: 3}}, {contains: b}], threshold: 0.75}", says("a"), 0.75, true, `contains: "b" not in "a"`},
		{"all_of: {checks: [{contains: {value: a, weight: 2.9}}, {contains: b}], threshold: 0.75}", says("a"), 2.9 / 3.9, false, `score 0.744, want 0.75: contains: "b" not in "a"`},
		{"any_of: [{contains: b}, {levenshtein: ab}]", says("a"), 0.5, false, `contains: "b" not in "a"; levenshtein: score 0.5, want 0.8: want "ab", got "a"`},
		{"any_of: [{not: {contains: b}}, {all_of: [{contains: a}, {contains: z}]}]", says("ab"), 0.5, false,
			`not contains: must not hold: contains "b"; all_of: 1 of 2 hold: contains: "z" not in "ab"`},
		{"any_of: [{contains: b}, {contains: a}]", says("a"), 1, true, ""},
		{"not: {levenshtein: kitten}", says("sitting"), 1, true, ""},
		{"not: {levenshtein: {value: kitten, threshold: 0.5}}", says("sitting"), 0, false, `must not hold: is like "kitten" to 0.5`},
		{"not: {any_of: [{contains: a}, refusal]}", says("a"), 0, false, `must not hold: any_of (contains "a"; refuses)`},
	}
	for _, test := range tests {
		t.Run(test.check, func(t *testing.T) {
			got := scored(t, test.check, test.subject)
			if math.Abs(got.Value-test.value) > 1e-12 || got.Pass != test.pass || got.Reason != test.reason {
				t.Errorf("got %v %v %q\nwant %v %v %q", got.Value, got.Pass, got.Reason, test.value, test.pass, test.reason)
			}
		})
	}
}

// The rounding of a sum never keeps a score below its threshold: 0.3 of 0.1 + 0.2 + 0.3
// is a little less than a half.
func TestRoundingDoesNotDecide(t *testing.T) {
	const check = "all_of: {checks: [{contains: {value: y, weight: 0.1}}, {contains: {value: z, weight: 0.2}}, {contains: {value: a, weight: 0.3}}], threshold: 0.5}"
	if got := scored(t, check, says("a")); !got.Pass || got.Value >= 0.5 {
		t.Errorf("got %+v", got)
	}
}

// The longest common subsequence is what trying everything finds.
func TestCommonInOrder(t *testing.T) {
	var try func(a, b []string) int
	try = func(a, b []string) int {
		if len(a) == 0 || len(b) == 0 {
			return 0
		}
		if a[0] == b[0] {
			return 1 + try(a[1:], b[1:])
		}
		return max(try(a[1:], b), try(a, b[1:]))
	}
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() []string {
		list := make([]string, random.IntN(8))
		for i := range list {
			list[i] = string(rune('a' + random.IntN(3)))
		}
		return list
	}
	for range 500 {
		a, b := draw(), draw()
		if got, want := commonInOrder(a, b), try(a, b); got != want {
			t.Fatalf("%v, %v: %d, want %d", a, b, got, want)
		}
	}
}

func TestAScoreHasItsWeight(t *testing.T) {
	for check, want := range map[string]float64{
		"contains: {value: a, metric: m}":                    0, // which stands for 1, as in results from before
		"contains: {value: a, metric: m, weight: 1}":         0,
		"contains: {value: a, metric: m, weight: 2.5}":       2.5,
		"not: {contains: {value: a, metric: m, weight: 2}}":  2,
		"any_of: {checks: [refusal], metric: m, weight: 3}":  3,
		"schema: {type: string, metric: m, weight: 4}":       4,
		"contains: {value: a, metric: m, weight: '{{1}}.5'}": -1,
	} {
		if want < 0 {
			if _, err := Parse(yaml(t, check)); err == nil {
				t.Errorf("%s is read", check)
			}
			continue
		}
		got := scored(t, check, says("a"))
		if got.Weight != want || got.Metric != "m" || got.Weighs() != max(want, 1) {
			t.Errorf("%s: %+v", check, got)
		}
	}
}

func TestWhatAChecksNeeds(t *testing.T) {
	const judges = eval.NeedGolden | eval.JudgesGolden
	for check, want := range map[string]eval.Need{
		"golden": judges, "token_f1": judges, "token_f1: x": 0, "list": judges, "json: {value: 1}": 0, "date": judges, "not: exact_match": judges,
		"token_f1: {threshold: 0}": eval.NeedGolden, "all_of: {checks: [golden], threshold: 0}": eval.NeedGolden, "all_of: [golden]": judges,
		"tool_called": eval.NeedToolCalls, "not: tool_called": eval.NeedToolCalls, "finish_reason: stop": eval.NeedFinish, "schema": 0, "refusal": 0,
		"any_of: [levenshtein, {tool_sequence: [a]}, {not: {finish_reason: stop}}]": judges | eval.NeedToolCalls | eval.NeedFinish,
	} {
		if got := eval.Needs(parse(t, check)); got != want {
			t.Errorf("%s needs %b, want %b", check, got, want)
		}
	}
}

func TestGoldenAnswersThatDoNotFit(t *testing.T) {
	object := eval.Golden{Value: map[string]any{"a": "b"}}
	list := eval.Golden{Value: []any{"a", "b"}}
	date := eval.Golden{Value: "2026-11-22"}
	for _, test := range []struct {
		check  string
		golden eval.Golden
		want   string
	}{
		{"token_f1", object, `want a text, or a list of texts of which one must match, got the object {"a":"b"}`},
		{"exact_match", list, ""},
		{"exact_match: x", object, ""},
		{"list", object, "want a list of items, got the object"},
		{"list", list, ""},
		{"json", object, ""},
		{"date", date, ""},
		{"date", list, "want a date, got the list"},
		{"date: {same: time}", date, "the wanted date 2026-11-22 has no time to compare"},
		{"not: {any_of: [levenshtein, refusal]}", object, "want a text"},
		{"levenshtein", eval.Golden{Value: strings.Repeat("x", 5001)}, "levenshtein compares with at most 5000 characters, this has 5001"},
	} {
		check := parse(t, test.check)
		err := eval.FitsGolden(check, test.golden)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.check, err, test.want)
		}
		// What was not found before is an error, never a score.
		if _, scoreErr := check.Score(context.Background(), eval.Subject{Answer: "x", Golden: &test.golden}); (scoreErr == nil) != (err == nil) {
			t.Errorf("%s: scored with %v", test.check, scoreErr)
		}
	}
}

func TestRefusal(t *testing.T) {
	for answer, want := range map[string]bool{
		"I’m sorry, but I can’t assist with that.":                      true,
		"I cannot  help you\nwith this request.":                        true,
		"I'M UNABLE TO PROVIDE medical advice":                          true,
		"As an AI language model, I can only guess":                     true,
		"Sorry, I can help you now: your refund is on its way.":         false,
		"I will not charge you twice.":                                  false,
		"":                                                              false,
		strings.Repeat("All is well. ", 20) + "But I can't help it now": false,
	} {
		if got := scored(t, "refusal", says(answer)); got.Pass != want {
			t.Errorf("%q: %+v", answer, got)
		}
	}
	if got := scored(t, "refusal", eval.Subject{Answer: "fine", Finish: llm.FinishContentFilter}); !got.Pass {
		t.Errorf("a withheld answer: %+v", got)
	}
	if got := scored(t, "refusal: {phrases: ['Das Darf  ich nicht']}", says("Leider: das darf ich nicht.")); !got.Pass {
		t.Errorf("a phrase of its own: %+v", got)
	}
}
