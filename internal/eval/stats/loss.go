package stats

import "math"

// Differences sums up case differences (now − before, each −1 … 1).
type Differences struct {
	N       int
	Sum     float64
	Squares float64
}

// Add takes count cases of one difference.
func (d *Differences) Add(difference float64, count int) {
	d.N += count
	d.Sum += float64(count) * difference
	d.Squares += float64(count) * difference * difference
}

// Loss is the mean fall, positive for worse; 0 for no case.
func (d Differences) Loss() float64 {
	if d.N == 0 {
		return 0
	}
	return -d.Sum / float64(d.N)
}

// LossBound is the one-sided upper confidence bound of the loss: the case
// differences with two pseudo-cases +1 and −1 have mean μ and population variance
// v over N + 2; the bound is −μ + z·√(v/(N+2)), at most 1. With one repeat it is one
// side of Bonett and Price's interval; the pseudo-cases keep it honest where no
// case differs.
//
// Source: DESIGN §7, after Bonett and Price (2012).
func (d Differences) LossBound(confidence float64) float64 {
	mean, variance, size := d.smoothed()
	return min(1, -mean+normalQuantile(confidence)*math.Sqrt(variance/size))
}

// Interval is the two-sided interval of the mean change, from the differences with the
// two pseudo-cases: with one repeat it is Bonett and Price's.
func (d Differences) Interval(confidence float64) (low, high float64) {
	mean, variance, size := d.smoothed()
	half := normalQuantile((1+confidence)/2) * math.Sqrt(variance/size)
	return max(-1, mean-half), min(1, mean+half)
}

// Clustered is the two-sided normal interval of the mean change by its clustered standard
// error, without pseudo-cases: where cases have many repeats, two of ±1 would outweigh
// their differences. It has no width where all differences are one.
func (d Differences) Clustered(confidence float64) (low, high float64) {
	half := normalQuantile((1+confidence)/2) * ClusteredSE(d.Sum, d.Squares, d.N)
	return max(-1, -d.Loss()-half), min(1, -d.Loss()+half)
}

// Moved is the mean square of the differences, pseudo-cases included: with one
// repeat, the share of cases that move.
func (d Differences) Moved() float64 { return (d.Squares + 2) / float64(d.N+2) }

func (d Differences) smoothed() (mean, variance, size float64) {
	size = float64(d.N + 2)
	mean = d.Sum / size
	return mean, (d.Squares+2)/size - mean*mean, size
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

// DetectableLoss is the smallest loss that n pairs show with the power, PairsNeeded
// turned around. An exact test of signs rejects nothing before ⌈log₂ 1/α⌉ pairs (5 at
// 0.05) have moved one way, so it is never below their share. 1 where no loss can be seen.
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

// PairsToHold is the number of pairs at which a bound at the confidence lies
// within the margin with the power, when the true loss is less than the margin and
// the differences have mean square psi. +Inf where the loss is not less.
func PairsToHold(psi, loss, margin, confidence, power float64) float64 {
	if loss >= margin {
		return math.Inf(1)
	}
	root := (normalQuantile(confidence) + normalQuantile(power)) / (margin - loss)
	return math.Ceil(max(0, psi-loss*loss) * root * root)
}
