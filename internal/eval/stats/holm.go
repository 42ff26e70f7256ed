package stats

import (
	"cmp"
	"slices"
)

// Holm adjusts p-values of several tests, so that rejecting those ≤ α keeps the
// chance of any false rejection ≤ α: in ascending order, p₍ᵢ₎ times the number of
// tests from there on, never less than the one before, at most 1. The order of
// the result is that of the argument.
//
// Source: Holm, Scandinavian Journal of Statistics 6 (1979).
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted := make([]float64, len(p))
	before := 0.0
	for rank, i := range order {
		before = max(before, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = before
	}
	return adjusted
}
