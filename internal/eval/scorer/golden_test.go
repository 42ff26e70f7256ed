package scorer

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestGolden(t *testing.T) {
	broken := answers(t, ticket)
	broken.Value, broken.Broken = nil, `/label: expected one of …, got "x"`
	number := func(text string) eval.Subject {
		return eval.Subject{Answer: text, Value: json.Number(text), Output: llm.Output{Kind: llm.OutputNumber}}
	}
	tests := []struct {
		name    string
		golden  string // JSON
		exact   bool
		subject eval.Subject
		reason  string // "" passes
	}{
		{"subset", `{"label":"billing"}`, false, answers(t, ticket), ""},
		{"subset, deep", `{"who":{"name":"Ann"}}`, false, answers(t, ticket), ""},
		{"subset, within a list", `{"items":[{"sku":"a1"},{}]}`, false, answers(t, ticket), ""},
		{"a list is whole", `{"items":[{"sku":"a1"}]}`, false, answers(t, ticket), `items: want 1 items, got 2: [{"sku":"a1"},{"sku":"b2"}]`},
		{"a list has an order", `{"items":[{"sku":"b2"},{"sku":"a1"}]}`, false, answers(t, ticket), `items[0].sku: want "b2", got "a1"`},
		{"other value", `{"label":"bug"}`, false, answers(t, ticket), `label: want "bug", got "billing"`},
		{"missing key", `{"who":{"age":3}}`, false, answers(t, ticket), `who.age: want 3, got nothing`},
		{"null is no absence", `{"who":{"vip":null}}`, false, answers(t, ticket), ""},
		{"number by value", `{"urgency":4.0}`, false, answers(t, ticket), ""},
		{"number against text", `{"urgency":"4"}`, false, answers(t, ticket), `urgency: want the text "4", got the number 4`},
		{"white space in text", `{"note":" call back"}`, false, answers(t, ticket), ""},
		{"exact is whole", `{"label":"billing"}`, true, answers(t, `{"label":"billing","x":1}`), `x: want nothing, got 1`},
		{"exact number by value", `{"n":1}`, true, answers(t, `{"n":1.0}`), ""},
		{"exact to the letter", `"a b"`, true, says("a  b"), `want "a b", got "a  b"`},
		{"text", `"a b"`, false, says(" a \n b\u00a0"), ""},
		{"text, letters count", `"a b"`, false, says("a B"), `want "a b", got "a B"`},
		{"text, a word more", `"a"`, false, says("a b"), `want "a", got "a b"`},
		{"text, a word less", `"a b"`, false, says("a"), `want "a b", got "a"`},
		{"number as text", `18`, false, says("18\n"), ""},
		{"number as text is text", `18`, false, says("18.0"), `want "18", got "18.0"`},
		{"number under a contract", `18`, false, number("18.00"), ""},
		{"number exactly", `0.1`, false, number("0.1000000000000000055511151231257827"), `want 0.1, got 0.1000000000000000055511151231257827`},
		{"large numbers exactly", `9007199254740993`, false, number("9007199254740992"), `want 9007199254740993, got 9007199254740992`},
		{"number with an exponent", `1500`, false, number("1.5e3"), ""},
		{"boolean as text", `true`, false, says("true"), ""},
		{"object in plain text", `{"a":1}`, false, says(` {"a":1,"b":2} `), ""},
		{"object, and text that is none", `{"a":1}`, false, says(`a is 1`), `want {"a":1}, got text that is not JSON: "a is 1"`},
		{"broken contract", `{"urgency":4}`, false, broken, `no valid answer: /label: expected one of …, got "x"`},
		{"a valid null", `null`, false, answers(t, `null`), ""},
		{"null and something", `null`, false, answers(t, `[]`), `want null, got []`},
		{"long answer", `"x"`, false, says(strings.Repeat("ä", 1000)), `want "x", got "` + strings.Repeat("ä", 40) + `…"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.subject.Golden = &eval.Golden{Value: jsonOf(t, test.golden), Exact: test.exact}
			got, err := Golden().Score(context.Background(), test.subject)
			if err != nil {
				t.Fatal(err)
			}
			if got.Pass != (test.reason == "") || got.Reason != test.reason {
				t.Errorf("pass %v, reason %q; want reason %q", got.Pass, got.Reason, test.reason)
			}
		})
	}
}

func TestGoldenExtracted(t *testing.T) {
	tests := []struct {
		check, golden, answer string
		pass                  bool
	}{
		{"golden: {extract: final_number}", `1600`, "so $1,600.00 a year", true},
		{"golden: {extract: final_number}", `"1,600"`, "so 1600 a year", true},
		{"golden: {extract: final_number}", `1600`, "16 or 1600, or 17", false},
		{"golden: {extract: {regex: 'A: (.*)'}}", `"18"`, "A: 17\nno,\nA: 18 \n", true},
		{"golden: {extract: {regex: 'A: (.*)'}}", `"18"`, "A: 18\nno,\nA: 17", false},
		{"golden: {extract: {regex: 'A: (.*)'}}", `18`, "A: 18.0", true},
		{"golden: {extract: {regex: 'A: (.*)'}}", `"18"`, "A: 18.0", false},
		{"golden: {extract: {regex: 'A: (.*)'}}", `"1,800"`, "A: 1800", false},
		{"golden: {extract: {regex: 'A: (.*)', drop: ','}}", `"1,800"`, "A: 1800", true},
		{"golden: {extract: {regex: '[{].*[}]'}}", `{"a":1}`, `well {"a":1,"b":2} it is`, true},
		{"golden: {extract: {regex: 'x(y)?'}}", `""`, `x`, true},
	}
	for _, test := range tests {
		subject := says(test.answer)
		subject.Golden = &eval.Golden{Value: jsonOf(t, test.golden)}
		got, err := parse(t, test.check).Score(context.Background(), subject)
		if err != nil || got.Pass != test.pass {
			t.Errorf("%s: golden %s, answer %q: pass %v (%s), %v", test.check, test.golden, test.answer, got.Pass, got.Reason, err)
		}
	}
}

// The data set's own labels are the oracle: its authors compare the text after the
// last "A: " with commas removed.
func TestGoldenAgreesWithTheLabelsOfGSM8K(t *testing.T) {
	const path = "../../../../shared/data/gsm8k/example_model_solutions.jsonl"
	file, err := os.Open(path)
	if err != nil {
		t.Skip("shared/data/gsm8k is not beside the checkout")
	}
	defer file.Close()
	models := []string{"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}
	checks := map[string]eval.Check{
		"regex":        parse(t, "golden: {extract: {regex: 'A: (.*)', drop: ','}}"),
		"final number": parse(t, "golden: {extract: final_number}"),
	}
	passes := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		var truth string
		if err := json.Unmarshal(row["ground_truth"], &truth); err != nil {
			t.Fatal(err)
		}
		golden := &eval.Golden{Value: truth[strings.LastIndex(truth, "A: ")+3:]}
		for _, model := range models {
			var answer struct {
				Correct  bool `json:"is_correct"`
				Solution string
			}
			if err := json.Unmarshal(row[model], &answer); err != nil {
				t.Fatal(err)
			}
			for name, check := range checks {
				score, err := check.Score(context.Background(), eval.Subject{Answer: answer.Solution, Golden: golden})
				if err != nil {
					t.Fatal(err)
				}
				if score.Pass != answer.Correct {
					t.Errorf("%s, %s: pass %v (%s), the label says %v: %q", model, name, score.Pass, score.Reason, answer.Correct, answer.Solution)
				}
				if score.Pass {
					passes[model+" "+name]++
				}
			}
		}
	}
	for i, want := range []int{286, 515, 458, 742} {
		for name := range checks {
			if got := passes[models[i]+" "+name]; got != want {
				t.Errorf("%s by %s: %d passes, want %d", models[i], name, got, want)
			}
		}
	}
}

func TestFinalNumber(t *testing.T) {
	tests := map[string]string{
		"": "", "none": "", "18": "18", "A: 18.": "18", "3.14 it is": "3.14", "1, 2, 3": "3", "1,2,3": "3",
		"$1,450,000": "1450000", "1234,567": "567", "it is -5": "-5", "10-5": "5", "10 - 5": "5", "(10)-5": "5",
		"x-5": "5", "minus −7 degrees": "-7", "loses -$5": "-5", "10-$5": "5", "is .5": ".5", "1.5e3 joule": "1.5e3",
		"12%": "12", "0": "0", "v1.2.3": ".3", "ends in 7e": "7", "e5": "5", "1,00": "00", "7,": "7",
	}
	for text, want := range tests {
		got, ok := finalNumber(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzFinalNumber(f *testing.F) {
	for _, seed := range []string{"-$1,234.5e6", "…−5", "e+-5", ".,e9", ".0.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := finalNumber(text)
		if ok != strings.ContainsAny(text, "0123456789") {
			t.Fatalf("found %v in %q", ok, text)
		}
		if _, is := parseDecimal(found); ok && !is && len(text) < 100 && !strings.ContainsAny(text, "eE") {
			t.Fatalf("%q of %q is no number", found, text)
		}
	})
}
