package stats

import (
	"math"
	"testing"
)

// exactCut is the largest k with P(T⁺ < k) ≤ tail, counted out.
func exactCut(n int, tail float64) int {
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	k, below := 0, 0.0
	for _, p := range rankDistribution(ranks).mass {
		if below+p > tail {
			break
		}
		below += p
		k++
	}
	return k
}

// Beyond wilcoxonExact differences the cut is that of the normal limit. At 95 % it
// is the exact one or the next below, so that the interval is never too narrow.
func TestHodgesLehmannIntervalOfMany(t *testing.T) {
	met := 0
	for n := wilcoxonExact + 1; n <= wilcoxonExact+40; n++ {
		got, exact := signedRankCut(n, 0.025), exactCut(n, 0.025)
		if got != exact && got != exact-1 {
			t.Errorf("%d differences: cut %d, want %d or one less", n, got, exact)
		}
		if got == exact {
			met++
		}
	}
	if met < 5 {
		t.Errorf("the cut is the exact one for %d of 40 sizes", met)
	}

	differences := make([]float64, 101)
	for i := range differences {
		differences[i] = float64(i) // 0 … 100: the shift is 50
	}
	low, high := HodgesLehmannInterval(differences, 0.95)
	near(t, "the middle", (low+high)/2, 50, 1e-12)
	// 1.96 standard deviations of the mean of two, in ranks, about 5.8 either way.
	near(t, "half the width", (high-low)/2, 5.8, 0.04)
	if low, high := HodgesLehmannInterval(differences, 1-1e-15); low > 30 || high < 70 {
		t.Errorf("more confidence needs a wider interval: %v … %v", low, high)
	}
	if k := signedRankCut(101, 1e-20); k != 0 {
		t.Errorf("cut %d: 101 differences cannot bound a shift beyond nine deviations", k)
	}
}

// The margin is held only by a loss below it; and the closer the loss, the more
// pairs it takes to see that.
func TestPairsToHoldAtTheMargin(t *testing.T) {
	z := 1.6448536 + 0.8416212
	for name, test := range map[string]struct{ psi, loss, want float64 }{
		"a loss below the margin":            {0.1, 0.015, math.Ceil((0.1 - 0.015*0.015) * math.Pow(z/0.005, 2))},
		"a gain":                             {0.1, -0.02, math.Ceil((0.1 - 0.02*0.02) * math.Pow(z/0.04, 2))},
		"a loss at the margin":               {0.1, 0.02, math.Inf(1)},
		"… where every difference is one":    {0.02 * 0.02, 0.02, math.Inf(1)},
		"a loss beyond the margin":           {0.1, 0.03, math.Inf(1)},
		"a mean square below the loss's own": {0.0001, 0.015, 0},
	} {
		got := PairsToHold(test.psi, test.loss, 0.02, 0.95, 0.8)
		if got != test.want && !(math.Abs(got-test.want) <= 1) {
			t.Errorf("%s: %v pairs, want %v", name, got, test.want)
		}
	}
}
