package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Wilson is the score interval of a share of passes out of n, n > 0. n may be an
// effective number (see EffectiveN).
//
//	centre ± z·√(p(1−p)/n + z²/4n²), over 1 + z²/n; centre = p + z²/2n
//
// Source: Wilson, JASA 22 (1927).
func Wilson(share, n, confidence float64) (low, high float64) {
	z := normalQuantile((1 + confidence) / 2)
	centre := share + z*z/(2*n)
	half := z * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	low, high = (centre-half)/scale, (centre+half)/scale
	// At the ends the interval touches 0 and 1, but for rounding.
	if share <= 0 {
		low = 0
	}
	if share >= 1 {
		high = 1
	}
	return max(low, 0), min(high, 1)
}

// Around is the normal interval of a figure between 0 and 1 by its standard error, cut
// at both: value ± z·se.
//
// Source: Wald, Transactions of the American Mathematical Society 54 (1943).
func Around(value, se, confidence float64) (low, high float64) {
	half := normalQuantile((1+confidence)/2) * se
	return max(0, value-half), min(1, value+half)
}

// EffectiveN is the number of independent results that would give the same
// standard error of a mean share as the clusters (cases with repeats) do:
// p(1−p)/se², at least the number of clusters, at most that of results. se is
// ClusteredSE's.
//
// Source: Kish, Survey Sampling (1965), on the design effect.
func EffectiveN(share, se float64, clusters, results int) float64 {
	if se <= 0 {
		return float64(clusters)
	}
	return min(max(share*(1-share)/(se*se), float64(clusters)), float64(results))
}

// ClusteredSE is the standard error of the mean over n clusters' means, from
// their sum and their sum of squares: √(s²/n), s² over n − 1. 0 below 2 clusters.
// With clusters of one size it is the cluster-robust error of the mean of all
// results, with the usual factor n/(n−1).
//
// Source: Liang and Zeger, Biometrika 73 (1986), for clusters of one size.
func ClusteredSE(sum, squares float64, n int) float64 {
	if n < 2 {
		return 0
	}
	size := float64(n)
	variance := max(0, squares-sum*sum/size) / (size - 1)
	return math.Sqrt(variance / size)
}

// Clustered sums up values 0 … 1 of cases, of which those that are not independent of
// each other are one cluster.
type Clustered struct {
	N        int     // cases
	Clusters int     // of these
	Sum      float64 // of all values
	Squares  float64 // of the clusters' sums
	Cross    float64 // of the clusters' sums, each times its size
	Sizes    float64 // squares of the clusters' sizes
}

// Add takes a cluster of so many cases by the sum of their values.
func (c *Clustered) Add(sum float64, size int) {
	k := float64(size)
	c.N += size
	c.Clusters++
	c.Sum += sum
	c.Squares += sum * sum
	c.Cross += k * sum
	c.Sizes += k * k
}

// SE is the cluster-robust standard error of the mean p over the N cases, by the G
// clusters' sums S of k cases each:
//
//	√(G/(G−1) · Σ (S − kp)²) / N
//
// For clusters of one case it is ClusteredSE. 0 below 2 clusters.
//
// Source: Liang and Zeger, Biometrika 73 (1986).
func (c Clustered) SE() float64 {
	if c.Clusters < 2 {
		return 0
	}
	p := c.Sum / float64(c.N)
	spread := max(0, c.Squares-2*p*c.Cross+p*p*c.Sizes)
	g := float64(c.Clusters)
	return math.Sqrt(spread*g/(g-1)) / float64(c.N)
}

// ClopperPearson is the exact interval of a share: passes out of n, n > 0; its
// ends are quantiles of the beta distribution.
//
// Source: Clopper and Pearson, Biometrika 26 (1934).
func ClopperPearson(passes, n int, confidence float64) (low, high float64) {
	tail := (1 - confidence) / 2
	k, size := float64(passes), float64(n)
	low, high = 0, 1
	if passes > 0 {
		low = mathext.InvRegIncBeta(k, size-k+1, tail)
	}
	if passes < n {
		high = mathext.InvRegIncBeta(k+1, size-k, 1-tail)
	}
	return low, high
}

// BonettPrice is the interval of the change in a share of passes over n pairs: b
// went from pass to fail, c from fail to pass; negative is a loss.
//
//	p₁ = (b+1)/(n+2), p₂ = (c+1)/(n+2); p₂ − p₁ ± z·√((p₁ + p₂ − (p₂−p₁)²)/(n+2))
//
// Source: Bonett and Price, Journal of Educational and Behavioral Statistics 37 (2012).
func BonettPrice(b, c, n int, confidence float64) (low, high float64) {
	z := normalQuantile((1 + confidence) / 2)
	size := float64(n + 2)
	down, up := float64(b+1)/size, float64(c+1)/size
	change := up - down
	half := z * math.Sqrt((down+up-change*change)/size)
	return max(-1, change-half), min(1, change+half)
}
