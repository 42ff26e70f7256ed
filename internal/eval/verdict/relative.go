package verdict

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// flipSeed makes random signs the same in every run.
const flipSeed = 1

// dropOfShares tests passes out of repeats.
func (t *Tally) dropOfShares(out *trial, m *shareMetric, best bool) {
	strata := m.of(best)
	cases := 0
	for _, count := range strata {
		cases += count
	}
	if !out.compare(cases, sumOf(strata, true), sumOf(strata, false)) {
		return
	}
	for s, count := range strata {
		switch moved := s.A*s.M - s.B*s.N; {
		case moved < 0:
			out.Down += count
		case moved > 0:
			out.Up += count
		}
	}
	if out.Down+out.Up == 0 {
		out.unchanged("no case passes more or less often than in the baseline")
		return
	}
	p, sum, name := testShares(strata, m.dependent(best))
	out.Test = name
	out.noise = noiseOf(strata)
	t.test(out, p, sum)
}

// testShares is the test of passes out of repeats, the differences that it is of, and its
// name: the stratified exact conditional test, McNemar's with one repeat in both arms. Its null hypothesis is that no case changed, each on its own; so with
// repeats, or where cases depend on each other, the sign-flip test on the means of the
// cases, and the sums of the clusters, must reject too, and the larger p is the one.
func testShares(strata stats.Strata, depends *dependent) (p stats.P, sum stats.Differences, name string) {
	p, name = stats.StratifiedExact(strata).P, "McNemar's exact test"
	flip := depends != nil
	var differences []float64
	for _, s := range strata.Sorted() {
		alone := strata[s]
		if depends != nil {
			alone -= depends.strata[s]
		}
		sum.Add(s.Difference(), alone)
		flip = flip || s.N > 1 || s.M > 1
		for range alone {
			differences = append(differences, s.Difference())
		}
	}
	if depends != nil {
		for _, cluster := range depends.sums {
			sum.AddCluster(cluster.sum, cluster.size)
			differences = append(differences, cluster.sum)
		}
	}
	if flip {
		flips := stats.SignFlip(differences, flipSeed)
		p.Less, p.Greater = max(p.Less, flips.Less), max(p.Greater, flips.Greater)
		name = "stratified exact conditional test and sign-flip test"
	}
	return p, sum, name
}

// sumOf is the mean share of passes over the cases, now or before.
func sumOf(strata stats.Strata, now bool) float64 {
	sum := 0.0
	for _, s := range strata.Sorted() {
		if now {
			sum += float64(strata[s]) * share(s.A, s.N)
		} else {
			sum += float64(strata[s]) * share(s.B, s.M)
		}
	}
	return sum
}

// moveOfScores tests a named metric by sign flips of the case differences; the
// same for a score that must not rise (max_rise, a share of the baseline's mean),
// with the sign turned.
func (t *Tally) moveOfScores(out *trial, m *meanMetric, best bool) {
	differences := m.differences(best)
	sign := 1.0
	if out.Kind == eval.GateMaxRise {
		sign = -1
	}
	for _, d := range differences {
		switch {
		case sign*d < 0:
			out.Down++
		case sign*d > 0:
			out.Up++
		}
	}
	if !out.compare(m.paired, m.now, m.base) {
		return
	}
	if out.Down+out.Up == 0 {
		out.unchanged("no case scores otherwise than in the baseline")
		return
	}
	var sum stats.Differences
	turned := make([]float64, 0, len(differences))
	m.clusters.each(differences, func(moved float64, size int) {
		turned = append(turned, sign*moved)
		sum.AddCluster(sign*moved, size)
	})
	out.Test = "sign-flip test"
	t.test(out, stats.SignFlip(turned, flipSeed), sum)
	if out.Kind == eval.GateMaxRise {
		out.margin = out.Limit * *out.Baseline
	}
	out.Note = fmt.Sprintf("typical change (Hodges–Lehmann) %+.4f", stats.HodgesLehmann(differences))
}

// riseOfCost tests paired log-ratios: Wilcoxon's signed ranks, with the
// Hodges–Lehmann ratio as the rise. Ranks do not see how far a few dear cases run
// away, so the ratio of the means must keep the limit too before the gate holds.
func (t *Tally) riseOfCost(out *trial, m *costMetric, best bool) {
	if best && (m.partial || m.missing > 0) {
		out.open("what the missing results would have cost is not known")
		return
	}
	if m.unknown > 0 {
		out.block("the cost of %d cases is unknown or 0 on one side; give every model a price in llmx.yaml", m.unknown)
		return
	}
	if !out.compare(m.paired, m.now/1e9, m.base/1e9) {
		return
	}
	if !t.rises(out, m.logs, m.clusters, m.now/m.base) {
		out.unchanged("every case costs what it did")
	}
}

// riseOfLatency tests what calls took, case by case, as the costs are tested: both arms
// were asked interleaved, so that a slow hour is slow for both. The quantiles stand
// beside it for readers; of a tail alone a test of ranks says nothing.
func (t *Tally) riseOfLatency(out *trial, best bool) {
	m := &t.service
	if best && t.incomplete() {
		out.open("how long the missing results would have taken is not known")
		return
	}
	if len(m.logs) == 0 {
		out.open("latency is compared over calls made now in both arms, and there are none")
		return
	}
	out.N = len(m.logs)
	l, _ := t.latency(out.Metric, false)
	now := l.Value.Seconds()
	out.Value, out.Baseline = &now, t.baseLatency(out.Metric)
	if !t.rises(out, m.logs, m.clusters, m.now/m.base) {
		out.unchanged("every case takes as long as it did")
	}
}

// rises tests log-ratios of pairs by Wilcoxon's signed ranks, those of a cluster by their
// mean; means is the ratio of the means. It reports false where no pair differs.
func (t *Tally) rises(out *trial, pairs []float64, together clusters, means float64) bool {
	for _, log := range pairs {
		switch {
		case log > 0:
			out.Down++
		case log < 0:
			out.Up++
		}
	}
	if out.Down+out.Up == 0 {
		return false
	}
	logs := make([]float64, 0, len(pairs))
	together.each(pairs, func(sum float64, size int) { logs = append(logs, sum/float64(size)) })
	change := stats.PairedRatio(logs, 2*confidence-1) // one side of it is at the confidence
	out.Test = "Wilcoxon signed-rank test of log-ratios"
	out.tested, out.worse, out.better = true, change.Greater, change.Less
	out.loss, out.bound, out.margin = change.Shift-1, max(change.High, means)-1, out.Limit
	out.observed = max(change.Shift, means) - 1
	out.Note = fmt.Sprintf("typical case × %.3f, mean × %.3f", change.Shift, means)
	out.settle = func(r *trial) string { return t.settleCost(r, change, len(pairs), len(logs)) }
	return true
}

// compare sets the figures of both sides; false where no case is on both.
func (r *trial) compare(n int, now, base float64) bool {
	r.N = n
	if n == 0 {
		r.open("nothing to compare with: no case has a result here and in the baseline under the same input and criteria")
		return false
	}
	r.Value, r.Baseline = ratio(now, n), ratio(base, n)
	return true
}

func (r *trial) unchanged(note string) {
	r.Word, r.Pass, r.Note = eval.Unchanged, true, note
}

// test keeps what the words are decided by, of differences where less is worse.
func (t *Tally) test(r *trial, p stats.P, sum stats.Differences) {
	r.tested, r.worse, r.better = true, p.Less, p.Greater
	r.loss, r.bound, r.margin = sum.Loss(), sum.LossBound(confidence), r.Limit
	r.observed, r.moves, r.settle = r.loss, sum, t.settleDrop
}
