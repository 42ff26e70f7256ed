package jsonschema

import "strconv"

// verdict is whether a value is valid under a rule. Unsure is what the judge does not
// decide: keywords that depend on what other keywords have seen, or on the way here.
type verdict int8

const (
	refuses verdict = iota + 1
	unsure
	accepts
)

// found is what the judge knows of a rule at a place.
type found struct {
	verdict verdict
	reach   int // how deep the deepest place stands that is refused
	wrong   int // how many violations it has, about
}

// nearer reports whether a refused value came further than another: flatten has the same
// order.
func (f found) nearer(than found) bool {
	return f.reach > than.reach || f.reach == than.reach && f.wrong < than.wrong
}

// judge decides by rules, each at each place once, where a library would go the same way
// again and again.
type judge struct {
	known    map[visit]found
	steps    int
	maxSteps int
}

func newJudge(places int) *judge {
	return &judge{known: map[visit]found{}, maxSteps: maxSteps + perPlace*places}
}

// judged lists what a value does wrong that no library can be given.
func judged(r *rule, root *place) []Violation {
	j := newJudge(root.size)
	switch result := j.at(r, root); {
	case j.steps > j.maxSteps, result.verdict == unsure:
		return []Violation{{
			Keyword:  "schema",
			Expected: "a value that can be checked against the schema in " + strconv.Itoa(j.maxSteps) + " steps",
			Got:      kindOf(root.value) + " that needs more: it is too deep, or too large, for the alternatives of the schema",
		}}
	case result.verdict == accepts:
		return nil
	}
	e := explainer{judge: j, told: map[visit]bool{}}
	e.explain(r, root)
	return e.violations
}

func (j *judge) at(r *rule, p *place) found {
	key := visit{r, p}
	if known, ok := j.known[key]; ok {
		return known
	}
	if j.steps += r.effort(p); j.steps > j.maxSteps {
		return found{verdict: unsure}
	}
	j.known[key] = found{verdict: unsure} // for a loop, which no rule decides
	result := found{verdict: accepts}
	switch {
	case r.own.Validate(p.value) != nil:
		result = p.refused(true)
	case !r.alone:
		for _, one := range r.claims(p) {
			result = both(result, j.at(one.rule, one.at))
		}
		result = both(result, j.alternatives(r, p))
		result = both(result, j.contained(r, p))
		if len(r.dynamic) > 0 || len(r.unevaluated) > 0 {
			result = both(result, found{verdict: unsure})
		}
	}
	j.known[key] = result
	return result
}

// both is what holds where two have to hold.
func both(a, b found) found {
	const many = 1 << 30
	return found{min(a.verdict, b.verdict), max(a.reach, b.reach), min(a.wrong+b.wrong, many)}
}

// refused is a value that breaks a keyword which has no violations under it.
func (p *place) refused(is bool) found {
	if is {
		return found{refuses, p.depth, 1}
	}
	return found{verdict: accepts}
}

// alternatives judges anyOf, oneOf, not and if.
func (j *judge) alternatives(r *rule, p *place) found {
	result := found{verdict: accepts}
	if len(r.anyOf) > 0 {
		accepted, open, nearest := j.poll(r.anyOf, p)
		result = both(result, settle(accepted > 0, open > 0, nearest))
	}
	if len(r.oneOf) > 0 {
		accepted, open, nearest := j.poll(r.oneOf, p)
		switch {
		case accepted > 1:
			result = both(result, p.refused(true))
		case accepted == 1 && open > 0:
			result = both(result, found{verdict: unsure})
		default:
			result = both(result, settle(accepted == 1, open > 0, nearest))
		}
	}
	if r.not != nil {
		under := j.at(r.not, p).verdict
		denied := p.refused(under == accepts)
		denied.verdict = min(denied.verdict, accepts+refuses-under)
		result = both(result, denied)
	}
	if r.cond != nil {
		result = both(result, j.conditional(r, p))
	}
	return result
}

// settle is the verdict of alternatives: where all are refused, what the nearest has wrong
// counts, and that none fits.
func settle(accepted, open bool, nearest found) found {
	switch {
	case accepted:
		return found{verdict: accepts}
	case open:
		return found{verdict: unsure}
	}
	nearest.wrong++
	return nearest
}

// poll judges all branches, and finds the nearest of those that refuse.
func (j *judge) poll(branches []*rule, p *place) (accepted, open int, nearest found) {
	for _, branch := range branches {
		switch result := j.at(branch, p); result.verdict {
		case accepts:
			accepted++
		case unsure:
			open++
		default:
			if nearest.verdict == 0 || result.nearer(nearest) {
				nearest = result
			}
		}
	}
	return accepted, open, nearest
}

func (j *judge) conditional(r *rule, p *place) found {
	branch := func(r *rule) found {
		if r == nil {
			return found{verdict: accepts}
		}
		return j.at(r, p)
	}
	switch j.at(r.cond, p).verdict {
	case accepts:
		return branch(r.then)
	case refuses:
		return branch(r.otherwise)
	}
	if a, b := branch(r.then), branch(r.otherwise); a.verdict == b.verdict {
		return a
	}
	return found{verdict: unsure}
}

// contained judges contains and how often.
func (j *judge) contained(r *rule, p *place) found {
	if _, list := p.value.([]any); r.contains == nil || !list {
		return found{verdict: accepts}
	}
	accepted, open := 0, 0
	for _, item := range p.items {
		switch j.at(r.contains, item).verdict {
		case accepts:
			accepted++
		case unsure:
			open++
		}
	}
	least, most := r.containsBounds(len(p.items))
	if sure := open == 0; !sure && accepted <= most && accepted+open >= least {
		return found{verdict: unsure}
	}
	return p.refused(accepted > most || accepted+open < least)
}

func (r *rule) containsBounds(items int) (least, most int) {
	least, most = 1, items
	if r.schema.MinContains != nil {
		least = *r.schema.MinContains
	}
	if r.schema.MaxContains != nil {
		most = *r.schema.MaxContains
	}
	return least, most
}
