package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/store"
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

// parseRate reads 0.83/200 or 166/200; n is 0 for none.
func parseRate(text string) (rate float64, n int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	share, of, _ := strings.Cut(text, "/")
	n, err = strconv.Atoi(of)
	rate, bad := strconv.ParseFloat(share, 64)
	if err == nil && bad == nil && rate > 1 && rate == float64(int(rate)) && n > 0 {
		rate /= float64(n)
	}
	if err != nil || bad != nil || n < 1 || !(rate >= 0 && rate <= 1) {
		return 0, 0, fault.New(fault.Usage, "--rate %s is no rate", text).WithHint("write the share of passes and the number of answers, 0.83/200, or both counts, 166/200")
	}
	return rate, n, nil
}

// rateOf is the share of a run's answers that a check passed.
func (p *project) rateOf(ctx context.Context, run, suite, name string) (rate float64, n int, err error) {
	if run == "last" {
		run = store.LatestComplete
	}
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	found, err := s.Run(ctx, run)
	if err != nil {
		return 0, 0, err
	}
	passes := 0
	for result, err := range s.Results(ctx, found.ID, store.ResultFilter{Suite: suite}) {
		if err != nil {
			return 0, 0, err
		}
		for _, score := range result.Scores {
			if result.Status.Judged() && (score.Metric == name || score.Check == name) {
				n++
				if score.Pass {
					passes++
				}
				break
			}
		}
	}
	if n == 0 {
		return 0, 0, fault.New(fault.Usage, "the run %s has no score of %s in the suite %s", found.ID, name, suite).WithHint("llmx runs lists the runs")
	}
	return float64(passes) / float64(n), n, nil
}
