package stats

import (
	"cmp"
	"slices"
)

// BenjaminiHochberg adjusts p-values of several tests, so that rejecting those ≤ q
// keeps the expected share of false rejections among all rejections ≤ q, where the
// tests are independent or positively dependent: from the largest down, p₍ᵢ₎ times
// the number of tests over its rank, never more than the one after, at most 1. The
// order of the result is that of the argument.
//
// Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).
func BenjaminiHochberg(p []float64) []float64 { return BenjaminiHochbergOf(p, len(p)) }

// BenjaminiHochbergOf likewise, where p are the smallest of n tests: what they are
// adjusted to is never less than with all n.
//
// Source: Benjamini and Hochberg (1995), as above.
func BenjaminiHochbergOf(p []float64, n int) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted := make([]float64, len(p))
	after := 1.0
	for rank, i := range slices.Backward(order) {
		after = min(after, p[i]*float64(n)/float64(rank+1))
		adjusted[i] = after
	}
	return adjusted
}
