package verdict

import (
	"math"
	"slices"
	"sort"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// rises are those of cost that are tried, as shares.
var rises = []float64{0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1}

// sees is the least change for the worse that the gate on a metric calls regressed with
// the power, and how often it does: it is looked for with some simulations, and counted
// with many. Nil where none is seen. Metrics that no relative gate holds are tried by
// max_drop: 0 beside the others.
func (c *calibrator) sees(metric string, some, many int) (change *float64, shown float64) {
	gate := eval.Gate{Metric: metric, Kind: eval.GateMaxDrop}
	if metric == metricCost {
		gate.Kind = eval.GateMaxRise
	}
	gates := withDefault(c.settings.Gates, true)
	if !slices.ContainsFunc(gates, func(g eval.Gate) bool { return sameRule(gate, g) }) {
		gates = append(gates, gate)
	}
	steps := len(c.draws)
	try := func(step int) harm { return harm{metric: metric, broken: step + 1} }
	size := func(step int) float64 { return float64(step+1) / float64(steps) * c.mean(metric) }
	if metric == metricCost {
		steps = len(rises)
		try = func(step int) harm { return harm{metric: metric, dearer: rises[step]} }
		size = func(step int) float64 { return rises[step] }
	}
	rate := func(step, simulations int) float64 {
		hits := 0
		done := try(step)
		for _, v := range c.compare(simulations, gates, &done) {
			i := slices.IndexFunc(v.Gates, func(g eval.GateResult) bool { return sameRule(gate, g.Gate) })
			if i >= 0 && v.Gates[i].Word == eval.Regressed {
				hits++
			}
		}
		return float64(hits) / float64(simulations)
	}
	least := sort.Search(steps, func(step int) bool { return rate(step, some) >= power })
	// With more simulations it may turn out a step or two further up.
	for ; least < steps; least++ {
		if shown = rate(least, many); shown >= power || c.ctx.Err() != nil {
			found := size(least)
			return &found, shown
		}
	}
	return nil, 0
}

// sameRule reports whether two gates are of one kind over one metric.
func sameRule(a, b eval.Gate) bool { return a.Metric == b.Metric && a.Kind == b.Kind }

// mean is that of a metric over all answers: what a case that breaks loses on average.
func (c *calibrator) mean(metric string) float64 {
	sum, cases := 0.0, 0
	for i := range c.draws {
		fold := newCaseFold(c.draws[i].Case)
		for _, r := range c.draws[i].Results {
			fold.add(r)
		}
		value := 0.0
		switch metric {
		case metricAccuracy:
			value = share(fold.passes, fold.judged)
		case metricValidity:
			value = share(fold.valid, fold.judged)
		case metricFirstTry:
			value = share(fold.first, fold.judged)
		default:
			m := fold.scores[metric]
			if m == nil {
				continue
			}
			value = m.value()
		}
		sum += value
		cases++
	}
	if cases == 0 {
		return 0
	}
	return sum / float64(cases)
}

// suggest gives gates that the suite can hold to. A margin stays if four comparisons of
// five without a change come to a word under it, else it is the least that does, in
// steps of half a point; a limit stays that nothing changed misses at most once in
// twenty, else it is one that is missed once in a hundred.
func suggest(seen []eval.GroupVerdict, c eval.Calibration) []eval.Gate {
	var gates []eval.Gate
	relative := false
	for i, gate := range c.Gates {
		if gate.Metric == eval.MetricCritical || gate.Default && !gate.Kind.Relative() {
			continue
		}
		relative = relative || gate.Metric == metricAccuracy && gate.Kind.Relative()
		out := gate.Gate
		out.Default = false
		switch {
		case gate.Kind.Relative():
			if margin := marginOf(seen, i); margin > out.Limit {
				out.Limit = margin
			}
		case gate.Fails > alpha && gate.Kind == eval.GateMin:
			out.Limit = math.Floor(100*quantileOf(valuesOf(seen, i), 0.01)+1e-9) / 100
		}
		gates = append(gates, out)
	}
	if !relative && len(c.Metrics) > 0 {
		margin := 0.0
		if sees := c.Metrics[0].Sees; sees != nil {
			margin = math.Ceil(*sees*200-1e-9) / 200
		}
		if margin > 0 {
			gates = append([]eval.Gate{{Metric: metricAccuracy, Kind: eval.GateMaxDrop, Limit: margin}}, gates...)
		}
	}
	return gates
}

// marginOf is the least margin of a gate within which its bound lies in four
// comparisons of five.
func marginOf(seen []eval.GroupVerdict, gate int) float64 {
	var bounds []float64
	for i := range seen {
		if gate >= len(seen[i].Gates) {
			continue
		}
		switch g := seen[i].Gates[gate]; {
		case g.Bound != nil:
			bounds = append(bounds, *g.Bound)
		case g.Word == eval.Unchanged && g.Kind == eval.GateMaxDrop:
			bounds = append(bounds, stats.Differences{N: g.N, Clusters: g.N, Sizes: float64(g.N)}.LossBound(confidence))
		}
	}
	if len(bounds) == 0 {
		return 0
	}
	return min(1, math.Ceil(quantileOf(bounds, power)*200-1e-9)/200)
}

func valuesOf(seen []eval.GroupVerdict, gate int) []float64 {
	var values []float64
	for i := range seen {
		if gate < len(seen[i].Gates) && seen[i].Gates[gate].Value != nil {
			values = append(values, *seen[i].Gates[gate].Value)
		}
	}
	return values
}

// quantileOf is the order statistic of rank ⌈q·n⌉; 0 for none.
func quantileOf(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(max(int(math.Ceil(q*float64(len(values))-1e-9)), 1), len(values))-1]
}
