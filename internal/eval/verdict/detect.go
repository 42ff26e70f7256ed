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
// the power, in simulations; nil where none is. Metrics that no relative gate holds are
// tried by max_drop: 0 beside the others.
func (c *calibrator) sees(metric string, simulations int) *float64 {
	gates := withDefault(c.settings.Gates, true)
	kind := eval.GateMaxDrop
	if metric == metricCost {
		kind = eval.GateMaxRise
	}
	mine := func(g eval.Gate) bool { return g.Metric == metric && g.Kind == kind }
	if !slices.ContainsFunc(gates, mine) {
		gates = append(gates, eval.Gate{Metric: metric, Kind: kind})
	}
	seen := func(done change) bool {
		hits := 0
		for _, v := range c.compare(simulations, gates, &done) {
			if i := slices.IndexFunc(v.Gates, func(g eval.GateResult) bool { return mine(g.Gate) }); i >= 0 && v.Gates[i].Word == eval.Regressed {
				hits++
			}
		}
		return float64(hits) >= power*float64(simulations)
	}
	if metric == metricCost {
		i := sort.Search(len(rises), func(i int) bool { return seen(change{metric: metric, dearer: rises[i]}) })
		if i == len(rises) {
			return nil
		}
		return &rises[i]
	}
	n := len(c.draws)
	broken := 1 + sort.Search(n, func(i int) bool { return seen(change{metric: metric, broken: i + 1}) })
	if broken > n {
		return nil
	}
	drop := float64(broken) / float64(n) * c.mean(metric)
	return &drop
}

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
			bounds = append(bounds, stats.Differences{N: g.N, Sizes: float64(g.N)}.LossBound(confidence))
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
