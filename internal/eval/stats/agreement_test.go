package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The example of 50 grant proposals: po = 0.7, pe = 0.5, κ = 0.4
// (https://en.wikipedia.org/wiki/Cohen%27s_kappa, "Simple example"), and the two of the
// same article with equal agreement and another κ.
func TestKappaOfPublishedExamples(t *testing.T) {
	for _, test := range []struct {
		a     Agreement
		kappa float64
	}{
		{Agreement{BothPass: 20, FalseFail: 5, FalsePass: 10, BothFail: 15}, 0.4000},
		{Agreement{BothPass: 45, FalseFail: 15, FalsePass: 25, BothFail: 15}, 0.1304},
		{Agreement{BothPass: 25, FalseFail: 35, FalsePass: 5, BothFail: 35}, 0.2593},
	} {
		got, _, _, ok := test.a.Kappa(0.95)
		if !ok || math.Abs(got-test.kappa) > 5e-5 {
			t.Errorf("%+v: %v, want %v", test.a, got, test.kappa)
		}
	}
	for _, c := range readOracles(t).Kappa {
		a := Agreement{BothPass: c.Table[0][0], FalseFail: c.Table[0][1], FalsePass: c.Table[1][0], BothFail: c.Table[1][1]}
		got, _, _, _ := a.Kappa(0.95)
		near(t, "kappa", got, fraction(t, c.Kappa), 1e-15)
	}
	if _, _, _, ok := (Agreement{BothPass: 9}).Kappa(0.95); ok {
		t.Error("where all say the same there is no kappa")
	}
}

// The interval is Cohen's where no cell is rare: κ 0.6 of 4000 has the error
// √(0.8·0.2/4000)/0.5. Of four answers that agree it is the arithmetic of the added
// halves: po = 5/6, pe = 1/2, n = 6.
func TestIntervalOfKappa(t *testing.T) {
	for _, test := range []struct {
		a          Agreement
		confidence float64
		low, high  float64
		within     float64
	}{
		{Agreement{BothPass: 1600, FalseFail: 400, FalsePass: 400, BothFail: 1600}, 0.95, 0.57521, 0.62479, 5e-4},
		{Agreement{BothPass: 1600, FalseFail: 400, FalsePass: 400, BothFail: 1600}, 0.99, 0.56742, 0.63258, 5e-4},
		{Agreement{BothPass: 2, BothFail: 2}, 0.95, 2.0/3 - 1.959964*math.Sqrt(5.0/36/6)/0.5, 1, 1e-6},
		{Agreement{BothPass: 2, BothFail: 2}, 0.2, 2.0/3 - 0.253347*math.Sqrt(5.0/36/6)/0.5, 1, 1e-6}, // widened to κ
		{Agreement{FalseFail: 2, FalsePass: 2}, 0.2, -1, -2.0/3 + 0.253347*math.Sqrt(5.0/36/6)/0.5, 1e-6},
		{Agreement{FalseFail: 2, FalsePass: 2}, 0.95, -1, -2.0/3 + 1.959964*math.Sqrt(5.0/36/6)/0.5, 1e-6},
	} {
		_, low, high, ok := test.a.Kappa(test.confidence)
		if !ok || math.Abs(low-test.low) > test.within || math.Abs(high-test.high) > test.within {
			t.Errorf("%+v: %v to %v, want %v to %v", test.a, low, high, test.low, test.high)
		}
	}
}

// Over draws of a table the interval has the true kappa as often as it says, and where
// nearly all agree too. Tables without a kappa show none.
func TestKappaIsWithinItsInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{4, 20, 100} {
		for _, passed := range []float64{0.5, 0.8, 0.95} {
			for _, judge := range [][2]float64{{1, 1}, {0.98, 0.98}, {0.95, 0.9}, {0.8, 0.7}, {0.5, 0.5}} {
				se, sp := judge[0], judge[1]
				truth, _, _ := cells{passed * se, (1 - passed) * (1 - sp), passed * (1 - se), (1 - passed) * sp, 1}.kappa()
				hits, shown := 0, 0
				for range 2000 {
					var a Agreement
					for range n {
						human := random.Float64() < passed
						a.Add(human, (random.Float64() < map[bool]float64{true: se, false: 1 - sp}[human]))
					}
					kappa, low, high, ok := a.Kappa(0.95)
					if !ok {
						continue
					}
					if low > kappa || kappa > high || high-low < 1e-3 {
						t.Fatalf("%+v: %v in %v to %v", a, kappa, low, high)
					}
					shown++
					if low-1e-9 <= truth && truth <= high+1e-9 {
						hits++
					}
				}
				if share := float64(hits) / float64(shown); share < 0.93 {
					t.Errorf("n %d, %v pass, judge %v: κ %.3f is inside of %.3f of %d", n, passed, judge, truth, share, shown)
				}
			}
		}
	}
}

func TestOrder(t *testing.T) {
	var o Order
	o.Add(1, -1) // the one in both orders
	o.Add(0, 0)
	o.Add(1, 1)
	o.Add(1, 0)
	o.Add(0, -1)
	if o.Bias() != 0.6 || math.Abs(o.Toward()-1.0/3) > 1e-12 {
		t.Errorf("%+v: %v, %v", o, o.Bias(), o.Toward())
	}
}
