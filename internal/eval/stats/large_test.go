package stats

import (
	"math"
	"math/rand/v2"
	"slices"
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
func TestSignedRankCutOfMany(t *testing.T) {
	for n := wilcoxonExact + 1; n <= wilcoxonExact+40; n++ {
		got, exact := signedRankCut(n, 0.025), exactCut(n, 0.025)
		if got != exact && got != exact-1 {
			t.Errorf("%d differences: cut %d, want %d or one less", n, got, exact)
		}
		size := float64(n)
		mean, sd := size*(size+1)/4, math.Sqrt(size*(size+1)*(2*size+1)/24)
		below := func(k int) float64 { return normalCDF((float64(k) - 0.5 - mean) / sd) } // P(T⁺ < k)
		if below(got) > 0.025 || below(got+1) <= 0.025 {
			t.Errorf("%d differences: P(T⁺ < %d) = %v, P(T⁺ < %d) = %v; want the last one up to 0.025", n, got, below(got), got+1, below(got+1))
		}
	}
	if k := signedRankCut(101, 1e-20); k != 0 {
		t.Errorf("cut %d: 101 differences cannot bound a shift beyond nine deviations", k)
	}
}

func TestHodgesLehmannIntervalOfMany(t *testing.T) {
	random := rand.New(rand.NewPCG(16, 16))
	differences := make([]float64, wilcoxonExact+1)
	var means []float64
	for i := range differences {
		differences[i] = random.NormFloat64() + 0.3
		for j := range i + 1 {
			means = append(means, mid(differences[i], differences[j]))
		}
	}
	slices.Sort(means)
	cut := signedRankCut(len(differences), 0.025)
	low, high := HodgesLehmannInterval(differences, 0.95)
	near(t, "low", low, means[cut-1], 1e-15)
	near(t, "high", high, means[len(means)-cut], 1e-15)
	if wideLow, wideHigh := HodgesLehmannInterval(differences, 0.999); wideLow >= low || wideHigh <= high {
		t.Errorf("more confidence needs a wider interval: %v … %v", wideLow, wideHigh)
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
