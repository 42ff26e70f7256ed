// Package stats has the statistics that a verdict rests on: pure functions over
// numbers. It imports gonum besides the standard library, and is the only package
// that does. Every figure is checked against worked examples in testdata.
package stats

// P is the outcome of a test of a statistic whose small values mean "less".
// Under the null hypothesis each is at most α with probability at most α.
type P struct {
	Less     float64 // probability of what was observed, or less
	Greater  float64 // probability of what was observed, or more
	TwoSided float64 // twice the smaller, at most 1
}

// tails makes a P of both one-sided probabilities. Sums of rounded terms may
// stand a few ulps above 1.
func tails(less, greater float64) P {
	less, greater = min(less, 1), min(greater, 1)
	return P{Less: less, Greater: greater, TwoSided: min(1, 2*min(less, greater))}
}
