//go:build race

package stats

// slower is how much longer sums may take under the race detector.
const slower = 10
