package suite

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// build makes a case of its source: the inputs fit the prompt, the checks that
// apply to it are there, and the hashes are made. Of a case with problems the
// id and the place are given all the same.
func (p *plan) build(s *source, own []expectation) (eval.Case, error) {
	c := eval.Case{
		Suite: p.suite, ID: s.id, Tags: s.tags, Vars: s.vars, Meta: s.meta, Repeats: s.repeats, Cluster: s.cluster, Place: s.place,
	}
	if s.golden != nil && len(s.turns) == 0 {
		c.Golden = &eval.Golden{Value: *s.golden, Exact: s.exact}
	}
	if c.Vars == nil {
		c.Vars = map[string]any{}
	}
	var problems fault.List
	problems.Add(checkID(s.id))
	problems.Add(checkTags(s.tags))
	begun := p.expandThreads(&c, &problems)
	if len(s.turns) > 0 {
		p.addTurns(&c, s, own, begun, &problems)
	} else {
		if p.prompt.CheckVars != nil {
			problems.Add(p.prompt.CheckVars(c.Vars))
		}
		p.addChecks(&c, own, &problems)
	}
	if len(problems) == 0 {
		problems.Add(p.addHashes(&c))
	}
	if len(problems) == 0 {
		return c, nil
	}
	return c, at(s.place, problems)
}

const maxID = 200

func checkID(id string) error {
	const hint = "every case has an id of its own, which stays when the case moves"
	switch {
	case id == "":
		return fault.New(fault.Invalid, "the case has no id").WithHint(hint)
	case len(id) > maxID:
		return fault.New(fault.Invalid, "the case id has %d bytes, at most %d are allowed", len(id), maxID)
	case strings.TrimSpace(id) != id, strings.ContainsFunc(id, unicode.IsControl):
		return fault.New(fault.Invalid, "the case id %s has white space around it, or control characters", strconv.Quote(id))
	}
	return nil
}

func checkTags(tags []string) error {
	for i, tag := range tags {
		if tag == "" || strings.TrimSpace(tag) != tag || strings.ContainsAny(tag, ",;") || strings.ContainsFunc(tag, unicode.IsControl) {
			return fault.New(fault.Invalid, "the tag %s is empty, or has a comma, a semicolon, control characters or white space around it", strconv.Quote(tag))
		}
		if slices.Contains(tags[:i], tag) {
			return fault.New(fault.Invalid, "the tag %q is given twice", tag)
		}
	}
	return nil
}

// addChecks gives a case its checks, and refuses one without any.
func (p *plan) addChecks(c *eval.Case, own []expectation, problems *fault.List) {
	mine, failed := p.checks(c, own, problems)
	suites, alsoFailed := p.checks(c, p.expect, problems)
	c.Checks = p.effective(c, mine, suites, problems)
	if len(c.Checks) == 0 && !failed && !alsoFailed && !p.partial {
		problems.Add(nothingChecked(c.ID, "add golden: or expect: to it, or expect: to the suite"))
	}
}

func nothingChecked(id, hint string) error {
	return fault.New(fault.Invalid, "the case %s has no check: nothing could tell a wrong answer", strconv.Quote(id)).WithHint("%s", hint)
}

// effective puts the checks of an answer in order: how the golden answer is compared,
// where nobody says so; then the suite's, then its own. A check that compares
// with the golden answer (golden, token_f1 without a value, …) replaces the one that
// is not written, and its own replace the suite's; one that only measures, with
// threshold: 0, stands beside them. The suite's say how to compare where there is a
// golden answer, and else nothing.
func (p *plan) effective(c *eval.Case, mine, suites []eval.Check, problems *fault.List) []eval.Check {
	var checks []eval.Check
	switch {
	case c.Golden == nil:
		if i := slices.IndexFunc(mine, usesGolden); i >= 0 {
			problems.Add(fault.At(c.Place, "the check %s needs a golden answer", mine[i].Name()).WithHint("add golden: to the case, or take the check out"))
		}
		suites = slices.DeleteFunc(suites, usesGolden)
	case slices.ContainsFunc(mine, judgesGolden):
		suites = slices.DeleteFunc(suites, judgesGolden)
	case !slices.ContainsFunc(suites, judgesGolden):
		checks = append(checks, p.deps.GoldenCheck)
	}
	checks = append(append(checks, suites...), mine...)
	if c.Golden != nil {
		for _, check := range checks {
			problems.Add(misfit(check, *c.Golden))
		}
	}
	return checks
}

func (p *plan) checks(c *eval.Case, list []expectation, problems *fault.List) (checks []eval.Check, failed bool) {
	if len(list) == 0 {
		return nil, false
	}
	checks = make([]eval.Check, 0, len(list)+1)
	for _, e := range list {
		check, err := p.check(e, c)
		if err != nil {
			problems.Add(err)
			failed = true
			continue
		}
		checks = append(checks, check)
	}
	return checks, failed
}

// usesGolden tells a check that compares with the golden answer, plain or within
// others.
func usesGolden(check eval.Check) bool { return eval.Needs(check)&eval.NeedGolden != 0 }

// judgesGolden tells one of these that can fail by the golden answer.
func judgesGolden(check eval.Check) bool { return eval.Needs(check)&eval.JudgesGolden != 0 }

// misfit is the error of a golden answer that a check cannot compare with.
func misfit(check eval.Check, golden eval.Golden) error {
	err := eval.FitsGolden(check, golden)
	if err == nil {
		return nil
	}
	e := fault.As(err)
	return fault.New(fault.Invalid, "the check %s cannot use the golden answer: %s", check.Name(), e.Message).WithHint("%s", e.Hint)
}
