package scorer

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// standard are the inputs and the answer's fields of the standard judge prompts.
var standard = map[string]struct{ inputs, fields string }{
	"judge-rubric":            {"rubric:string answer:string question:string", "reasons score"},
	"judge-criteria":          {"criteria:array answer:string question:string", "verdicts"},
	"judge-factuality":        {"reference:string answer:string question:string", "reasons verdict"},
	"judge-faithfulness":      {"context:array answer:string question:string", "claims"},
	"judge-relevance":         {"answer:string question:string", "reasons score"},
	"judge-context_precision": {"context:array reference:string question:string", "verdicts"},
	"judge-context_recall":    {"context:array reference:string question:string", "claims"},
	"judge-preferred":         {"first:string second:string question:string", "reasons preferred"},
}

// library has the standard judge prompts; every model is there but "nobody".
func library(prompt, model string, _ fault.Place) (Judge, error) {
	is, ok := standard[prompt]
	if !ok || model == "nobody" {
		return Judge{}, fault.New(fault.Usage, "no prompt %q on %q", prompt, model)
	}
	made := Judge{
		Prompt: llm.PromptRef{Name: prompt, Version: "draft"}, Model: model, Treatment: prompt + " on " + model, Inputs: map[string]string{},
	}
	for input := range strings.FieldsSeq(is.inputs) {
		name, kind, _ := strings.Cut(input, ":")
		made.Inputs[name] = kind
		if name != question {
			made.Required = append(made.Required, name)
		}
	}
	fields := strings.Fields(is.fields)
	properties := map[string]any{}
	for _, field := range fields {
		properties[field] = true
	}
	schema, err := json.Marshal(map[string]any{"properties": properties, "required": fields})
	made.Output = llm.Output{Kind: llm.OutputJSON, Schema: schema}
	return made, err
}

func askingParser() *Parser {
	deps := playedDeps()
	deps.Judge, deps.DefaultJudge = library, func() string { return "large" }
	deps.Embedder = func(model string, _ fault.Place) (Embedder, error) {
		return Embedder{model, "vectors of " + model}, nil
	}
	return NewParser(deps)
}

func parseAsking(t testing.TB, text string) eval.Check {
	t.Helper()
	check, err := askingParser().Parse(yaml(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return check
}

// script is a model whose every answer is told by a function.
type script func(req llm.Request) (text string, err error)

func (s script) Stream(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	text, err := s(req)
	call := &llm.Call{ID: "call-1", Answered: "large-2026", Turns: []llm.Turn{{Attempts: []llm.Attempt{{Cost: llm.KnownCost(30), Paid: llm.KnownCost(20)}}}}}
	return func(yield func(llm.Event, error) bool) {
		if err == nil {
			value, _ := parseJSON(text)
			if !yield(llm.Event{Text: text}, nil) || !yield(llm.Event{End: &llm.End{Finish: llm.FinishStop, Value: value}}, nil) {
				return
			}
		}
		if yield(llm.Event{Call: call}, nil) && err != nil {
			yield(llm.Event{}, err)
		}
	}
}

// always is a judge that says the same of everything.
func always(text string) script { return func(llm.Request) (string, error) { return text, nil } }

// scripted judges as the examples of the help need it: five days are right, and who
// mentions anything else is not.
func scripted(req llm.Request) (string, error) {
	if req.Output.Kind == llm.OutputEmbedding {
		return wordVector(req.Messages[0].Text()), nil
	}
	answer, _ := req.Vars["answer"].(string)
	bad := strings.Contains(answer, "late") || strings.Contains(answer, "gift") || strings.Contains(answer, "weeks")
	good := strings.Contains(answer, "five days") && !bad
	switch req.Prompt.Name {
	case "judge-rubric", "judge-relevance":
		return fmt.Sprintf(`{"reasons": "as it is", "score": %v}`, map[bool]float64{true: 0.9, false: 0.1}[good]), nil
	case "judge-criteria":
		return fmt.Sprintf(`{"verdicts": [{"criterion": 2, "reason": "see there", "met": %v}, {"criterion": 1, "reason": "it does", "met": true}]}`, good), nil
	case "judge-factuality":
		return fmt.Sprintf(`{"reasons": "days", "verdict": %q}`, map[bool]string{true: "same", false: "contradiction"}[good]), nil
	case "judge-faithfulness", "judge-context_recall":
		return fmt.Sprintf(`{"claims": [{"claim": "five days", "reason": "[1]", "supported": true}, {"claim": "more", "reason": "nowhere", "supported": %v}]}`, !bad), nil
	case "judge-context_precision":
		return `{"verdicts": [{"passage": 1, "reason": "days", "useful": true}, {"passage": 2, "reason": "hoses", "useful": false}]}`, nil
	}
	for _, place := range []string{"first", "second"} {
		if strings.Contains(req.Vars[place].(string), "five days") {
			return fmt.Sprintf(`{"reasons": "it helps", "preferred": %q}`, place), nil
		}
	}
	return `{"reasons": "neither helps", "preferred": "tie"}`, nil
}

// wordVector counts some words.
func wordVector(text string) string {
	var raw []byte
	for _, word := range []string{"refund", "five", "days", "takes", "know", ""} {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(strings.Count(text, word)*min(1, len(word)))))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestJudgesScore(t *testing.T) {
	asked := eval.Subject{Answer: "It takes five days.", Vars: map[string]any{"message": "When?"}, Golden: &eval.Golden{Value: "Within five days."}}
	const claims = `{"claims": [{"claim": "a", "reason": "", "supported": true}, {"claim": "b", "reason": "no word of it", "supported": false}, {"claim": "c", "reason": "", "supported": true}, {"claim": "d", "reason": "", "supported": true}]}`
	tests := []struct {
		check, says string
		value       float64
		pass        bool
		reason      string // a part of it
	}{
		{`rubric: polite`, `{"reasons": "so so", "score": 0.7}`, 0.7, true, "so so"},
		{`rubric: {rubric: polite, threshold: 0.71}`, `{"reasons": "so so", "score": 0.7}`, 0.7, false, "score 0.7, want 0.71: so so"},
		{`rubric: polite`, `{"score": 0}`, 0, false, ""},
		{`criteria: [a, b]`, `{"verdicts": [{"criterion": 1, "reason": "x", "met": true}, {"criterion": 2, "reason": "y", "met": false}]}`, 0.5, false, `1 of 2 met; met: "a" (x); not met: "b" (y)`},
		{`criteria: {all: [a, b], threshold: 0.5}`, `{"verdicts": [{"criterion": 1, "met": true}, {"criterion": 2, "met": false}]}`, 0.5, true, `1 of 2 met`},
		{`factuality`, `{"verdict": "same"}`, 1, true, "same"},
		{`factuality`, `{"verdict": "superset", "reasons": "and more"}`, 0.6, true, "superset: and more"},
		{`factuality`, `{"verdict": "subset"}`, 0.4, false, "subset"},
		{`factuality: five weeks`, `{"verdict": "contradiction"}`, 0, false, "contradiction"},
		{`faithfulness: {context: [x, y]}`, claims, 0.75, false, `1 of 4 claims have no support in the context: "b" (no word of it)`},
		{`faithfulness: {context: x, threshold: 0.7}`, claims, 0.75, true, ""},
		{`faithfulness: x`, `{"claims": []}`, 1, true, "claims nothing"},
		{`context_recall: x`, claims, 0.75, false, "1 of 4 claims of the right answer are not in the context"},
		{`relevance`, `{"reasons": "yes", "score": 1}`, 1, true, "yes"},
		{`preferred: patience`, `{"preferred": "first"}`, 0.5, false, "changed with the order"},
		{`preferred: {over: patience, threshold: 0.5}`, `{"preferred": "tie"}`, 0.5, true, "a tie"},
		{`not: {rubric: rude}`, `{"reasons": "it is not", "score": 0.1}`, 1, true, ""},
		{`any_of: [{rubric: polite}, {contains: weeks}]`, `{"score": 1}`, 1, true, ""},
		{`all_of: [{contains: days}, {rubric: polite}]`, `{"score": 0.5, "reasons": "curt"}`, 0.75, false, "1 of 2 hold: rubric: score 0.5, want 0.7: curt"},
	}
	for _, test := range tests {
		subject := asked
		subject.Ask = always(test.says)
		got, err := parseAsking(t, test.check).Score(t.Context(), subject)
		if err != nil || math.Abs(got.Value-test.value) > 1e-9 || got.Pass != test.pass || !strings.Contains(got.Reason, test.reason) {
			t.Errorf("%s: %+v, %v; want %v, %v, %q", test.check, got, err, test.value, test.pass, test.reason)
		}
		if got.Asked == nil || got.Asked.Model != "large-2026" || !strings.HasPrefix(got.Asked.Prompt, "judge-") || got.Asked.Cost.Amount%30 != 0 || got.Asked.Calls[0] != "call-1" {
			t.Errorf("%s: asked %+v", test.check, got.Asked)
		}
	}
}

// The average precision of RAGAS' own documentation: useful at 1 of 2 is 1, at 2 of 2 is 0.5.
func TestContextPrecisionCountsTheOrder(t *testing.T) {
	for want, useful := range map[float64][2]bool{1: {true, false}, 0.5: {false, true}, 0: {false, false}} {
		check := parseAsking(t, `context_precision: {context: [a, b], threshold: 0}`)
		subject := eval.Subject{Answer: "x", Golden: &eval.Golden{Value: "y"}, Ask: always(fmt.Sprintf(
			`{"verdicts": [{"passage": 1, "useful": %v}, {"passage": 2, "useful": %v}]}`, useful[0], useful[1]))}
		if got, err := check.Score(t.Context(), subject); err != nil || got.Value != want {
			t.Errorf("%v: %+v, %v; want %v", useful, got, err, want)
		}
	}
}

// A win is one only where both orders agree, and the questions differ in nothing but that.
func TestPreferenceIsAskedInBothOrders(t *testing.T) {
	for _, test := range []struct {
		says  [2]string
		value float64
	}{
		{[2]string{"first", "second"}, 1}, {[2]string{"second", "first"}, 0}, {[2]string{"first", "first"}, 0.5},
		{[2]string{"second", "second"}, 0.5}, {[2]string{"first", "tie"}, 0.5}, {[2]string{"tie", "first"}, 0.5},
	} {
		var seen []map[string]any
		ask := script(func(req llm.Request) (string, error) {
			seen = append(seen, req.Vars)
			return fmt.Sprintf(`{"reasons": "r", "preferred": %q}`, test.says[len(seen)-1]), nil
		})
		got, err := parseAsking(t, "preferred: old").Score(t.Context(), eval.Subject{Answer: "new", Ask: ask, Vars: map[string]any{"a": "1", "b": "two\nlines"}})
		if err != nil || got.Value != test.value || got.Pass != (test.value == 1) || got.Asked.Eval.Calls != 2 || got.Asked.Paid != llm.KnownCost(40) {
			t.Errorf("%v: %+v, %v", test.says, got, err)
		}
		const shown = "a: 1\nb:\ntwo\nlines"
		want := []map[string]any{{"first": "new", "second": "old", "question": shown}, {"first": "old", "second": "new", "question": shown}}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
	}
}

// What a judge says that is no verdict is an error with the reason: never a score.
func TestNonsenseIsNoScore(t *testing.T) {
	for _, test := range []struct{ check, says, why string }{
		{"rubric: polite", "Sure!", "want a JSON object"},
		{"rubric: polite", `{"score": 1.5}`, "score is 1.5, and must be a number from 0 to 1"},
		{"rubric: polite", `{"score": -0.1}`, "from 0 to 1"},
		{"rubric: polite", `{"score": "high"}`, `score is "high"`},
		{"rubric: polite", `{"reasons": "none"}`, "score is null"},
		{"criteria: [a, b]", `{"verdicts": [{"criterion": 1, "met": true}]}`, "says nothing of criterion 2"},
		{"criteria: [a]", `{"verdicts": [{"criterion": 1, "met": true}, {"criterion": 1, "met": false}]}`, "of criterion 1 twice"},
		{"criteria: [a]", `{"verdicts": [{"criterion": 2, "met": true}]}`, "criterion of an item of verdicts is 2; there are 1"},
		{"criteria: [a]", `{"verdicts": [{"criterion": 1, "met": "yes"}]}`, "must be true or false"},
		{"criteria: [a]", `{"verdicts": "all"}`, "must be a list"},
		{"factuality: x", `{"verdict": "A"}`, `must be one of same, superset, subset, contradiction`},
		{"faithfulness: x", `{"claims": [{"claim": " ", "supported": true}]}`, "has no claim"},
		{"context_recall: {context: x, value: y}", `{"claims": []}`, "claims is empty"},
		{"preferred: x", `{"preferred": "third"}`, "must be one of first, second, tie"},
		{"similarity: {value: x, model: m}", "AAAA", "is no vector"},
		{"similarity: {value: x, model: m}", "AAAAAA==", "zero, or no number"},
		{"not: {rubric: rude}", "Sure!", "want a JSON object"},
		{"any_of: [{contains: nope}, {rubric: rude}]", "Sure!", "want a JSON object"},
	} {
		got, err := parseAsking(t, test.check).Score(t.Context(), eval.Subject{Answer: "yes", Ask: always(test.says)})
		if fault.ClassOf(err) != fault.Judge || !strings.Contains(err.Error(), test.why) || got.Pass || got.Check != "" {
			t.Errorf("%s on %s: %+v, %v; want an error with %q", test.check, test.says, got, err, test.why)
		}
		if got.Asked == nil || got.Asked.Paid.Amount == 0 {
			t.Errorf("%s: what was paid for nothing is not told: %+v", test.check, got.Asked)
		}
	}
}

// A judge's own length stop or refusal is not the model's under test; a transport's
// failure keeps its class.
func TestFailuresOfAJudgeAreErrors(t *testing.T) {
	for class, want := range map[fault.Class]fault.Class{
		fault.Contract: fault.Judge, fault.Length: fault.Judge, fault.ContentFilter: fault.Judge, fault.ContextLength: fault.Judge,
		fault.RateLimited: fault.RateLimited, fault.Missing: fault.Missing, fault.Canceled: fault.Canceled,
	} {
		ask := script(func(llm.Request) (string, error) { return "", fault.New(class, "it is so") })
		got, err := parseAsking(t, "rubric: polite").Score(t.Context(), eval.Subject{Answer: "yes", Ask: ask})
		if fault.ClassOf(err) != want || !strings.Contains(err.Error(), "it is so") || got.Asked == nil {
			t.Errorf("%s: %v, want class %s", class, err, want)
		}
	}
}

// Nobody is asked where there is nothing to judge.
func TestNothingToJudgeIsScoredUnasked(t *testing.T) {
	ask := script(func(llm.Request) (string, error) { t.Error("asked"); return "", nil })
	for why, s := range map[string]eval.Subject{
		"breaks its contract: not JSON": {Answer: "{", Broken: "not JSON"},
		"the answer is empty":           {Answer: " \n"},
		"there are tool calls":          {ToolCalls: []llm.ToolCall{{Name: "refund"}}},
	} {
		s.Ask = ask
		got, err := parseAsking(t, "rubric: polite").Score(t.Context(), s)
		if err != nil || got.Pass || got.Value != 0 || got.Asked != nil || !strings.Contains(got.Reason, why) {
			t.Errorf("%+v, %v; want %q", got, err, why)
		}
		for _, around := range []string{"not: {rubric: polite}", "not: {any_of: [{rubric: polite}]}"} {
			got, err := parseAsking(t, around).Score(t.Context(), s)
			if err != nil || got.Pass || got.Value != 0 || !got.Unasked {
				t.Errorf("%s: %+v, %v; nobody has said that it is not polite", around, got, err)
			}
		}
		if questions, err := eval.Questions(parseAsking(t, "rubric: polite"), s); err != nil || len(questions) != 0 {
			t.Errorf("%v, %v", questions, err)
		}
	}
	s := eval.Subject{Answer: "{}", Value: map[string]any{}, Output: llm.Output{Kind: llm.OutputJSON}, Ask: ask}
	if got, err := parseAsking(t, "rubric: {rubric: polite, extract: {path: reply}}").Score(t.Context(), s); err != nil || got.Pass || !strings.Contains(got.Reason, "no such field") {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is asked is for the case of the check, in the judges' own cache, as the first draw.
func TestQuestionsOfJudges(t *testing.T) {
	s := eval.Subject{Answer: `{"reply": "yes"}`, Value: map[string]any{"reply": "yes"}, Vars: map[string]any{"chat": []any{
		map[string]any{"role": "user", "content": "hi"}, map[string]any{"role": "assistant", "content": "hello"}}},
		Origin: llm.Origin{Run: "r", Suite: "s", Case: "c"}}
	check := parseAsking(t, `all_of: [{rubric: {rubric: polite, judge: other, extract: {path: reply}}}, {not: {preferred: no}}, {contains: x}, {similarity: {value: [a, b], model: m}}]`)
	got, err := eval.Questions(check, s)
	if err != nil || len(got) != 6 {
		t.Fatalf("%d questions, %v; want 1 + 2 + 0 + 3", len(got), err)
	}
	want := llm.Request{
		Prompt: llm.PromptRef{Name: "judge-rubric", Version: "draft"}, Model: "other", Tenant: "judge",
		Vars:   map[string]any{"rubric": "polite", "answer": "yes", "question": "user: hi\nassistant: hello"},
		Origin: llm.Origin{Run: "r", Suite: "s", Case: "c", Check: "rubric"},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if got[5].Messages[0].Text() != "b" || got[5].Origin.Check != "similarity" || got[5].Output.Kind != llm.OutputEmbedding {
		t.Errorf("%+v", got[5])
	}
}

// Another judge is another criteria hash: a spec has the judge's treatment.
func TestSpecHasTheJudge(t *testing.T) {
	specs := map[string]bool{}
	for _, text := range []string{
		"rubric: polite", "rubric: {rubric: polite, judge: other}", "rubric: {rubric: polite, prompt: judge-relevance-like}", "rubric: curt",
		"rubric: {rubric: polite, threshold: 0.5}", "rubric: {rubric: polite, extract: final_number}",
		"similarity: {value: x, model: a}", "similarity: {value: x, model: b}", "preferred: x", "preferred: y",
	} {
		p := NewParser(Deps{Embedder: askingParser().deps.Embedder, DefaultJudge: func() string { return "large" },
			Judge: func(prompt, model string, at fault.Place) (Judge, error) {
				judge, err := library(strings.Replace(prompt, "judge-relevance-like", "judge-rubric", 1), model, at)
				judge.Treatment = prompt + " on " + model
				return judge, err
			}})
		check, err := p.Parse(yaml(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if spec := string(check.Spec()); specs[spec] || check.Deterministic() {
			t.Errorf("%s: %s", text, spec)
		} else {
			specs[spec] = true
		}
	}
	if spec := string(parseAsking(t, "rubric: {rubric: polite, judge: large}").Spec()); !specs[spec] {
		t.Errorf("the suite's judge is another than the same one in the check: %s", spec)
	}
}

func TestJudgesThatAreRefused(t *testing.T) {
	tests := []struct{ check, why string }{
		{"rubric: {judge: large}", `the key "rubric" is missing`},
		{"rubric: {rubric: ' ', judge: large}", `the key "rubric" is missing`},
		{"rubric", "needs arguments"},
		{"criteria: []", `the key "all" is missing`},
		{"criteria: [a, '']", "a criterion is empty"},
		{"criteria: [" + strings.Repeat("a, ", 21) + "]", "at most 20"},
		{"faithfulness: {judge: large}", `the key "context" is missing`},
		{"faithfulness: ['']", "a passage of the context is empty"},
		{"faithfulness: {context: x, value: y}", "looks at no right answer"},
		{"relevance: x", "want a mapping"},
		{"similarity: x", "want a mapping"},
		{"similarity: {value: x}", `the key "model" is missing`},
		{"similarity: {value: {a: 1}, model: m}", "want a text"},
		{"rubric: {rubric: x, judge: nobody}", `no prompt "judge-rubric" on "nobody"`},
		{"rubric: {rubric: x, prompt: judge-none}", `no prompt "judge-none"`},
		{"rubric: {rubric: x, prompt: judge-criteria}", `it requires the input "criteria", which no judge is given`},
		{"criteria: {all: [x], prompt: judge-relevance}", `it has no input "criteria"`},
		{"relevance: {prompt: judge-criteria}", `requires the input "criteria"`},
		{"rubric: {rubric: x, judge: [a]}", "want a name"},
		{"rubric: {rubric: x, weight: 2}", "weighs nothing"},
	}
	for _, test := range tests {
		_, err := askingParser().Parse(yaml(t, test.check))
		if fault.ClassOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.why) || fault.As(err).Place.Line != 1 {
			t.Errorf("%s: %v, want a file error with %q", test.check, err, test.why)
		}
	}
	for _, text := range []string{"rubric: x", "relevance", "preferred: x"} {
		p := NewParser(Deps{Judge: library})
		if _, err := p.Parse(yaml(t, text)); err == nil || !strings.Contains(err.Error(), "does not say which model judges") || fault.As(err).Place.Line != 1 {
			t.Errorf("%s without a judge: %v", text, err)
		}
		if _, err := Parse(yaml(t, text)); err == nil || !strings.Contains(err.Error(), "which cannot be done here") {
			t.Errorf("%s where none may be asked: %v", text, err)
		}
	}
}

// A prompt that answers in another form is found before it is asked.
func TestJudgePromptsMustAnswerWhatIsRead(t *testing.T) {
	for schema, why := range map[string]string{
		`{"properties": {"grade": {}}, "required": ["grade"]}`: `do not require the field "score"`,
		`{"properties": {"score": {}}}`:                        `do not require the field "score"`,
		`[]`:                                                   "no JSON object",
		`{"properties": {"score": {}, "reasons": {}}, "required": ["score"]}`:                           `do not require the field "reasons"`,
		`{"properties": {"score": {"type": "number"}, "reasons": {}}, "required": ["score","reasons"]}`: "",
		`{"properties": {"reasons": {}, "score": {}}, "required": ["score","reasons","x"]}`:             "",
	} {
		p := NewParser(Deps{Judge: func(prompt, model string, at fault.Place) (Judge, error) {
			judge, err := library(prompt, model, at)
			judge.Output.Schema = json.RawMessage(schema)
			return judge, err
		}})
		_, err := p.Parse(yaml(t, "rubric: {rubric: x, judge: large}"))
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%s: %v, want %q", schema, err, why)
		}
	}
	text := NewParser(Deps{Judge: func(prompt, model string, at fault.Place) (Judge, error) {
		judge, err := library(prompt, model, at)
		judge.Output, judge.Inputs["answer"] = llm.Output{}, "image"
		return judge, err
	}})
	if _, err := text.Parse(yaml(t, "rubric: {rubric: x, judge: large}")); err == nil || !strings.Contains(err.Error(), `its input "answer" is of kind image`) {
		t.Error(err)
	}
}

// Who builds on the checks parses one and scores with any model.
func TestACheckOfAJudgeStandsAlone(t *testing.T) {
	node := strictyaml.FromJSON(map[string]any{"rubric": map[string]any{"rubric": "polite", "judge": "large"}}, fault.Place{File: "x"})
	check, err := askingParser().Parse(node)
	if err != nil || check.Name() != "rubric" {
		t.Fatal(err)
	}
	if !slices.Contains(Names(), check.Name()) {
		t.Error("it has no name")
	}
	if _, err := check.Score(t.Context(), eval.Subject{Answer: "yes"}); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("without a model: %v", err)
	}
}

// any_of pays no judge for what is decided without one, in whatever order they stand.
func TestAnyOfSparesTheJudge(t *testing.T) {
	ask := script(func(llm.Request) (string, error) { t.Error("asked"); return "", nil })
	for _, text := range []string{`any_of: [{rubric: polite}, {contains: five}]`, `any_of: [{contains: five}, {rubric: polite}]`} {
		got, err := parseAsking(t, text).Score(t.Context(), eval.Subject{Answer: "five", Ask: ask})
		if err != nil || !got.Pass || got.Value != 1 || got.Asked != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// What a context is worth says nothing of the answer: the golden check stays beside it.
func TestWhoHoldsTheAnswerAgainstTheGoldenOne(t *testing.T) {
	for text, judges := range map[string]bool{
		"factuality": true, "preferred": true, "similarity: {model: m}": true, "preferred: {threshold: 0}": false,
		"context_recall: x": false, "context_precision: x": false,
	} {
		needs := eval.Needs(parseAsking(t, text))
		if needs&eval.NeedGolden == 0 || needs&eval.JudgesGolden != 0 != judges {
			t.Errorf("%s: %b", text, needs)
		}
	}
	for _, text := range []string{"factuality: x", "preferred: x", "context_recall: {context: x, value: y}", "rubric: x", "faithfulness: x"} {
		if needs := eval.Needs(parseAsking(t, text)); needs != 0 {
			t.Errorf("%s: %b", text, needs)
		}
	}
}
