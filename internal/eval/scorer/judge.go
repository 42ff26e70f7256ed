package scorer

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Judge is who judges: a prompt of the project on a model.
type Judge struct {
	Prompt    llm.PromptRef
	Model     string // alias of a model, or a route
	Treatment string // its hash: another judge makes other criteria

	Inputs   map[string]string // the prompt's inputs and their kinds
	Required []string          // … those that it cannot do without
	Output   llm.Output
}

// judgeArgs are what every check that asks a judge may have.
type judgeArgs struct {
	Judge   strictyaml.Node `yaml:"judge" json:"-"`
	Prompt  strictyaml.Node `yaml:"prompt" json:"-"`
	Extract *extraction     `yaml:"extract" json:"extract,omitempty"`
	options `yaml:",inline" json:"-"`

	By string `json:"judge"` // its treatment

	who Judge
}

// judgement is what a kind of check gives a judge, and needs of it.
type judgement struct {
	check  string
	gives  map[string]string // inputs and their kinds; question is given besides
	needs  []string          // … those without which the prompt cannot judge
	fields []string          // of its answer
}

// standardPrompt is the judge prompt of a check that names none.
func (j judgement) standardPrompt() string { return "judge-" + j.check }

// find finds the judge of a check at n, and refuses a prompt that cannot be one.
func (a *judgeArgs) find(p *Parser, n strictyaml.Node, place fault.Place, j judgement) error {
	if p.deps.Judge == nil {
		return fault.At(place, "%s asks a model, which cannot be done here", j.check).
			WithHint("a check of a suite may; a cascade takes those that look at the answer alone")
	}
	model, at, err := nameOr(a.Judge, place, p.deps.defaultJudge())
	if err != nil {
		return err
	}
	if model == "" {
		return fault.At(place, "%s does not say which model judges", j.check).
			WithHint("write {%s: {…, judge: MODEL}}, or judge: MODEL at the top of the suite for all of its checks", j.check)
	}
	prompt, promptAt, err := nameOr(a.Prompt, place, j.standardPrompt())
	if err != nil {
		return err
	}
	if a.Prompt.Exists() && !a.Judge.Exists() {
		at = promptAt
	}
	who, err := p.deps.Judge(prompt, model, at)
	if err != nil {
		return placed(err, at)
	}
	if err := j.fits(who); err != nil {
		return placed(err, promptAt)
	}
	a.who, a.By = who, who.Treatment
	return nil
}

func (d *Deps) defaultJudge() string {
	if d.DefaultJudge == nil {
		return ""
	}
	return d.DefaultJudge()
}

// nameOr reads a name, or takes the one that holds where none is written.
func nameOr(n strictyaml.Node, place fault.Place, otherwise string) (string, fault.Place, error) {
	if !n.Exists() {
		return otherwise, place, nil
	}
	if n.Kind() != strictyaml.String || n.Text() == "" {
		return "", n.Place(), n.Mismatch("a name")
	}
	return n.Text(), n.Place(), nil
}

// placed puts an error without a place at one.
func placed(err error, place fault.Place) error {
	var problems fault.List
	problems.Add(err)
	for i, problem := range problems {
		if problem.Place == (fault.Place{}) {
			moved := *problem
			moved.Place, moved.Class = place, fault.Invalid
			problems[i] = &moved
		}
	}
	return problems.Err()
}

// fits refuses a prompt that is not given what it wants, is not told what it has to
// judge, or does not answer with what the check reads.
func (j judgement) fits(who Judge) error {
	known := append([]string{question}, sortedKeys(j.gives)...)
	for _, name := range who.Required {
		if !slices.Contains(known, name) {
			return fault.New(fault.Invalid, "the prompt %s cannot judge for %s: it requires the input %q, which no judge is given", who.Prompt, j.check, name).
				WithHint("a judge of %s is given %s", j.check, strings.Join(known, ", "))
		}
	}
	for _, name := range j.needs {
		if who.Inputs[name] == "" {
			return fault.New(fault.Invalid, "the prompt %s cannot judge for %s: it has no input %q", who.Prompt, j.check, name).
				WithHint("a judge prompt declares what it is given: %s: {kind: %s, required: true}", name, j.gives[name])
		}
	}
	for _, name := range known {
		want := j.gives[name]
		if name == question && want == "" {
			want = "string"
		}
		if kind := who.Inputs[name]; kind != "" && kind != want {
			return fault.New(fault.Invalid, "the prompt %s cannot judge for %s: its input %q is of kind %s", who.Prompt, j.check, name, kind).
				WithHint("%s gives it as kind: %s", j.check, want)
		}
	}
	return j.answers(who)
}

// answers refuses a prompt whose output contract does not promise the fields that
// the check reads.
func (j judgement) answers(who Judge) error {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	if who.Output.Kind != llm.OutputJSON || json.Unmarshal(who.Output.Schema, &schema) != nil {
		return fault.New(fault.Invalid, "the prompt %s cannot judge for %s: its outputs are no JSON object with a schema", who.Prompt, j.check).
			WithHint("its outputs require the fields: %s; llmx help checks says more", strings.Join(j.fields, ", "))
	}
	for _, name := range j.fields {
		if schema.Properties[name] == nil || !slices.Contains(schema.Required, name) {
			return fault.New(fault.Invalid, "the prompt %s cannot judge for %s: its outputs do not require the field %q", who.Prompt, j.check, name).
				WithHint("llmx help checks says what a judge of %s answers", j.check)
		}
	}
	return nil
}

// question is the name of the input that shows a judge what was asked.
const question = "question"

// ask makes the request of a judge; inputs that the prompt does not have are left out.
func (a *judgeArgs) ask(s *eval.Subject, inputs map[string]any) llm.Request {
	vars := map[string]any{}
	inputs[question] = inputsText(s.Vars)
	for name, value := range inputs {
		if a.who.Inputs[name] != "" {
			vars[name] = value
		}
	}
	return llm.Request{Prompt: a.who.Prompt, Model: a.who.Model, Vars: vars}
}
