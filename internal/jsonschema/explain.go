package jsonschema

import (
	"errors"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxExplained bounds the violations that the judge tells.
const maxExplained = 1000

// explainer tells what the judge has refused, as flatten does of a library's errors.
type explainer struct {
	judge      *judge
	told       map[visit]bool
	violations []Violation
}

func (e *explainer) tell(all ...Violation) { e.violations = append(e.violations, all...) }

func (e *explainer) refused(r *rule, p *place) bool { return e.judge.at(r, p).verdict == refuses }

// explain tells why a rule refuses a value, once, and nothing where it does not.
func (e *explainer) explain(r *rule, p *place) {
	key := visit{r, p}
	if e.told[key] || len(e.violations) >= maxExplained || !e.refused(r, p) {
		return
	}
	e.told[key] = true
	if failed, ok := errors.AsType[*jsonschema.ValidationError](r.own.Validate(p.value)); ok {
		for _, v := range flatten(failed, p.value) {
			v.Pointer = p.pointer + v.Pointer
			e.tell(v)
		}
		return
	}
	for _, one := range r.claims(p) {
		if one.name != "" && e.refused(one.rule, one.at) {
			e.tell(badName(p.pointer, one.name))
			continue
		}
		e.explain(one.rule, one.at)
	}
	e.alternatives(r, p)
	if e.judge.contained(r, p).verdict == refuses {
		e.tell(noneContained(p.pointer, p.value))
	}
}

func (e *explainer) alternatives(r *rule, p *place) {
	if len(r.anyOf) > 0 {
		if accepted, open, _ := e.judge.poll(r.anyOf, p); accepted+open == 0 {
			e.tell(noBranch(p.pointer, "anyOf", len(r.anyOf), p.value))
			e.nearest(r.anyOf, p)
		}
	}
	if len(r.oneOf) > 0 {
		switch accepted, open, _ := e.judge.poll(r.oneOf, p); {
		case accepted > 1:
			e.tell(manyBranches(p.pointer, p.value))
		case accepted+open == 0:
			e.tell(noBranch(p.pointer, "oneOf", len(r.oneOf), p.value))
			e.nearest(r.oneOf, p)
		}
	}
	if r.not != nil && e.judge.at(r.not, p).verdict == accepts {
		e.tell(Violation{Pointer: p.pointer, Keyword: "not", Expected: "a value that the schema under not refuses", Got: show(p.value)})
	}
	if r.cond != nil {
		branch := r.then
		if e.refused(r.cond, p) {
			branch = r.otherwise
		}
		if branch != nil {
			e.explain(branch, p)
		}
	}
}

// nearest explains the branch that came furthest, the first of several.
func (e *explainer) nearest(branches []*rule, p *place) {
	best := branches[0]
	for _, branch := range branches[1:] {
		if e.judge.at(branch, p).nearer(e.judge.at(best, p)) {
			best = branch
		}
	}
	e.explain(best, p)
}
