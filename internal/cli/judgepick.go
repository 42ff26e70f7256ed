package cli

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// calibrated is the check that is calibrated, with the cases that have it.
type calibrated struct {
	name   string // its metric, or its name
	check  eval.Check
	cases  map[string]*eval.Case
	inputs []string                // of the prompt
	own    map[string]eval.Check   // the check as each case has it; of a conversation, at the first turn that has it
	golden map[string]*eval.Golden // what it compares with there
}

// comparedWith is the golden answer that a check of a case compares with: of a conversation
// its turn's.
func comparedWith(c *eval.Case, check eval.Check) *eval.Golden {
	for i := range c.Turns {
		if slices.Contains(c.Turns[i].Checks, check) {
			return c.Turns[i].Golden
		}
	}
	return c.Golden
}

// findJudge picks a check by its metric or name.
func findJudge(one *loaded, name string) (*calibrated, error) {
	j := &calibrated{inputs: inputNames(one.prompt), cases: map[string]*eval.Case{}, own: map[string]eval.Check{}, golden: map[string]*eval.Golden{}}
	var known, chosen []string
	checks := map[string]eval.Check{}
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		j.cases[c.ID] = &c
		for check := range c.AllChecks() {
			called := check.Metric()
			if called == "" || check.Name() == name {
				called = check.Name()
			}
			if !slices.Contains(known, called) {
				known = append(known, called)
				checks[called] = check
				if !check.Deterministic() || check.Name() == "program" {
					chosen = append(chosen, called)
				}
			}
			if called == name && j.own[c.ID] == nil {
				j.own[c.ID] = check
				j.golden[c.ID] = comparedWith(&c, check)
			}
		}
	}
	switch {
	case name == "" && len(chosen) == 1:
		return findJudge(one, chosen[0])
	case name == "":
		return nil, fault.New(fault.Usage, "--metric is missing: which check of %s is calibrated?", one.Name).WithHint("%s", fault.Allowed("", known))
	case checks[name] == nil:
		return nil, fault.New(fault.Usage, "no check of %s has the metric or the name %q", one.Name, name).WithHint("%s", fault.Allowed(name, known))
	case checks[name].Operational():
		return nil, fault.New(fault.Usage, "%s bounds cost or time: nothing that people could say of an answer", name)
	}
	j.name, j.check = name, checks[name]
	return j, nil
}

func inputNames(p *prompt.Prompt) []string {
	names := make([]string, len(p.Inputs))
	for i, input := range p.Inputs {
		names[i] = input.Name
	}
	return names
}
