package stats

import "math"

// Differences sums up case differences (now − before, each −1 … 1). Cases that are not
// independent of each other are one cluster, of which the sum counts.
type Differences struct {
	N        int     // cases
	Clusters int     // of these, those of one case included
	Sum      float64 // of all differences
	Squares  float64 // of the clusters' sums
	Cross    float64 // of the clusters' sums, each times its size
	Sizes    float64 // squares of the clusters' sizes
}

// Add takes count cases of one difference, each independent of all others.
func (d *Differences) Add(difference float64, count int) {
	d.add(difference, 1, float64(count))
}

// AddCluster takes a cluster of so many cases by the sum of their differences.
func (d *Differences) AddCluster(sum float64, size int) { d.add(sum, float64(size), 1) }

func (d *Differences) add(sum, size, count float64) {
	d.N += int(size * count)
	d.Clusters += int(count)
	d.Sum += count * sum
	d.Squares += count * sum * sum
	d.Cross += count * size * sum
	d.Sizes += count * size * size
}

// Loss is the mean fall, positive for worse; 0 for no case.
func (d Differences) Loss() float64 {
	if d.N == 0 {
		return 0
	}
	return -d.Sum / float64(d.N)
}

// LossBound is the one-sided upper confidence bound of the loss, from the differences
// and two pseudo-clusters of the mean size k of the clusters, of which one falls and one
// rises: with both the mean is μ, and over the clusters' sums D of k cases each it is
//
//	−μ + z·√(Σ (D − kμ)²) / (N + 2k), at most 1
//
// which for clusters of one case is −μ + z·√(v/(N+2)) with the population variance v.
// With one repeat it is one side of Bonett and Price's interval; the pseudo-clusters keep
// it honest where no case differs. The mean size is that in which a case finds itself, so
// that a few large clusters do not count as many cases.
//
// Source: DESIGN §7, after Bonett and Price (2012); for clusters Liang and Zeger,
// Biometrika 73 (1986).
func (d Differences) LossBound(confidence float64) float64 {
	mean, se := d.smoothed()
	return min(1, -mean+normalQuantile(confidence)*se)
}

// Interval is the two-sided interval of the mean change, with the pseudo-clusters of
// LossBound: with one repeat it is Bonett and Price's.
func (d Differences) Interval(confidence float64) (low, high float64) {
	mean, se := d.smoothed()
	half := normalQuantile((1+confidence)/2) * se
	return max(-1, mean-half), min(1, mean+half)
}

// pseudo is the size of a pseudo-cluster: the mean size of the cluster of a case.
func (d Differences) pseudo() float64 {
	if d.N == 0 {
		return 1
	}
	return d.Sizes / float64(d.N)
}

// smoothed is the mean change with the pseudo-clusters, and its standard error.
func (d Differences) smoothed() (mean, se float64) {
	k := d.pseudo()
	size := float64(d.N) + 2*k
	mean = d.Sum / size
	spread := d.Squares + 2*k*k - 2*mean*d.Cross + mean*mean*(d.Sizes+2*k*k)
	return mean, math.Sqrt(max(0, spread)) / size
}

// Clustered is the two-sided normal interval of the mean change by its clustered standard
// error, that of Clustered.SE with the factor G/(G−1) of G clusters, and without
// pseudo-cases: where cases have many repeats, two of ±1 would outweigh their differences.
// It has no width where all differences are one.
//
// Source: Liang and Zeger, Biometrika 73 (1986); the factor is CR1 of MacKinnon and White,
// Journal of Econometrics 29 (1985), of a mean, for clusters.
func (d Differences) Clustered(confidence float64) (low, high float64) {
	mean := -d.Loss()
	half := normalQuantile((1+confidence)/2) * Clustered(d).SE()
	return max(-1, mean-half), min(1, mean+half)
}

// Moved is the mean square of the differences a case, the pseudo-clusters of LossBound
// included: with one repeat, the share of cases that move. The sum of a cluster counts
// squared, which has the design effect in it: the cases that PairsNeeded and PairsToHold
// make of it are cases in clusters like these.
func (d Differences) Moved() float64 {
	k := d.pseudo()
	return (d.Squares + 2*k*k) / (float64(d.N) + 2*k)
}

// PairsNeeded is the number of pairs at which a one-sided test at level alpha sees
// a loss with the power, when psi is the share of pairs that move (or the mean
// square of their differences):
//
//	n = (z_α·√ψ + z_β·√(ψ − loss²))² / loss²
//
// +Inf for no loss; a loss beyond √ψ is taken as √ψ.
//
// Source: Connor, Biometrics 43 (1987); Miettinen (1968).
func PairsNeeded(psi, loss, alpha, power float64) float64 {
	if loss <= 0 || psi <= 0 {
		return math.Inf(1)
	}
	loss = min(loss, math.Sqrt(psi))
	root := normalQuantile(1-alpha)*math.Sqrt(psi) + normalQuantile(power)*math.Sqrt(psi-loss*loss)
	return math.Ceil(root * root / (loss * loss))
}

// Detectable is DetectableLoss of as many cases in clusters like these, of which it is
// clusters that must move: never below the share of ⌈log₂ 1/α⌉ of them.
func (d Differences) Detectable(alpha, power float64) float64 {
	return min(1, max(DetectableLoss(d.Moved(), d.N, alpha, power), math.Ceil(-math.Log2(alpha))/float64(d.Clusters)))
}

// DetectableLoss is the smallest loss that n pairs show with the power, PairsNeeded
// turned around. An exact test of signs rejects nothing before ⌈log₂ 1/α⌉ pairs (5 at
// 0.05) have moved one way, so it is never below their share. 1 where no loss can be seen.
//
// Source: Connor, Biometrics 43 (1987), as PairsNeeded.
func DetectableLoss(psi float64, n int, alpha, power float64) float64 {
	fewest := math.Ceil(-math.Log2(alpha)) / float64(n)
	low, high := 0.0, min(1, math.Sqrt(psi))
	if fewest >= 1 || PairsNeeded(psi, high, alpha, power) > float64(n) {
		return 1
	}
	for range 50 {
		middle := (low + high) / 2
		if PairsNeeded(psi, middle, alpha, power) > float64(n) {
			low = middle
		} else {
			high = middle
		}
	}
	return max(high, fewest)
}

// DetectableBreak is the smallest loss that n pairs show with the power when so many
// pairs break for good, beside a noise that moves pairs either way: the least loss δ
// with PairsNeeded(noise + δ, δ) ≤ n, and never below the ⌈log₂ 1/α⌉ pairs that an exact
// test of signs needs. noise is the mean square of the differences where nothing has
// changed. 1 where no loss can be seen.
//
// Source: Connor, Biometrics 43 (1987), as PairsNeeded.
func DetectableBreak(noise float64, n int, alpha, power float64) float64 {
	fewest := math.Ceil(-math.Log2(alpha)) / float64(n)
	if fewest >= 1 || PairsNeeded(noise+1, 1, alpha, power) > float64(n) {
		return 1
	}
	low, high := 0.0, 1.0
	for range 50 {
		middle := (low + high) / 2
		if PairsNeeded(noise+middle, middle, alpha, power) > float64(n) {
			low = middle
		} else {
			high = middle
		}
	}
	return max(high, fewest)
}

// PairsToHold is the number of pairs at which a bound at the confidence lies
// within the margin with the power, when the true loss is less than the margin and
// the differences have mean square psi:
//
//	n = (z_confidence + z_power)² · (ψ − loss²) / (margin − loss)²
//
// +Inf where the loss is not less.
//
// Source: Julious, Statistics in Medicine 23 (2004), on non-inferiority.
func PairsToHold(psi, loss, margin, confidence, power float64) float64 {
	if loss >= margin {
		return math.Inf(1)
	}
	root := (normalQuantile(confidence) + normalQuantile(power)) / (margin - loss)
	return math.Ceil(max(0, psi-loss*loss) * root * root)
}
