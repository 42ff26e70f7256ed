package sim

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// sameForEver are the answers of TestAnswersAreTheSameForEver.
var sameForEver = []string{
	`{"label":"bug","urgency":3}`,
	`{"label":"bug","urgency":4}`,
	"{\"label\":\"account\",\"urgency\":1}\n\nLet me know if you need anything else!",
	`{"label":"billing","urgency":1}`,
	"rate_limited",
	"network",
	`{"label":"account","urgency":3}`,
	`{"label":"bug","urgency":4}`,
	"network",
	`{"label":"account","urgency":2}`,
	"rate_limited",
	"```json\n{\"label\":\"bug\",\"urgency\":4}\n```",
}

func decode(t testing.TB, text string) any {
	t.Helper()
	value, err := decoded(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

func decoded(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("text after the value")
	}
	return value, nil
}

// schemaCase is a schema, and a golden that is valid under it as far as it goes.
type schemaCase struct {
	Schema json.RawMessage `json:"schema"`
	Golden json.RawMessage `json:"golden"`
	// NoOther is set where the schema leaves no valid wrong answer.
	NoOther bool `json:"no_other"`
}

func schemaCases(t *testing.T) map[string]schemaCase {
	data, err := os.ReadFile(filepath.Join("testdata", "schemas.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]schemaCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// subset reports whether value holds the golden: objects as a subset, all else exactly.
func subset(golden, value any) bool {
	switch golden := golden.(type) {
	case map[string]any:
		object, ok := value.(map[string]any)
		for name, item := range golden {
			got, there := object[name]
			if !there || !subset(item, got) {
				return false
			}
		}
		return ok
	case []any:
		items, ok := value.([]any)
		if !ok || len(items) != len(golden) {
			return false
		}
		for i := range golden {
			if !subset(golden[i], items[i]) {
				return false
			}
		}
		return true
	}
	return same(golden, value)
}

func TestJSONAnswers(t *testing.T) {
	for name, c := range schemaCases(t) {
		t.Run(name, func(t *testing.T) {
			schema, err := jsonschema.Compile(c.Schema)
			if err != nil {
				t.Fatal(err)
			}
			golden := decode(t, string(c.Golden))
			for i := range 40 {
				req := ask(fmt.Sprintf("%s %d", name, i))
				req.Output = llm.Output{Kind: llm.OutputJSON, Schema: c.Schema}

				bare := collect(t, New(Options{Model: "small"}), req).Text
				if violations := schema.Validate(decode(t, bare)); violations != nil {
					t.Errorf("without a hint: %s breaks the schema: %v", bare, violations)
				}

				req.Hint = golden
				right := collect(t, New(Options{Model: "small"}), req).Text
				if violations := schema.Validate(decode(t, right)); violations != nil {
					t.Errorf("right: %s breaks the schema: %v", right, violations)
				}
				if !subset(golden, decode(t, right)) {
					t.Errorf("right: %s does not hold the golden %s", right, c.Golden)
				}

				wrong := collect(t, New(Options{Model: "small", Accuracy: ptr(0)}), req).Text
				if violations := schema.Validate(decode(t, wrong)); (violations != nil) != c.NoOther {
					t.Errorf("wrong: %s: violations %v, want some: %v", wrong, violations, c.NoOther)
				}
				if subset(golden, decode(t, wrong)) {
					t.Errorf("wrong: %s holds the golden %s", wrong, c.Golden)
				}
			}
			if after := decode(t, string(c.Golden)); !same(after, golden) {
				t.Error("the golden was changed")
			}
		})
	}
}

func TestMalformedAnswers(t *testing.T) {
	c := schemaCases(t)["ticket"]
	schema, err := jsonschema.Compile(c.Schema)
	if err != nil {
		t.Fatal(err)
	}
	model := New(Options{Model: "small", Malformed: 1})
	ways := map[string]int{}
	for i := range 400 {
		req := ask(fmt.Sprint(i))
		req.Output = llm.Output{Kind: llm.OutputJSON, Schema: c.Schema}
		req.Hint = decode(t, string(c.Golden))
		text := collect(t, model, req).Text
		value, err := decoded(text)
		switch {
		case err == nil && schema.Validate(value) == nil:
			t.Fatalf("%s is well-formed", text)
		case err == nil:
			ways["a field is missing"]++
		case strings.HasPrefix(text, "```"):
			ways["a code fence"]++
		case strings.HasSuffix(text, "!"):
			ways["talk"]++
		case !strings.HasSuffix(text, "}"):
			ways["a cut brace"]++
		}
		number := req
		number.Hint, number.Output = json.Number("7"), llm.Output{Kind: llm.OutputNumber}
		if text := collect(t, model, number).Text; json.Valid([]byte(text)) {
			t.Errorf("%q is a number", text)
		}
		plain := req
		plain.Hint, plain.Output = "any text", llm.Output{}
		if text := collect(t, model, plain).Text; text != "any text" {
			t.Errorf("text has no form to break, got %q", text)
		}
	}
	if len(ways) != 4 {
		t.Errorf("ways to break an answer: %v, want 4", ways)
	}
	for way, count := range ways {
		if count < 60 {
			t.Errorf("%s: %d of 400, want about 100", way, count)
		}
	}
}

func TestTextAndNumberAnswers(t *testing.T) {
	tests := []struct {
		kind  llm.OutputKind
		hint  any
		right string
		form  func(wrong string) bool
	}{
		{llm.OutputText, "Paris", "Paris", nil},
		{llm.OutputText, "the quick brown fox", "the quick brown fox", nil},
		{llm.OutputText, "yes", "yes", func(w string) bool { return w == "no" }},
		{llm.OutputText, "unknown", "unknown", nil},
		{llm.OutputText, "", "", nil},
		{llm.OutputText, true, "true", func(w string) bool { return w == "false" }},
		{llm.OutputText, "18", "18", isNumber},
		{llm.OutputText, json.Number("18"), "18", isNumber},
		{llm.OutputText, map[string]any{"a": "<b>"}, `{"a":"<b>"}`, nil},
		{llm.OutputNumber, json.Number("18"), "18", isNumber},
		{llm.OutputNumber, json.Number("0"), "0", isNumber},
		{llm.OutputNumber, json.Number("3.50"), "3.50", isNumber},
		{llm.OutputNumber, json.Number("-7"), "-7", isNumber},
		{llm.OutputNumber, json.Number("12345678901234567890"), "12345678901234567890", isNumber},
		{llm.OutputNumber, "1,234", "1,234", isNumber},
		{llm.OutputNumber, json.Number("1e3"), "1e3", isNumber},
	}
	for _, test := range tests {
		for i := range 50 {
			req := ask(fmt.Sprint(i))
			req.Output.Kind, req.Hint = test.kind, test.hint
			if got := collect(t, New(Options{Model: "small"}), req).Text; got != test.right {
				t.Errorf("right answer to %v as %s = %q, want %q", test.hint, test.kind, got, test.right)
			}
			wrong := collect(t, New(Options{Model: "small", Accuracy: ptr(0)}), req).Text
			if strings.EqualFold(strings.TrimSpace(wrong), test.right) || wrong == "" {
				t.Errorf("wrong answer to %v as %s = %q", test.hint, test.kind, wrong)
			}
			if isNumber(wrong) && isNumber(test.right) && same(json.Number(wrong), json.Number(test.right)) {
				t.Errorf("wrong answer to %v has its value: %q", test.hint, wrong)
			}
			if test.form != nil && !test.form(wrong) {
				t.Errorf("wrong answer to %v has another form: %q", test.hint, wrong)
			}
		}
	}
}

// Every kind of output has answers, right and wrong, that a reader of its kind takes.
func TestKindsOfOutput(t *testing.T) {
	labels := llm.Output{Kind: llm.OutputLabel, Enum: []string{"billing", "bug"}}
	tests := []struct {
		output       llm.Output
		hint         any
		right, wrong string
	}{
		{labels, "bug", "bug", "billing"},
		{llm.Output{Kind: llm.OutputBoolean}, true, "true", "false"},
		{llm.Output{Kind: llm.OutputList, Items: "number"}, []any{json.Number("1"), json.Number("2.50")}, "[1,2.50]", ""},
		{llm.Output{Kind: llm.OutputCode, Language: "go"}, "x := 1", "```go\nx := 1\n```", ""},
		{llm.Output{Kind: llm.OutputRegex, Pattern: "(?P<a>.)"}, "x", "x", ""},
	}
	for _, test := range tests {
		req := ask("x")
		req.Output, req.Hint = test.output, test.hint
		if got := collect(t, New(Options{Model: "small"}), req).Text; got != test.right {
			t.Errorf("right answer as %s = %q, want %q", test.output.Kind, got, test.right)
		}
		wrong := collect(t, New(Options{Model: "small", Accuracy: ptr(0)}), req).Text
		if wrong == test.right || test.wrong != "" && wrong != test.wrong {
			t.Errorf("wrong answer as %s = %q, want %q", test.output.Kind, wrong, test.wrong)
		}
		if malformed := collect(t, New(Options{Model: "small", Malformed: 1}), req).Text; malformed == test.right && test.output.Kind != llm.OutputRegex {
			t.Errorf("malformed answer as %s = %q", test.output.Kind, malformed)
		}
	}
	req := ask("x")
	req.Output = labels
	if got := collect(t, New(Options{Model: "small"}), req).Text; !slices.Contains(labels.Enum, got) {
		t.Errorf("without a hint the label is %q", got)
	}
}

func isNumber(text string) bool {
	var n json.Number
	return json.Unmarshal([]byte(text), &n) == nil && text[0] != '"'
}

func TestWithoutAHint(t *testing.T) {
	model := New(Options{Model: "small", Accuracy: ptr(0)})
	distinct := map[string]bool{}
	for i := range 30 {
		req := ask(fmt.Sprint(i))
		text := collect(t, model, req).Text
		if text == "" || len(text) > 80 {
			t.Errorf("text = %q, want something short", text)
		}
		distinct[text] = true
		req.Output.Kind = llm.OutputNumber
		if text := collect(t, model, req).Text; !isNumber(text) {
			t.Errorf("number = %q", text)
		}
	}
	if len(distinct) < 3 {
		t.Errorf("all asks get the same answer: %v", distinct)
	}
}

// No schema, however odd, stops the simulator.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"$ref":"#"}`), []byte(`{"a":1}`))
	f.Add([]byte(`{"allOf":[{"$ref":"#/allOf/0"}]}`), []byte(`null`))
	f.Add([]byte(`{"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}}`), []byte(`{}`))
	f.Add([]byte(`{"pattern":"(a{9}){9}","minLength":1e300,"enum":[]}`), []byte(`"x"`))
	f.Add([]byte(`{"type":"array","minItems":1e18,"maxItems":-3,"items":[true]}`), []byte(`[]`))
	f.Add([]byte(`{"type":"integer","multipleOf":1e-320,"minimum":1e308}`), []byte(`7`))
	f.Fuzz(func(t *testing.T, schema, hint []byte) {
		for _, accuracy := range []float64{0, 1} {
			req := ask("x")
			req.Output = llm.Output{Kind: llm.OutputJSON, Schema: schema}
			req.Hint, _ = decoded(string(hint))
			response, err := llm.Collect(New(Options{Model: "small", Accuracy: &accuracy}).Stream(t.Context(), req))
			if err == nil && !json.Valid([]byte(response.Text)) {
				t.Errorf("%q is not JSON", response.Text)
			}
		}
	})
}

// A simulated model's confidence tells right answers from wrong ones, mostly.
func TestConfidenceIsHighWhereTheAnswerIsRight(t *testing.T) {
	accuracy := 0.5
	model := New(Options{Model: "m", Accuracy: &accuracy, Confidence: "sure"})
	schema := `{"type":"object","properties":{"label":{"enum":["a","b","c"]},"sure":{"type":"number"}},"required":["label","sure"]}`
	high := map[bool]int{}
	count := map[bool]int{}
	for i := range 1000 {
		response, err := llm.Collect(model.Stream(t.Context(), llm.Request{
			Messages: []llm.Message{llm.Text(llm.User, fmt.Sprint(i))}, Hint: map[string]any{"label": "a"},
			Output: llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(schema)},
		}))
		if err != nil {
			t.Fatal(err)
		}
		object := decode(t, response.Text).(map[string]any)
		sure, err := object["sure"].(json.Number).Float64()
		if err != nil || sure < 0.2 || sure >= 1 {
			t.Fatalf("sure %v in %s", sure, response.Text)
		}
		right := object["label"] == "a"
		count[right]++
		if sure >= 0.7 {
			high[right]++
		}
	}
	right, wrong := float64(high[true])/float64(count[true]), float64(high[false])/float64(count[false])
	if right < 0.85 || right > 0.95 || wrong < 0.05 || wrong > 0.15 {
		t.Errorf("sure of %.2f of the right answers and %.2f of the wrong ones, want about 0.9 and 0.1", right, wrong)
	}
}
