package scorer

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// playedDeps stand for the other rooms: the program scores friendly answers, and SQL
// begins with SELECT name, count. The real ones are tested by cli and store.
func playedDeps() Deps {
	return Deps{Programs: playedProgram{}, SQL: func(_ context.Context, text string) (string, error) {
		if strings.Contains(text, "FROM WHERE") {
			return `near "WHERE": syntax error`, nil
		}
		return "", nil
	}}
}

type playedProgram struct{ says string }

func (playedProgram) Find(Program) (map[string]string, error) {
	return map[string]string{"scorers/tone.py": "0123456789abcdef"}, nil
}

func (playedProgram) Veil(Program) func(string) string {
	return strings.NewReplacer("correct horse", "***").Replace
}

func (p playedProgram) Run(_ context.Context, _ Program, input []byte) ([]byte, error) {
	if p.says != "" {
		return []byte(p.says), nil
	}
	var given programInput
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	if strings.HasPrefix(given.Answer, "Gladly") {
		return []byte(`{"score": 0.9}`), nil
	}
	return []byte(`{"score": 0.1, "reason": "curt"}`), nil
}

// A secret is hidden wherever a program's output is printed, however JSON writes it.
func TestSecretsInVerdicts(t *testing.T) {
	for _, says := range []string{
		`{"score": 1, "reason": "it is correct horse"}`,
		`{"score": 1, "reason": "it is \u0063orrect\u0020horse"}`,
		`{"score": 1, "correct\u0020horse": 1}`,
		`{"score": "correct\u0020horse"}`,
		`{"score": 1, "pass": ["correct\u0020horse"]}`,
		`{"score": 1, "reason": {"correct horse": "correct\u0020horse"}}`,
		`["correct\u0020horse"]`,
		`{"correct\u0020horse`,
		`correct horse`,
	} {
		check, err := NewParser(Deps{Programs: playedProgram{says}}).Parse(yaml(t, "program: {command: [x]}"))
		if err != nil {
			t.Fatal(err)
		}
		score, err := check.Score(context.Background(), eval.Subject{})
		said := score.Reason
		if err != nil {
			said = err.Error()
		}
		if !strings.Contains(said, "***") || strings.Contains(said, "horse") {
			t.Errorf("%s: %s", says, said)
		}
	}
}

// A bound says nothing of what is right, so it is no part of the criteria; the content
// of the program's files is.
func TestSpecOfProgram(t *testing.T) {
	got := string(parse(t, `program: {command: [python3, scorers/tone.py], args: {b: 1, a: [x]}, env: [HOST], timeout: 3s, memory: 1GB, threshold: 0.5, metric: tone}`).Spec())
	want := `{"args":{"command":["python3","scorers/tone.py"],"args":{"a":["x"],"b":1},"env":["HOST"],"threshold":0.5,"files":{"scorers/tone.py":"0123456789abcdef"}},"check":"program","metric":"tone","version":1}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerdictsOfPrograms(t *testing.T) {
	for says, want := range map[string]eval.Score{
		`{"score": 1}`: {Value: 1, Pass: true},
		` {"score": 0.75, "reason": "nearly"} ` + "\n": {Value: 0.75, Pass: true, Reason: "nearly"},
		`{"score": 0.25, "reason": "far"}`:             {Value: 0.25, Reason: "score 0.25, want 0.7: far"},
		`{"score": 0.25, "pass": true}`:                {Value: 0.25, Pass: true},
		`{"score": 1, "pass": false, "reason": "no"}`:  {Value: 1, Reason: "no"},
		`{"score": 0, "pass": null}`:                   {},
		`{"score": 2.0}`:                               {},
		`{"score": -0.1}`:                              {},
		`{"score": "1"}`:                               {},
		`{"score": NaN}`:                               {},
		`{"score": 1e999}`:                             {},
		`{"pass": true}`:                               {},
		`{"score": 1, "score": 0}`:                     {},
		`{"score": 1} {"score": 1}`:                    {},
		`{"score": 1, "reason": 3}`:                    {},
		`[1]`:                                          {},
		`true`:                                         {},
	} {
		check, err := NewParser(Deps{Programs: playedProgram{says}}).Parse(yaml(t, "program: {command: [x], threshold: 0.7}"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := check.Score(context.Background(), eval.Subject{})
		if isError := want == (eval.Score{}); isError != (err != nil) {
			t.Errorf("%s: %+v, %v", says, got, err)
			continue
		}
		if want.Check = "program"; err == nil && got != want {
			t.Errorf("%s: %+v, want %+v", says, got, want)
		}
	}
}

func TestProgramsAreRefusedWhereNobodyRunsThem(t *testing.T) {
	if _, err := Parse(yaml(t, "program: {command: [x]}")); err == nil || !strings.Contains(err.Error(), "cannot stand here") {
		t.Error(err)
	}
	if _, err := Parse(yaml(t, "is_sql")); err == nil || !strings.Contains(err.Error(), "cannot stand here") {
		t.Error(err)
	}
}

func TestLabelsAndTheirClasses(t *testing.T) {
	path := llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"properties": {"team": {"properties": {"name": {"enum": ["a", "b", 3]}}}}}`)}
	for _, test := range []struct {
		check   string
		output  llm.Output
		metric  string
		classes string
	}{
		{"label", llm.Output{}, "label", ""},
		{"label", llm.Output{Enum: []string{"yes", "no"}}, "label", "yes no"},
		{"label: {path: team.name, metric: team}", path, "team", "a b 3"},
		{"label: {path: team, metric: team}", path, "team", ""},
		{"label: {classes: [x, y]}", llm.Output{Enum: []string{"yes", "no"}}, "label", "x y"},
	} {
		labels, ok := eval.LabelsOf(parse(t, test.check), test.output)
		if !ok || labels.Metric != test.metric || strings.Join(labels.Classes, " ") != test.classes {
			t.Errorf("%s: %+v, %v", test.check, labels, ok)
		}
	}
	golden := &eval.Golden{Value: map[string]any{"label": "bug"}}
	for answer, want := range map[string]eval.Score{
		`{"label": " bug "}`:   {Value: 1, Pass: true, Got: "bug"},
		`{"label": "billing"}`: {Got: "billing", Reason: `want bug, got "billing"`},
		`{"label": null}`:      {Reason: "want bug, got no label: not one word or number, but null"},
		`{"urgency": 1}`:       {Reason: `want bug, got no label: label: no such field in {"urgency":1}`},
		`bug`:                  {Reason: `want bug, got no label: the answer is not JSON: "bug"`},
	} {
		got, err := parse(t, "label: {path: label}").Score(context.Background(), eval.Subject{Answer: answer, Golden: golden})
		want.Check, want.Metric, want.Want = "label", "label_accuracy", "bug"
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v\nwant %+v", answer, got, err, want)
		}
	}
	broken, err := parse(t, "label: {path: label}").Score(context.Background(), eval.Subject{Answer: `{"label": "bug"`, Broken: "cut", Golden: golden})
	if err != nil || broken.Got != "" || broken.Pass {
		t.Errorf("%+v, %v", broken, err)
	}
}
