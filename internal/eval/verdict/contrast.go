package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// mostNeeded is the number of cases from which on nobody wants to know that they would
// settle something.
const mostNeeded = 1e6

// contrast is one metric of a candidate against the reference, on its way to a word.
type contrast struct {
	eval.Contrast
	change  float64                          // positive is better
	without bool                             // the interval does not reach no change
	bound   func(confidence float64) float64 // one-sided, of the loss
	moves   stats.Differences
}

// CompareSideBySide says how candidates do beside each other, in one run. Every p is
// two-sided, as neither side is the one of before, and Holm's correction runs over all
// comparisons of all suites. They take no more results afterwards.
func CompareSideBySide(all []*SideBySide) []eval.SideBySide {
	contrasts := make([][][]contrast, len(all))
	var tested []*contrast
	for i, s := range all {
		s.settle()
		contrasts[i] = make([][]contrast, len(s.groups))
		for j := range s.groups {
			contrasts[i][j] = s.contrasts(j)
			for k := range contrasts[i][j] {
				if c := &contrasts[i][j][k]; c.P != nil {
					tested = append(tested, c)
				}
			}
		}
	}
	p := make([]float64, len(tested))
	for i, c := range tested {
		p[i] = *c.P
	}
	for i, adjusted := range stats.Holm(p) {
		tested[i].decide(adjusted, len(tested))
	}
	described := []eval.SideBySide{}
	for i, s := range all {
		one := s.describe()
		one.Tests = len(tested)
		for j := range one.Candidates {
			for _, c := range contrasts[i][j] {
				one.Candidates[j].Contrasts = append(one.Candidates[j].Contrasts, c.Contrast)
			}
		}
		described = append(described, one)
	}
	return described
}

// contrasts compares a candidate with the reference: nothing, for the reference itself.
func (s *SideBySide) contrasts(candidate int) []contrast {
	if candidate == s.reference {
		return nil
	}
	var accuracy, validity shareMetric
	kinds := s.pairs[candidate]
	for _, kind := range slices.SortedFunc(maps.Keys(kinds), comparePairs) {
		for range kinds[kind] {
			accuracy.pair(kind.passed.A, kind.passed.N, 0, kind.passed.B, kind.passed.M, kind.cluster)
			if v := kind.valid; v.N > 0 {
				validity.pair(v.A, v.N, 0, v.B, v.M, kind.cluster)
			}
		}
	}
	list := []contrast{s.contrastShares(metricAccuracy, &accuracy)}
	if validity.paired > 0 {
		list = append(list, s.contrastShares(metricValidity, &validity))
	}
	for _, metric := range slices.Sorted(maps.Keys(s.scores[candidate])) {
		list = append(list, s.contrastScores(metric, s.scores[candidate][metric]))
	}
	return append(list, s.contrastCosts(candidate))
}

func comparePairs(a, b pairKind) int {
	of := func(x, y stats.Stratum) int { return cmp.Or(x.N-y.N, x.M-y.M, x.A-y.A, x.B-y.B) }
	return cmp.Or(cmp.Compare(a.cluster, b.cluster), of(a.passed, b.passed), of(a.valid, b.valid))
}

// margin is what the suite lets a metric lose: that of its relative gate, else nothing.
func (s *SideBySide) margin(metric string, kind eval.GateKind) float64 {
	for _, gate := range s.settings.Gates {
		if gate.Metric == metric && gate.Kind == kind {
			return gate.Limit
		}
	}
	return 0
}

// contrastShares compares passes out of repeats by the tests of the gate on accuracy.
func (s *SideBySide) contrastShares(metric string, m *shareMetric) contrast {
	c := contrast{Contrast: eval.Contrast{Metric: metric, Unit: "share", N: m.paired, Margin: s.margin(metric, eval.GateMaxDrop)}}
	if !c.compares() {
		return c
	}
	c.Value, c.Reference = ratio(m.now, m.paired), ratio(m.base, m.paired)
	for stratum, count := range m.strata {
		for range count {
			c.counts(stratum.Difference())
		}
	}
	p, sum, name := testShares(m.strata, m.dependent(false))
	low, high := sum.Interval(confidence)
	c.change, c.bound, c.moves = -sum.Loss(), sum.LossBound, sum
	c.Change, c.Low, c.High = &c.change, &low, &high
	if c.same("no case passes more or less often than with the reference") {
		return c
	}
	// As in driftOf: the tests are exact, and the interval leans to the wide side.
	c.without = low > 0 || high < 0
	if narrow, wide := sum.Clustered(confidence); twoSided(p) <= alpha && !c.without && (narrow > 0 || wide < 0) {
		low, high, c.without = narrow, wide, true
	}
	c.test(p, name)
	return c
}

// contrastScores compares a named score by sign flips of the case differences, as its
// gate does. More is better, unless the suite bounds how far the score may rise.
func (s *SideBySide) contrastScores(metric string, pairs []pairedScore) contrast {
	c := contrast{Contrast: eval.Contrast{Metric: metric, Unit: "score", N: len(pairs)}}
	slices.SortFunc(pairs, func(a, b pairedScore) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.reference, b.reference), cmp.Compare(a.score, b.score))
	})
	now, reference := 0.0, 0.0
	for _, pair := range pairs {
		now, reference = now+pair.score, reference+pair.reference
	}
	c.Value, c.Reference = ratio(now, c.N), ratio(reference, c.N)
	sign := 1.0
	c.Margin = s.margin(metric, eval.GateMaxDrop)
	if slices.ContainsFunc(s.settings.Gates, func(g eval.Gate) bool { return g.Metric == metric && g.Kind == eval.GateMaxRise }) {
		sign, c.Margin = -1, s.margin(metric, eval.GateMaxRise)**c.Reference
	}
	var sum stats.Differences
	var differences []float64
	together(len(pairs), func(i int) uint64 { return pairs[i].cluster }, func(from, to int) {
		moved := 0.0
		for _, pair := range pairs[from:to] {
			better := sign * (pair.score - pair.reference)
			c.counts(better)
			moved += better
		}
		differences = append(differences, moved)
		sum.AddCluster(moved, to-from)
	})
	low, high := sum.Interval(confidence)
	c.change, c.bound, c.without = -sum.Loss(), sum.LossBound, low > 0 || high < 0
	change := sign * c.change
	if sign < 0 {
		low, high = -high, -low
	}
	c.Change, c.Low, c.High = &change, &low, &high
	if !c.same("no case scores otherwise than with the reference") {
		c.test(stats.SignFlip(differences, flipSeed), "sign-flip test")
	}
	return c
}

// contrastCosts compares costs by paired log-ratios, those of a cluster by their mean.
func (s *SideBySide) contrastCosts(candidate int) contrast {
	costs := s.costs[candidate]
	c := contrast{Contrast: eval.Contrast{Metric: metricCost, Unit: "USD", N: len(costs), Margin: s.margin(metricCost, eval.GateMaxRise)}}
	switch unknown, nothing := s.unknown[candidate], s.nothing[candidate]; {
	case unknown > 0:
		c.Word, c.Note = eval.NotGated, fmt.Sprintf("the cost of %s is unknown; give every model a price in llmx.yaml", count(unknown, "case"))
		return c
	case nothing > 0:
		c.Word, c.Note = eval.NotGated, fmt.Sprintf("one side costs nothing for %s, and there is no ratio to nothing", count(nothing, "case"))
		return c
	case !c.compares():
		return c
	}
	slices.SortFunc(costs, func(a, b pairedCost) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.reference, b.reference), cmp.Compare(a.cost, b.cost))
	})
	now, reference := 0.0, 0.0
	var logs []float64
	together(len(costs), func(i int) uint64 { return costs[i].cluster }, func(from, to int) {
		sum := 0.0
		for _, one := range costs[from:to] {
			now, reference = now+one.cost, reference+one.reference
			log, _ := stats.LogRatio(one.reference, one.cost)
			c.counts(-log)
			sum += log
		}
		logs = append(logs, sum/float64(to-from))
	})
	c.Value, c.Reference = ratio(now/1e9, c.N), ratio(reference/1e9, c.N)
	if c.same("every case costs what it does with the reference") {
		c.Change = new(float64)
		return c
	}
	change := stats.PairedRatio(logs, confidence)
	rise, low, high := change.Shift-1, change.Low-1, change.High-1
	c.change, c.without = -rise, low > 0 || high < 0
	c.bound = func(confidence float64) float64 {
		_, high := stats.HodgesLehmannInterval(logs, 2*confidence-1)
		return math.Exp(high) - 1
	}
	c.Change, c.Low, c.High = finite(rise), finite(low), finite(high)
	c.Note = fmt.Sprintf("typical case × %.3f, mean × %.3f", change.Shift, now/reference)
	c.test(change.P, "Wilcoxon signed-rank test of log-ratios")
	return c
}

// together visits pairs that are sorted by their clusters: those of each at once, and
// every other alone.
func together(n int, cluster func(i int) uint64, visit func(from, to int)) {
	for from := 0; from < n; {
		to := from + 1
		for to < n && cluster(from) != 0 && cluster(to) == cluster(from) {
			to++
		}
		visit(from, to)
		from = to
	}
}

// counts takes a case that does so much better than the reference.
func (c *contrast) counts(better float64) {
	switch {
	case better < 0:
		c.Worse++
	case better > 0:
		c.Better++
	}
}

// compares is false where no case is on both sides.
func (c *contrast) compares() bool {
	if c.N == 0 {
		c.Word, c.Note = eval.NotGated, "nothing to compare: no case has a judged result of both"
	}
	return c.N > 0
}

func (c *contrast) same(note string) bool {
	if c.Worse+c.Better > 0 {
		return false
	}
	c.Word, c.Note = eval.Unchanged, note
	return true
}

func twoSided(p stats.P) float64 { return min(1, 2*min(p.Less, p.Greater)) }

func (c *contrast) test(p stats.P, name string) {
	both := twoSided(p)
	c.P, c.Test = &both, name
}

// decide gives a tested comparison its word, as gates have theirs, but to both sides:
// neither the candidate nor the reference is the one that somebody means to keep. Of
// several comparisons each may hold on its own, so the bound of held is corrected, too,
// by Bonferroni: it has no order of p-values to go by.
func (c *contrast) decide(adjusted float64, tests int) {
	c.Holm = &adjusted
	shown := adjusted <= alpha && c.without
	switch {
	case shown && c.change < 0 && -c.change >= c.Margin-slack:
		c.Word = eval.Regressed
	case shown && c.change > 0:
		c.Word = eval.Improved
	case c.bound(1-alpha/float64(tests)) <= c.Margin+slack:
		c.Word = eval.Held
	default:
		c.Word = eval.Inconclusive
		if c.moves.N > 0 {
			// At Holm's first step, where the correction is strictest.
			strict := alpha / 2 / float64(tests)
			c.Sees = finite(stats.DetectableLoss(c.moves.Moved(), c.moves.N, strict, power))
			if needs := stats.PairsNeeded(c.moves.Moved(), math.Abs(c.change), strict, power); needs > float64(c.N) && needs < mostNeeded {
				c.Needs = int(needs)
			}
		}
	}
	if c.Sees != nil && math.Abs(*c.Sees) >= 1 {
		c.Sees = nil
		c.Note = join(c.Note, "so few cases show no difference")
	}
}
