package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Evidence is the e-value against "a pair that moved is as likely to get better as
// worse", when b pairs got worse and c better, in favour of worse: the mean likelihood
// ratio over chances of worse drawn evenly from ½ … 1,
//
//	2^(b+c) · 2 ∫_{½}^{1} θ^b (1−θ)^c dθ
//
// It may be looked at after every pair: the chance that it ever reaches 1/α where
// nothing has changed is at most α. 1 for no pair.
//
// Source: Ville's inequality; Shafer, Journal of the Royal Statistical Society A 184 (2021).
func Evidence(b, c int) float64 {
	down, up := float64(b+1), float64(c+1)
	logBeta, _ := math.Lgamma(down)
	other, _ := math.Lgamma(up)
	both, _ := math.Lgamma(down + up)
	// Of the tail beyond ½: I_{½}(up, down) = 1 − I_{½}(down, up), without the cancellation.
	return math.Exp((down+up-1)*math.Ln2+logBeta+other-both) * mathext.RegIncBeta(up, down, 0.5)
}
