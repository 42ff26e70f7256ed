package stats

import (
	"math"
	"slices"
	"time"
)

// QuantileMinN is the smallest n at which a sample has, with the confidence, a
// value at or beyond the quantile: the least n with 1 − qⁿ ≥ confidence; 59 for
// p95 at 95 %. Below it a sample says nothing about the tail.
//
// Source: Wilks, Annals of Mathematical Statistics 12 (1941).
func QuantileMinN(quantile, confidence float64) int {
	return int(math.Ceil(math.Log1p(-confidence)/math.Log(quantile) - 1e-12))
}

// Latency is one quantile of a sample of durations.
type Latency struct {
	Value   time.Duration
	AtLeast bool // the quantile is a call that was cut off: it would have taken longer
	N       int
}

// LatencyQuantile is the order statistic of rank ⌈q·n⌉, never between two values.
// Calls that were cut off after a time are right-censored: they count as slower
// than every call that finished. Both slices are sorted in place. A zero N has no value.
//
// Source: Hyndman and Fan, The American Statistician 50 (1996), definition 1.
func LatencyQuantile(finished, cut []time.Duration, q float64) Latency {
	n := len(finished) + len(cut)
	if n == 0 {
		return Latency{}
	}
	slices.Sort(finished)
	slices.Sort(cut)
	// The product of q and n may stand an ulp above a whole number.
	rank := min(max(int(math.Ceil(q*float64(n)-1e-9)), 1), n)
	if rank <= len(finished) {
		return Latency{Value: finished[rank-1], N: n}
	}
	return Latency{Value: cut[rank-len(finished)-1], AtLeast: true, N: n}
}
