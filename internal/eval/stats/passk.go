package stats

import "math"

// PassAtK is the chance that at least one of k attempts passes, estimated without
// bias from n attempts of which c passed, 0 ≤ c ≤ n, 1 ≤ k ≤ n:
//
//	1 − C(n−c, k) / C(n, k)
//
// NaN outside these bounds. Source: Chen et al., arXiv:2107.03374 (2021), equation 1.
func PassAtK(n, c, k int) float64 {
	if c < 0 || c > n {
		return math.NaN()
	}
	return 1 - allOf(n, n-c, k)
}

// PassAllK is the chance that k attempts pass all (pass^k), estimated without bias
// from n attempts of which c passed: C(c, k) / C(n, k). NaN as PassAtK.
//
// Source: Yao et al., arXiv:2406.12045 (2024), §3.
func PassAllK(n, c, k int) float64 {
	if c < 0 || c > n {
		return math.NaN()
	}
	return allOf(n, c, k)
}

// allOf is C(c, k) / C(n, k): the chance that k drawn of n without replacement are
// all among c. The product never overflows.
func allOf(n, c, k int) float64 {
	if k < 1 || k > n {
		return math.NaN()
	}
	chance := 1.0
	for i := range k {
		chance *= float64(max(0, c-i)) / float64(n-i)
	}
	return chance
}

// AllPassBound is the upper confidence bound of the share of failures after k
// attempts all of which passed: 1 − (1 − confidence)^(1/k), 1 for none. It is
// Clopper and Pearson's, one-sided.
//
// Source: Clopper and Pearson, Biometrika 26 (1934).
func AllPassBound(k int, confidence float64) float64 {
	if k < 1 {
		return 1
	}
	return -math.Expm1(math.Log1p(-confidence) / float64(k))
}
