package verdict

import (
	"fmt"
	"math"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// flipSeed makes random signs the same in every run.
const flipSeed = 1

// dropOfShares tests passes out of repeats: the stratified exact conditional test
// (McNemar's with one repeat in both arms). Its null hypothesis is that no case
// changed; so with repeats the sign-flip test on case means must reject too, and
// the larger p is the gate's.
func dropOfShares(out *trial, m *shareMetric, best bool) {
	strata := m.of(best)
	sum := strata.Differences()
	if !out.compare(sum.N, sumOf(strata, true), sumOf(strata, false)) {
		return
	}
	repeats := false
	var differences []float64
	for _, s := range strata.Sorted() {
		switch moved := s.A*s.M - s.B*s.N; {
		case moved < 0:
			out.Down += strata[s]
		case moved > 0:
			out.Up += strata[s]
		}
		repeats = repeats || s.N > 1 || s.M > 1
		for range strata[s] {
			differences = append(differences, s.Difference())
		}
	}
	if out.Down+out.Up == 0 {
		out.unchanged("no case passes more or less often than in the baseline")
		return
	}
	p := stats.StratifiedExact(strata).P
	out.Test = "McNemar's exact test"
	if repeats {
		flips := stats.SignFlip(differences, flipSeed)
		p.Less, p.Greater = max(p.Less, flips.Less), max(p.Greater, flips.Greater)
		out.Test = "stratified exact conditional test and sign-flip test"
	}
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
	for _, log := range m.logs {
		switch {
		case log > 0:
			out.Down++
		case log < 0:
			out.Up++
		}
	}
	if out.Down+out.Up == 0 {
		out.unchanged("every case costs what it did")
		return
	}
	change := stats.PairedRatio(m.logs, 2*confidence-1) // one side of it is at the confidence
	means := m.now / m.base
	out.Test = "Wilcoxon signed-rank test of log-ratios"
	out.tested, out.worse, out.better = true, change.Greater, change.Less
	out.loss, out.bound, out.margin = change.Shift-1, max(change.High, means)-1, out.Limit
	out.observed = max(change.Shift, means) - 1
	out.Note = fmt.Sprintf("typical case × %.3f, mean × %.3f", change.Shift, means)
	out.power = func() string { return costPower(change, len(m.logs), out.Limit) }
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
