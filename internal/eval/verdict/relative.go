package verdict

import (
	"fmt"
	"math"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// flipSeed makes random signs the same in every run.
const flipSeed = 1

// dropOfShares tests passes out of repeats: see testOfShares.
func dropOfShares(out *trial, m *shareMetric, best bool) {
	strata := m.of(best)
	sum := strata.Differences()
	if !out.compare(sum.N, sumOf(strata, true), sumOf(strata, false)) {
		return
	}
	for _, s := range strata.Sorted() {
		switch moved := s.A*s.M - s.B*s.N; {
		case moved < 0:
			out.Down += strata[s]
		case moved > 0:
			out.Up += strata[s]
		}
	}
	if out.Down+out.Up == 0 {
		out.unchanged("no case passes more or less often than in the baseline")
		return
	}
	p, name := testOfShares(strata)
	out.Test = name
	out.test(p, sum)
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
func moveOfScores(out *trial, m *meanMetric, best bool) {
	differences := m.differences(best)
	var sum stats.Differences
	turned := make([]float64, len(differences))
	for i, d := range differences {
		turned[i] = d
		if out.Kind == eval.GateMaxRise {
			turned[i] = -d
		}
		sum.Add(turned[i], 1)
		switch {
		case turned[i] < 0:
			out.Down++
		case turned[i] > 0:
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
	out.Test = "sign-flip test"
	out.test(stats.SignFlip(turned, flipSeed), sum)
	if out.Kind == eval.GateMaxRise {
		out.margin = out.Limit * *out.Baseline
	}
	out.Note = fmt.Sprintf("typical change (Hodges–Lehmann) %+.4f", stats.HodgesLehmann(differences))
}

// riseOfCost tests paired log-ratios: Wilcoxon's signed ranks, with the
// Hodges–Lehmann ratio as the rise. Ranks do not see how far a few dear cases run
// away, so the ratio of the means must keep the limit too before the gate holds.
func riseOfCost(out *trial, m *costMetric, best bool) {
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
	if !out.rises(m.logs, m.now/m.base) {
		out.unchanged("every case costs what it did")
	}
}

// riseOfLatency tests what calls took, case by case, as the costs are tested: both arms
// were asked interleaved, so that a slow hour is slow for both. The quantiles stand
// beside it for readers; of a tail alone a test of ranks says nothing.
func riseOfLatency(out *trial, t *Tally, best bool) {
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
	if !out.rises(m.logs, m.now/m.base) {
		out.unchanged("every case takes as long as it did")
	}
}

// rises tests log-ratios of pairs by Wilcoxon's signed ranks; means is the ratio of the
// means. It reports false where no pair differs.
func (r *trial) rises(logs []float64, means float64) bool {
	for _, log := range logs {
		switch {
		case log > 0:
			r.Down++
		case log < 0:
			r.Up++
		}
	}
	if r.Down+r.Up == 0 {
		return false
	}
	change := stats.PairedRatio(logs, 2*confidence-1) // one side of it is at the confidence
	r.Test = "Wilcoxon signed-rank test of log-ratios"
	r.tested, r.worse, r.better = true, change.Greater, change.Less
	r.loss, r.bound, r.margin = change.Shift-1, max(change.High, means)-1, r.Limit
	r.observed = max(change.Shift, means) - 1
	r.Note = fmt.Sprintf("typical case × %.3f, mean × %.3f", change.Shift, means)
	r.power = func() string { return costPower(change, len(logs), r.Limit) }
	return true
}

// costPower says what the interval leaves open.
func costPower(change stats.Ratio, n int, limit float64) string {
	if math.IsInf(change.High, 1) {
		return fmt.Sprintf("%d cases are too few to bound the rise; about %d would be a start", n, 10)
	}
	text := fmt.Sprintf("the rise of a typical case lies between %+.1f %% and %+.1f %%", 100*(change.Low-1), 100*(change.High-1))
	away := math.Abs(limit - (change.Shift - 1))
	if half := (change.High - change.Low) / 2; away > 0 && half > 0 {
		// An interval narrows with the root of n.
		needed := float64(n) * math.Pow(half/away, 2)
		text += "; " + casesWord(math.Ceil(max(needed, float64(n+1)))) + " would settle it"
	}
	return text
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
func (r *trial) test(p stats.P, sum stats.Differences) {
	r.tested, r.worse, r.better = true, p.Less, p.Greater
	r.loss, r.bound, r.margin = sum.Loss(), sum.LossBound(confidence), r.Limit
	r.observed = r.loss
	r.power = func() string { return dropPower(sum, r.margin) }
}

// dropPower says what drop so many cases can show, and how many would settle it.
func dropPower(sum stats.Differences, margin float64) string {
	seen := stats.DetectableLoss(sum.Moved(), sum.N, alpha, power)
	text := fmt.Sprintf("a drop of %.3f could have been seen with %d cases", seen, sum.N)
	if seen >= 1 {
		text = fmt.Sprintf("no drop could have been seen with %d cases", sum.N)
	}
	loss := sum.Loss()
	needed := stats.PairsToHold(sum.Moved(), loss, margin, confidence, power)
	if loss >= margin {
		needed = stats.PairsNeeded(sum.Moved(), loss, alpha, power)
	}
	if math.IsInf(needed, 1) {
		return text + "; no number of cases shows that nothing at all is lost: allow a max_drop above 0"
	}
	return text + "; " + casesWord(max(needed, float64(sum.N+1))) + " would settle it"
}

// casesWord rounds an estimate to two digits: it is not better than that.
func casesWord(n float64) string {
	if n > 1e9 {
		return "more than a billion cases"
	}
	step := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	return fmt.Sprintf("about %d cases", int(math.Ceil(n/step)*step))
}
