package stats

// McNemar is McNemar's exact test of paired outcomes: b pairs went from pass to
// fail, c from fail to pass. Under the null hypothesis each of the b + c pairs
// that moved is as likely to move up as down, so the number that moved up is
// binomial: P.Less = P(X ≤ c), X ~ Bin(b + c, ½), is small when the outcomes got worse.
//
// Source: McNemar, Psychometrika 12 (1947); exact form in Agresti, Categorical
// Data Analysis, §11.1. It takes O(b + c) and is exact to rounding.
func McNemar(b, c int) P {
	n := b + c
	if n == 0 {
		return tails(1, 1)
	}
	// Terms relative to the largest one, C(n, n/2), go down on both sides, so that
	// nothing overflows; a term that underflows is below 1e-308 of the whole.
	mode := n / 2
	total, less, greater := 0.0, 0.0, 0.0
	add := func(k int, term float64) {
		total += term
		if k <= c {
			less += term
		}
		if k >= c {
			greater += term
		}
	}
	add(mode, 1)
	term := 1.0
	for k := mode + 1; k <= n && term > 0; k++ {
		term *= float64(n-k+1) / float64(k)
		add(k, term)
	}
	term = 1.0
	for k := mode - 1; k >= 0 && term > 0; k-- {
		term *= float64(k+1) / float64(n-k)
		add(k, term)
	}
	return tails(less/total, greater/total)
}
