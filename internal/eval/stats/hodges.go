package stats

import (
	"math"
	"slices"
)

// HodgesLehmann is the shift of paired differences: the median of the n(n+1)/2
// means of two (each with itself too), in the unit of the differences. It takes
// O(n log n) and no list of the means. NaN for no difference.
//
// Source: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963).
func HodgesLehmann(differences []float64) float64 {
	n := len(differences)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(differences))
	pairs := n * (n + 1) / 2
	if pairs%2 == 1 {
		return walsh(sorted, pairs/2+1)
	}
	return (walsh(sorted, pairs/2) + walsh(sorted, pairs/2+1)) / 2
}

// HodgesLehmannInterval is the shift's confidence interval that belongs to the
// signed-rank test: from the k-th smallest to the k-th largest mean of two, where
// k is the largest with P(T⁺ < k) ≤ (1 − confidence)/2. Too few differences for the
// confidence give an unbounded interval. Differences of 0 count.
//
// Source: Hollander, Wolfe and Chicken, Nonparametric Statistical Methods (2014), §3.3.
func HodgesLehmannInterval(differences []float64, confidence float64) (low, high float64) {
	n := len(differences)
	k := signedRankCut(n, (1-confidence)/2)
	if k == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	sorted := slices.Sorted(slices.Values(differences))
	return walsh(sorted, k), walsh(sorted, n*(n+1)/2+1-k)
}

// signedRankCut is the largest k with P(T⁺ < k) ≤ tail, for n untied differences.
func signedRankCut(n int, tail float64) int {
	if n > wilcoxonExact {
		size := float64(n)
		mean, sd := size*(size+1)/4, math.Sqrt(size*(size+1)*(2*size+1)/24)
		return max(0, int(math.Floor(mean+0.5+normalQuantile(tail)*sd)))
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	k, below := 0, 0.0
	for _, p := range rankDistribution(ranks).mass {
		if below+p > tail {
			break
		}
		below += p
		k++
	}
	return k
}

// walsh is the k-th smallest (from 1) mean of two of a sorted list, by bisection
// over the floats' own order: after 64 steps it is the mean itself.
func walsh(sorted []float64, k int) float64 {
	low, high := ordinal(sorted[0]), ordinal(sorted[len(sorted)-1])
	for low < high {
		middle := low + (high-low)/2
		if walshUpTo(sorted, fromOrdinal(middle)) >= k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return fromOrdinal(low)
}

// walshUpTo counts the means of two that are at most t.
func walshUpTo(sorted []float64, t float64) int {
	count, j := 0, len(sorted)-1
	for i := range sorted {
		for j >= i && mid(sorted[i], sorted[j]) > t {
			j--
		}
		if j < i {
			break
		}
		count += j - i + 1
	}
	return count
}

func mid(a, b float64) float64 { return a/2 + b/2 }

// ordinal maps floats to whole numbers of the same order.
func ordinal(x float64) uint64 {
	bits := math.Float64bits(x + 0) // −0 is 0
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func fromOrdinal(n uint64) float64 {
	if n>>63 == 1 {
		return math.Float64frombits(n &^ (1 << 63))
	}
	return math.Float64frombits(^n)
}
