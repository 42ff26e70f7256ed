package verdict

import (
	"maps"
	"math"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// spendTally sums up tokens and costs by the model that answered, and with them the
// prices of now: of one model a cost is a price for each token of input, and one for
// each of output.
type spendTally struct {
	by       map[string]*spent
	unpriced bool
}

// spent are the sums of one model's answers; the squares are for the prices.
type spent struct {
	results             float64
	input, output, cost float64 // nano-USD

	inIn, inOut, outOut, inCost, outCost, costCost float64
}

// maxSpenders bounds the models that are told apart.
const maxSpenders = 20

func (s *spendTally) add(r *eval.Result) {
	if s.by == nil {
		s.by = map[string]*spent{}
	}
	one := s.by[r.Answered]
	if one == nil {
		if s.unpriced = s.unpriced || len(s.by) == maxSpenders; s.unpriced {
			return
		}
		one = new(spent)
		s.by[r.Answered] = one
	}
	s.unpriced = s.unpriced || !r.Cost.Known
	in, out, cost := float64(r.Usage.Input), float64(r.Usage.Output), float64(r.Cost.Amount)
	one.results++
	one.input, one.output, one.cost = one.input+in, one.output+out, one.cost+cost
	one.inIn, one.inOut, one.outOut = one.inIn+in*in, one.inOut+in*out, one.outOut+out*out
	one.inCost, one.outCost, one.costCost = one.inCost+in*cost, one.outCost+out*cost, one.costCost+cost*cost
}

// at is what so many tokens cost at the prices of now: by least squares, which find the
// prices to rounding. Where the answers do not tell the two apart, as all have the same
// tokens, it is one price for both. Not ok: the costs are not those of two prices (a
// price list with steps, or attempts that were paid beside the answers).
func (s *spent) at(input, output float64) (cost float64, ok bool) {
	determinant := s.inIn*s.outOut - s.inOut*s.inOut
	if determinant <= 1e-9*s.inIn*s.outOut {
		if tokens := s.input + s.output; tokens > 0 {
			return (input + output) * s.cost / tokens, true
		}
		return 0, false
	}
	in := (s.inCost*s.outOut - s.outCost*s.inOut) / determinant
	out := (s.outCost*s.inIn - s.inCost*s.inOut) / determinant
	// Costs are whole nano-USD; beyond rounding nothing may be left.
	left := s.costCost - in*s.inCost - out*s.outCost
	if left > s.results+1e-6*s.costCost {
		return 0, false
	}
	return input*in + output*out, true
}

// costChange tells the change of cost apart, where both arms have the same cases.
func (t *Tally) costChange() *eval.CostChange {
	if t.base == nil || t.spend.unpriced || t.cost.paired == 0 || t.cost.unknown > 0 || len(t.base.header.Spend) == 0 {
		return nil
	}
	before, now := map[string]*spent{}, t.spend.by
	for _, one := range t.base.header.Spend {
		before[one.Answered] = &spent{results: float64(one.Results), input: float64(one.Input), output: float64(one.Output), cost: float64(one.Cost)}
	}
	if len(before) == 1 && len(now) == 1 { // the same alias by another name: its price, not a route
		before, now = map[string]*spent{"": only(before)}, map[string]*spent{"": only(now)}
	}
	n, m := totals(before), totals(now)
	c := eval.CostChange{Before: n.cost / n.results, After: m.cost / m.results}
	// The lines have the mean of a case in whole nano-USD, and sums of other cases would
	// tell another change.
	paired := float64(t.cost.paired)
	if !about(c.Before, t.cost.base/paired, 1) || !about(c.After, t.cost.now/paired, 1) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(union(before, now))) {
		was, is := before[name], now[name]
		switch {
		case was == nil:
			c.Routing += is.cost / m.results
		case is == nil:
			c.Routing -= was.cost / n.results
		default:
			then, today := was.cost/was.results, is.cost/is.results
			from, to := was.results/n.results, is.results/m.results
			kept, ok := is.at(was.input/was.results, was.output/was.results)
			if !ok {
				return nil
			}
			c.Routing += (to - from) * (then + today) / 2
			c.Price += (from + to) / 2 * (kept - then)
			c.Tokens += (from + to) / 2 * (today - kept)
		}
	}
	for _, part := range []*float64{&c.Before, &c.After, &c.Tokens, &c.Price, &c.Routing} {
		if *part /= float64(llm.USD); math.Abs(*part) < 1e-12 { // a thousandth of a nano-USD is rounding
			*part = 0
		}
	}
	return &c
}

func about(a, b, slack float64) bool { return math.Abs(a-b) <= slack+1e-6*math.Abs(b) }

func totals(all map[string]*spent) (sum spent) {
	for _, one := range all {
		sum.results += one.results
		sum.cost += one.cost
	}
	return sum
}

func only(all map[string]*spent) *spent {
	for _, one := range all {
		return one
	}
	return nil
}

func union(a, b map[string]*spent) map[string]*spent {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
