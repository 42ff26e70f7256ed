package verdict

import (
	"fmt"
	"math"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// noise is how much of the differences repeats can average out.
type noise struct {
	within      float64 // mean over the cases of the variance of one repeat
	now, before int     // repeats of every case in each arm; 0 where cases have different ones
}

// noiseOf estimates the variance within cases without bias: from the repeats of each
// arm, and where both arms have one, from the two of them as if nothing had changed.
func noiseOf(strata stats.Strata) noise {
	var out noise
	cases, first := 0, true
	for _, s := range strata.Sorted() {
		n, m := float64(s.N), float64(s.M)
		a, b := float64(s.A), float64(s.B)
		variance := 0.0
		if s.N+s.M > 2 {
			variance = (a*(n-a)/n + b*(m-b)/m) / (n + m - 2)
		} else {
			variance = (a + b) * (2 - a - b) / 2
		}
		out.within += float64(strata[s]) * variance
		cases += strata[s]
		if first {
			out.now, out.before, first = s.N, s.M, false
		}
		if out.now != s.N {
			out.now = 0
		}
		if out.before != s.M {
			out.before = 0
		}
	}
	if cases > 0 {
		out.within /= float64(cases)
	}
	return out
}

// moved is the mean square of the differences with so many repeats in the two arms.
func (n noise) moved(psi float64, now, before int) float64 {
	stays := max(0, psi-n.within*(1/float64(n.now)+1/float64(n.before)))
	return stays + n.within*(1/float64(now)+1/float64(before))
}

// manyRepeats are the numbers of repeats that are looked at, in order.
var manyRepeats = []int{2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100}

// pairsFor is the number of cases at which a gate comes to a word, when the differences
// have mean square psi.
func pairsFor(psi, loss, margin float64) float64 {
	if loss >= margin {
		return stats.PairsNeeded(psi, loss, alpha, power)
	}
	return stats.PairsToHold(psi, loss, margin, confidence, power)
}

// repeatsFor is the least number of repeats at which the cases that there are settle the
// gate: here alone, or both here and in the baseline; with together the baseline is asked
// beside, and has them in any case. 0: none does.
func repeatsFor(sum stats.Differences, n noise, margin float64, together bool) (repeats int, both bool) {
	if n.now == 0 || n.before == 0 || n.within == 0 {
		return 0, false
	}
	psi, loss := sum.Moved(), sum.Loss()
	for _, both := range []bool{false, true} {
		if together && !both {
			continue
		}
		for _, repeats := range manyRepeats {
			before := n.before
			if both {
				before = max(before, repeats)
			}
			if repeats > n.now && pairsFor(n.moved(psi, repeats, before), loss, margin) <= float64(sum.N) {
				return repeats, both
			}
		}
	}
	return 0, false
}

// settleDrop says what drop so many cases can show, and what would settle it.
func (t *Tally) settleDrop(r *trial) string {
	sum, margin := r.moves, r.margin
	seen := sum.Detectable(alpha, power)
	r.Sees = &seen
	size := float64(sum.N) / float64(max(1, sum.Clusters))
	text := fmt.Sprintf("a drop of %s could have been seen with %s", dropOf(r.Metric, seen), casesIn(sum.N, sum.Clusters))
	if seen >= 1 {
		text = fmt.Sprintf("no drop could have been seen with %s", casesIn(sum.N, sum.Clusters))
	}
	needed := pairsFor(sum.Moved(), sum.Loss(), margin)
	if math.IsInf(needed, 1) {
		return text + "; no number of cases shows that nothing at all is lost: allow a max_drop above 0"
	}
	r.Settle = &eval.Settle{Cases: t.moreCases(needed, sum.N, size)}
	text += "; " + casesWord(max(needed, float64(sum.N+1)), size)
	if repeats, both := repeatsFor(sum, r.noise, margin, t.beside()); repeats > 0 {
		r.Settle.Both = both
		r.Settle.Repeats = t.moreRepeats(repeats, r.noise, both)
		text += fmt.Sprintf(", or %d repeats of these", repeats)
		switch {
		case t.beside():
			text += " in both arms,"
		case both:
			text += " here and in the baseline,"
		}
	}
	text += " would settle it"
	if r.Settle.Repeats == nil && r.noise.within > 0 {
		text += " (more repeats of these would not)"
	}
	return text + priceOf(r.Settle)
}

// dropOf is a drop as the tables have it: of a share in points, of a score as it is.
func dropOf(metric string, drop float64) string {
	if metric == metricAccuracy || metric == metricValidity || metric == metricFirstTry {
		return onePlace(drop) + " points"
	}
	return fmt.Sprintf("%.3f", drop)
}

// beside reports a run in which every case is asked in both arms.
func (t *Tally) beside() bool { return t.settings.Against != nil }

// moreCases is the effort of a suite of so many cases, with the repeats of now, and in
// clusters of the size of those of now.
func (t *Tally) moreCases(needed float64, now int, size float64) *eval.Effort {
	cases := roundedUp(max(needed, float64(now+1)))
	if cases == 0 || t.accuracy.cases == 0 {
		return nil
	}
	each := float64(t.group.Judged-t.quarantine.judged) / float64(t.accuracy.cases)
	results := int(math.Ceil(float64(cases-now) * each))
	if t.beside() {
		results *= 2
	}
	e := t.effort(results)
	e.Cases, e.Clusters = cases, clustersOf(float64(cases), size)
	if each == math.Trunc(each) {
		e.Repeats = int(each)
	}
	return e
}

// moreRepeats is the effort of so many repeats of the cases that there are.
func (t *Tally) moreRepeats(repeats int, n noise, both bool) *eval.Effort {
	results := (repeats - n.now) * t.accuracy.cases
	if both {
		results += max(0, repeats-n.before) * t.accuracy.cases
	}
	e := t.effort(results)
	e.Cases, e.Repeats = t.accuracy.cases, repeats
	return e
}

// effort prices so many further results by those that there are.
func (t *Tally) effort(results int) *eval.Effort {
	e := &eval.Effort{Results: results}
	if t.group.Judged == 0 {
		return e
	}
	share := float64(results) / float64(t.group.Judged)
	if t.spent.Known {
		cost := llm.Money(math.Ceil(float64(t.spent.Amount) * share))
		e.Cost = &cost
	}
	e.Seconds = t.took.Seconds() * share / float64(max(1, t.settings.Jobs))
	return e
}

// priceOf says what the cheaper way costs and takes.
func priceOf(s *eval.Settle) string {
	e := s.Cases
	if s.Repeats != nil && (e == nil || s.Repeats.Results < e.Results) {
		e = s.Repeats
	}
	if e == nil {
		return ""
	}
	text := ": " + count(e.Results, "more answer")
	if e.Cost != nil {
		text += ", about " + e.Cost.String()
	}
	if e.Seconds > 0 {
		text += " and " + minutes(e.Seconds)
	}
	return text
}

func minutes(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.0f s", math.Ceil(seconds))
	}
	return fmt.Sprintf("%.0f min", math.Ceil(seconds/60))
}

// settleCost says what the interval of a rise leaves open, that of so many cases in n
// clusters.
func (t *Tally) settleCost(r *trial, change stats.Ratio, cases, n int) string {
	size := float64(cases) / float64(n)
	if math.IsInf(change.High, 1) {
		r.Settle = &eval.Settle{Cases: t.moreCases(10*size, cases, size)}
		return fmt.Sprintf("%s %s too few to bound the rise; %s would be a start", casesIn(cases, n), is(cases), casesWord(10*size, size)) + priceOf(r.Settle)
	}
	text := fmt.Sprintf("the rise of a typical case lies between %+.1f %% and %+.1f %%", 100*(change.Low-1), 100*(change.High-1))
	if seen := change.DetectableRise(confidence, power); seen > 0 {
		r.Sees = &seen
		text += fmt.Sprintf("; one of %.1f %% could have been seen with %s", 100*seen, casesIn(cases, n))
	}
	away := math.Abs(r.Limit - (change.Shift - 1))
	if half := (change.High - change.Low) / 2; away > 0 && half > 0 {
		// An interval narrows with the root of n.
		needed := float64(cases) * math.Pow(half/away, 2)
		r.Settle = &eval.Settle{Cases: t.moreCases(needed, cases, size)}
		text += "; " + casesWord(math.Ceil(max(needed, float64(cases+1))), size) + " would settle it" + priceOf(r.Settle)
	}
	return text
}

// roundedUp rounds an estimate to two digits: it is not better than that. 0 for more
// than a billion.
func roundedUp(n float64) int {
	if n > 1e9 || math.IsNaN(n) {
		return 0
	}
	step := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	return int(math.Ceil(n/step-1e-9) * step)
}

// casesWord is so many cases, and where some depend on each other, how many clusters like
// those of now they are: a hundred more cases of one cluster settle nothing.
func casesWord(n, size float64) string {
	cases := roundedUp(n)
	if cases == 0 {
		return "more than a billion cases"
	}
	if clusters := clustersOf(float64(cases), size); clusters > 0 {
		return fmt.Sprintf("about %d cases in %d clusters", cases, clusters)
	}
	return fmt.Sprintf("about %d cases", cases)
}

// clustersOf is how many clusters of a size cases are; 0 where each stands on its own.
func clustersOf(cases, size float64) int {
	if size <= 1 {
		return 0
	}
	return int(math.Ceil(cases/size - 1e-9))
}

// casesIn is a number of cases, and of their clusters where these are fewer.
func casesIn(cases, clusters int) string {
	if clusters < cases {
		return fmt.Sprintf("%s in %s", count(cases, "case"), count(clusters, "cluster"))
	}
	return count(cases, "case")
}
