package jsonschema

import "math"

// The libraries try every branch of anyOf and oneOf anew wherever they come by. Of a
// recursive schema with two branches that lead to the same property they try two at the
// first level, four at the second, and run out of memory at the twentieth. So what they
// will do is counted first, which takes one step for each pair of a rule and a place.
// The bounds grow with the value, as a long list takes long for no fault of the schema.
const (
	maxVisits = 50_000    // that a library may make
	maxSteps  = 2_000_000 // that counting, and judging in the library's stead, may take
	perPlace  = 20        // more of both for each place
)

// visit is a rule at a place.
type visit struct {
	rule *rule
	at   *place
}

// counter counts the visits that a library makes at most.
type counter struct {
	counted             map[visit]int
	steps               int
	maxVisits, maxSteps int
}

func newCounter(places int) *counter {
	return &counter{counted: map[visit]int{}, maxVisits: maxVisits + perPlace*places, maxSteps: maxSteps + perPlace*places}
}

// visits counts those under a rule, as far as the bound.
func (c *counter) visits(r *rule, p *place) int {
	if !r.fits(p) {
		c.steps++
		return 1 + p.depth/8
	}
	key := visit{r, p}
	if known, ok := c.counted[key]; ok {
		return known
	}
	here := r.effort(p)
	c.steps += here
	if r.alone {
		return here
	}
	c.counted[key] = math.MaxInt32 // a loop through a dynamic reference has no end
	total := here
	add := func(r *rule, p *place) {
		if total <= c.maxVisits && c.steps <= c.maxSteps {
			c.steps++
			total += c.visits(r, p)
		}
	}
	for _, one := range r.claims(p) {
		add(one.rule, one.at)
	}
	for _, list := range [][]*rule{r.dynamic, r.anyOf, r.oneOf, {r.not, r.cond, r.then, r.otherwise}} {
		for _, to := range list {
			if to != nil {
				add(to, p)
			}
		}
	}
	for _, item := range p.items {
		if r.contains != nil {
			add(r.contains, item)
		}
	}
	for _, to := range r.unevaluated {
		for _, member := range p.members {
			add(to, member)
		}
		for _, item := range p.items {
			add(to, item)
		}
	}
	if c.steps > c.maxSteps {
		total = c.maxVisits + 1
	}
	c.counted[key] = min(total, c.maxVisits+1)
	return c.counted[key]
}

// effort is what one visit takes, in visits of a rule that hardly says anything. The
// errors of a library carry their path; what is allowed is compared one by one, numbers
// as fractions; and each pattern is tried on each name.
func (r *rule) effort(p *place) int {
	total := 1 + p.depth/8 + (r.texts+len(r.properties)*(1+len(p.order)))/64 + r.numbers/4 + len(r.patterns)*len(p.order)
	if text, ok := p.value.(string); ok && (r.schema.Pattern != nil || r.schema.Format != nil) {
		total += len(text) / 1024
	}
	return total
}

// bounded lets a library check values that it comes to an end with, and judges the
// others in its stead.
func bounded(g *graph, inLibrary check) check {
	return func(value any) []Violation {
		root := newPlace(value, "", 0)
		c := newCounter(root.size)
		if c.visits(g.root, root) <= c.maxVisits {
			return inLibrary(value)
		}
		return judged(g.root, root)
	}
}
