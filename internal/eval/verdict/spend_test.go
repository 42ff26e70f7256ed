package verdict

import (
	"math"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// spending is a world of answers: who gives them, with how many tokens, at what prices.
type spending struct {
	answered        string
	input, output   int64
	inCost, outCost int64 // nano-USD a token
}

func (s spending) cost() llm.Money { return llm.Money(s.input*s.inCost + s.output*s.outCost) }

// spend makes a bench of cases, each answered before and now as the lists say, in turn.
func spend(before, now []spending) *bench {
	b := newBench(maxRise("cost_per_case", 10))
	sums := map[string]*eval.BaselineSpend{}
	n := len(before) * len(now)
	for i := range n {
		was, is := before[i%len(before)], now[i%len(now)]
		was.output += int64(i) // answers differ in length, or prices cannot be told
		is.output += int64(i)
		b.many(1, "p", "p")
		line := &b.settings.Baseline.Lines[i]
		cost := was.cost()
		line.Cost = &cost
		sum := sums[was.answered]
		if sum == nil {
			sum = &eval.BaselineSpend{Answered: was.answered}
			sums[was.answered] = sum
		}
		sum.Results, sum.Input, sum.Output, sum.Cost = sum.Results+1, sum.Input+was.input, sum.Output+was.output, sum.Cost+cost
		r := b.results[i]
		r.Answered, r.Cost = is.answered, llm.KnownCost(is.cost())
		r.Usage = llm.Usage{Input: is.input + int64(i%2), Output: is.output}
		r.Cost.Amount += llm.Money(int64(i%2) * is.inCost)
	}
	for _, sum := range sums {
		b.settings.Baseline.Headers[1].Spend = append(b.settings.Baseline.Headers[1].Spend, *sum)
	}
	return b
}

func TestCostChangeIsToldApart(t *testing.T) {
	small, large := spending{"small-1", 100, 50, 150, 600}, spending{"large-1", 100, 50, 2500, 10000}
	longer := small
	longer.input = 200
	dearer := small
	dearer.inCost, dearer.outCost = 300, 1200
	renamed := dearer
	renamed.answered = "small-2"
	for _, test := range []struct {
		name                   string
		before, now            []spending
		tokens, price, routing float64 // share of the change
	}{
		{"more tokens", []spending{small, small}, []spending{longer, longer}, 1, 0, 0},
		{"twice the price", []spending{small, small}, []spending{dearer, dearer}, 0, 1, 0},
		{"twice the price by another name", []spending{small, small}, []spending{renamed, renamed}, 0, 1, 0},
		{"more often the large one", []spending{small, small, small, large}, []spending{small, large}, 0, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := spend(test.before, test.now).judge()
			c := v.Groups[0].CostChange
			if c == nil {
				t.Fatal("not told apart")
			}
			all := c.After - c.Before
			if math.Abs(c.Tokens+c.Price+c.Routing-all) > 1e-12 {
				t.Errorf("%v + %v + %v are not %v", c.Tokens, c.Price, c.Routing, all)
			}
			cost := metricOf(t, v, "cost_per_case")
			if math.Abs(c.Before-*cost.Baseline) > 1e-9 || math.Abs(c.After-*cost.Paired) > 1e-9 {
				t.Errorf("%+v beside %v and %v", c, *cost.Baseline, *cost.Paired)
			}
			for what, pair := range map[string][2]float64{"tokens": {c.Tokens, test.tokens}, "price": {c.Price, test.price}, "routing": {c.Routing, test.routing}} {
				// Some cases have a token more now; and who answers which of the lengths differs.
				if math.Abs(pair[0]/all-pair[1]) > 0.06 {
					t.Errorf("%s: %.3f of the change, want %.0f: %+v", what, pair[0]/all, pair[1], c)
				}
			}
		})
	}
}

func TestCostChangeIsNotGuessed(t *testing.T) {
	small := spending{"small-1", 100, 50, 150, 600}
	list := []spending{small, small, small}
	if spend(list, list).judge().Groups[0].CostChange == nil {
		t.Fatal("the same is not told apart")
	}
	for name, spoil := range map[string]func(b *bench){
		"no figures in the baseline": func(b *bench) { b.settings.Baseline.Headers[1].Spend = nil },
		"another case": func(b *bench) {
			b.now("new", "p")
			b.results[len(b.results)-1].Cost = llm.KnownCost(1_000_000)
		},
		"an unknown price":      func(b *bench) { b.results[0].Cost = llm.Cost{} },
		"a price with steps":    func(b *bench) { b.results[8].Cost.Amount *= 3; b.results[4].Cost.Amount /= 2 },
		"another baseline line": func(b *bench) { *b.settings.Baseline.Lines[0].Cost *= 2 },
	} {
		b := spend(list, list)
		spoil(b)
		if c := b.judge().Groups[0].CostChange; c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
