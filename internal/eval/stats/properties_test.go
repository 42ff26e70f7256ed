package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// rationalLess is P(ΣA ≤ observed) with rational numbers, case by case.
func rationalLess(counts Strata, observed int) float64 {
	sum := []*big.Rat{big.NewRat(1, 1)}
	for _, s := range counts.Sorted() {
		t := s.A + s.B
		all := new(big.Int).Binomial(int64(s.N+s.M), int64(t))
		for range counts[s] {
			next := make([]*big.Rat, len(sum)+s.N)
			for i := range next {
				next[i] = new(big.Rat)
			}
			for k := max(0, t-s.M); k <= min(s.N, t); k++ {
				ways := new(big.Int).Mul(new(big.Int).Binomial(int64(s.N), int64(k)), new(big.Int).Binomial(int64(s.M), int64(t-k)))
				p := new(big.Rat).SetFrac(ways, all)
				for i, q := range sum {
					next[i+k].Add(next[i+k], new(big.Rat).Mul(p, q))
				}
			}
			sum = next
		}
	}
	p := new(big.Rat)
	for i := 0; i <= observed && i < len(sum); i++ {
		p.Add(p, sum[i])
	}
	f, _ := p.Float64()
	return f
}

// passes is ΣA, what the test observes.
func (s Strata) passes() int {
	sum := 0
	for stratum, count := range s {
		sum += stratum.A * count
	}
	return sum
}

func TestStratifiedAgreesWithRationalNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		counts := Strata{}
		for range 1 + random.IntN(12) {
			n, m := random.IntN(6), 1+random.IntN(10)
			counts[Stratum{random.IntN(n + 1), n, random.IntN(m + 1), m}]++
		}
		got := StratifiedExact(counts)
		near(t, "P.Less", got.Less, rationalLess(counts, counts.passes()), 1e-13)
		if both := got.Less + got.Greater; both < 1-1e-12 {
			t.Errorf("both tails share the observed value, but sum to %v", both)
		}
	}
}

func TestStratifiedIsSymmetric(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	for range 200 {
		counts, fails := Strata{}, Strata{}
		for range 20 {
			n, m := 1+random.IntN(5), 1+random.IntN(5)
			s := Stratum{random.IntN(n + 1), n, random.IntN(m + 1), m}
			counts[s]++
			fails[Stratum{s.N - s.A, s.N, s.M - s.B, s.M}]++
		}
		a, b := StratifiedExact(counts), StratifiedExact(fails)
		near(t, "passes and fails swapped", a.Less, b.Greater, 1e-12)
		near(t, "passes and fails swapped", a.Greater, b.Less, 1e-12)
	}
}

func TestTrimmedTailsStayRight(t *testing.T) {
	// One repeat is McNemar's exact test; given as two repeats with a pass in
	// common it has the same free choice only through the convolution.
	counts := Strata{{A: 0, N: 1, B: 3, M: 5}: 3200, {A: 1, N: 1, B: 3, M: 5}: 4800}
	got := StratifiedExact(counts)
	// Every Aᵢ is Bernoulli with p = 3/6 or 4/6: compare with the normal limit.
	z := (float64(counts.passes()) + 0.5 - got.Expected) / math.Sqrt(got.Variance)
	near(t, "P.Less against the normal limit", got.Less, normalCDF(z), 2e-3)
	near(t, "tails share one value", got.Less+got.Greater, 1, 0.02)
	far := Strata{{A: 0, N: 1, B: 5, M: 5}: 8000}
	if p := StratifiedExact(far).Less; p > 1e-25 || p <= 0 {
		t.Errorf("p = %g, want a bound near 0 but above it", p)
	}
}

func TestMcNemarOfManyPairs(t *testing.T) {
	near(t, "even", McNemar(500_000, 500_000).Less, 0.5+0.5*math.Sqrt(2/(math.Pi*1e6)), 1e-9)
	z := (499_000 + 0.5 - 500_000) / math.Sqrt(250_000)
	near(t, "two deviations down", McNemar(501_000, 499_000).Less, normalCDF(z), 1e-6)
	if p := McNemar(2000, 0); p.Less != 0 || p.Greater != 1 {
		t.Errorf("2⁻²⁰⁰⁰ is below the smallest float: %v", p)
	}
	if p := McNemar(0, 0); p.Less != 1 || p.Greater != 1 {
		t.Errorf("no pair that moved says nothing: %v", p)
	}
}

// Under the null hypothesis p ≤ α at most as often as α (and not much less often,
// where the outcomes are fine enough).
func TestPIsUniformUnderTheNull(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	const runs = 1000
	var stratified, flips, ranks int
	for range runs {
		counts := Strata{}
		var differences []float64
		for range 60 {
			rate := random.Float64()
			draw := func(n int) (passes int) {
				for range n {
					if random.Float64() < rate {
						passes++
					}
				}
				return passes
			}
			s := Stratum{draw(3), 3, draw(5), 5}
			counts[s]++
			differences = append(differences, random.NormFloat64())
		}
		if StratifiedExact(counts).Less <= 0.05 {
			stratified++
		}
		if SignFlip(differences[:18], 3).Less <= 0.05 {
			flips++
		}
		if Wilcoxon(differences).Greater <= 0.05 {
			ranks++
		}
	}
	// Three standard errors of a share of 0.05 over 1,000 runs are 0.021.
	for name, hits := range map[string]int{"stratified": stratified, "sign flip": flips, "signed rank": ranks} {
		share := float64(hits) / runs
		if share > 0.071 || share < 0.03 {
			t.Errorf("%s: p ≤ 0.05 in a share of %v under the null hypothesis", name, share)
		}
	}
}

func TestSignFlipOfManyAgreesWithTheNormalLimit(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 10))
	for _, shift := range []float64{-0.1, 0, 0.05} {
		differences := make([]float64, 150)
		thirds := make([]float64, 150)
		for i := range differences {
			differences[i] = random.NormFloat64() + shift
			thirds[i] = math.Round(3*differences[i]) / 3
		}
		for _, d := range [][]float64{differences, thirds} {
			got := SignFlip(d, 1)
			observed := 0.0
			for _, x := range d {
				observed += x
			}
			want := signFlipNormal(d, observed)
			near(t, "less", got.Less, want.Less, 0.02)
			near(t, "greater", got.Greater, want.Greater, 0.02)
			if again := SignFlip(d, 1); again != got {
				t.Errorf("the same seed gave %v, then %v", got, again)
			}
		}
	}
	if p := SignFlip([]float64{0, 0}, 1); p.Less != 1 || p.Greater != 1 {
		t.Errorf("differences of 0 say nothing: %v", p)
	}
}

func TestSignFlipCountsTiesOfRoundedSums(t *testing.T) {
	// 0.1 + 0.2 is not 0.3 in floats; all the same all eight sums are whole tenths.
	p := SignFlip([]float64{-0.1, -0.2, 0.3}, 1)
	near(t, "P(S ≤ 0)", p.Less, 5.0/8, 1e-15)
	near(t, "P(S ≥ 0)", p.Greater, 5.0/8, 1e-15)
}

func TestWilcoxonOfManyAgreesWithTheExactOne(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 11))
	differences := make([]float64, wilcoxonExact+1)
	for i := range differences {
		differences[i] = random.NormFloat64() + 0.15
	}
	for tolerance := 2e-4; len(differences) <= 400; {
		ranks, positive := doubledRanks(differences)
		exact := rankDistribution(ranks).tails(positive)
		got := Wilcoxon(differences)
		near(t, "less", got.Less, exact.Less, tolerance)
		near(t, "greater", got.Greater, exact.Greater, tolerance)
		differences = append(differences, differences...)
		tolerance = 3e-3 // with ties the steps are no longer even
	}
}

func TestHodgesLehmannAgreesWithAllMeans(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 12))
	for n := 1; n < 40; n++ {
		differences := make([]float64, n)
		for i := range differences {
			differences[i] = math.Round(8*random.NormFloat64()) / 8
		}
		var means []float64
		for i := range differences {
			for j := i; j < n; j++ {
				means = append(means, (differences[i]+differences[j])/2)
			}
		}
		slices.Sort(means)
		want := (means[(len(means)-1)/2] + means[len(means)/2]) / 2
		near(t, "shift", HodgesLehmann(differences), want, 1e-15)
	}
	if !math.IsNaN(HodgesLehmann(nil)) {
		t.Error("no difference has no shift")
	}
	if low, high := HodgesLehmannInterval([]float64{1, 2, 3, 4, 5}, 0.95); !math.IsInf(low, -1) || !math.IsInf(high, 1) {
		t.Errorf("five differences cannot bound a shift at 95 %%: %v … %v", low, high)
	}
}

func TestLossBoundCoversTheLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 13))
	const runs, loss = 4000, 0.03
	covered := 0
	for range runs {
		var d Differences
		for range 200 {
			switch u := random.Float64(); {
			case u < 0.05+loss:
				d.Add(-1, 1)
			case u < 0.10+loss:
				d.Add(1, 1)
			default:
				d.Add(0, 1)
			}
		}
		if d.LossBound(0.95) >= loss {
			covered++
		}
	}
	if share := float64(covered) / runs; share < 0.94 || share > 0.97 {
		t.Errorf("the 95 %% bound covers the loss in a share of %v", share)
	}
	var none Differences
	near(t, "no case", none.LossBound(0.95), 1, 0)
	none.Add(0, 10)
	near(t, "ten cases that do not differ", none.LossBound(0.95), 1.6448536*math.Sqrt(2.0/12/12), 1e-6)
}

func TestLatencyQuantile(t *testing.T) {
	var finished []time.Duration
	for i := 60; i > 0; i-- {
		finished = append(finished, time.Duration(i)*time.Millisecond)
	}
	if got := LatencyQuantile(finished, nil, 0.95); got.Value != 57*time.Millisecond || got.AtLeast || got.N != 60 {
		t.Errorf("p95 of 1 … 60 ms = %+v", got)
	}
	if got := LatencyQuantile(finished, nil, 0.5); got.Value != 30*time.Millisecond {
		t.Errorf("p50 of 1 … 60 ms = %+v", got)
	}
	cut := []time.Duration{5 * time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond, 4 * time.Millisecond}
	if got := LatencyQuantile(finished, cut, 0.95); got.Value != 4*time.Millisecond || !got.AtLeast {
		t.Errorf("four timeouts of 64 calls reach p95, whenever they were cut: %+v", got)
	}
	if got := LatencyQuantile(finished, cut[:1], 0.95); got.Value != 58*time.Millisecond || got.AtLeast {
		t.Errorf("one timeout of 61 calls shifts p95 by a rank: %+v", got)
	}
	if got := LatencyQuantile(nil, nil, 0.95); got.N != 0 {
		t.Errorf("no call has no quantile: %+v", got)
	}
}

func TestPairsToHold(t *testing.T) {
	near(t, "n", PairsToHold(0.1, 0, 0.02, 0.95, 0.8), math.Ceil(0.1*math.Pow((1.6448536+0.8416212)/0.02, 2)), 1e-6)
	if n := PairsToHold(0.1, 0.02, 0.02, 0.95, 0.8); !math.IsInf(n, 1) {
		t.Errorf("a loss at the margin is never held: %v", n)
	}
	if d := DetectableLoss(0.1, 3, 0.05, 0.8); d != 1 {
		t.Errorf("three pairs show nothing: %v", d)
	}
}

// manyCases is 10,000 cases × 10 repeats in both arms, some with fewer.
func manyCases() Strata {
	random := rand.New(rand.NewPCG(14, 14))
	counts := Strata{}
	for range 10_000 {
		n, m := 10, 10
		if random.IntN(10) == 0 {
			n = 1 + random.IntN(9)
		}
		counts[Stratum{random.IntN(n + 1), n, random.IntN(m + 1), m}]++
	}
	return counts
}

func TestTenThousandCasesOfTenRepeatsTakeLessThanASecond(t *testing.T) {
	counts := manyCases()
	start := time.Now()
	got := StratifiedExact(counts)
	took := time.Since(start)
	z := (float64(counts.passes()) + 0.5 - got.Expected) / math.Sqrt(got.Variance)
	near(t, "P.Less against the normal limit", got.Less, normalCDF(z), 1e-3)
	if limit := slower * time.Second; took > limit {
		t.Errorf("took %v, more than %v", took, limit)
	}
	t.Logf("%d kinds of cases in %v", len(counts), took)
}

func BenchmarkStratifiedExact(b *testing.B) {
	counts := manyCases()
	for b.Loop() {
		StratifiedExact(counts)
	}
}

func BenchmarkSignFlip(b *testing.B) {
	random := rand.New(rand.NewPCG(15, 15))
	differences := make([]float64, 10_000)
	for i := range differences {
		differences[i] = random.NormFloat64()
	}
	for b.Loop() {
		SignFlip(differences, 1)
	}
}
