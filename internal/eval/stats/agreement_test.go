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
		got, _, ok := test.a.Kappa()
		if !ok || math.Abs(got-test.kappa) > 5e-5 {
			t.Errorf("%+v: %v, want %v", test.a, got, test.kappa)
		}
	}
	if _, _, ok := (Agreement{BothPass: 9}).Kappa(); ok {
		t.Error("where all say the same there is no kappa")
	}
}

// What a judge with these errors finds of a true rate is corrected to the true rate.
func TestCorrectedIsTheTrueRate(t *testing.T) {
	a := Agreement{BothPass: 90, FalseFail: 10, FalsePass: 30, BothFail: 70} // se 0.9, sp 0.7
	for _, truth := range []float64{0, 0.25, 0.8, 1} {
		found := truth*0.9 + (1-truth)*0.3
		got, _, err := a.Corrected(found, 200)
		if err != nil || math.Abs(got-truth) > 1e-9 {
			t.Errorf("of %v: %v, %v", truth, got, err)
		}
	}
	if got, _, _ := a.Corrected(0.1, 200); got != 0 {
		t.Errorf("below what the judge passes by mistake it is 0, not %v", got)
	}
	for _, bad := range []Agreement{{BothPass: 5, FalsePass: 5, FalseFail: 5, BothFail: 5}, {BothPass: 10}, {FalsePass: 9, FalseFail: 9}} {
		if _, _, err := bad.Corrected(0.5, 100); err == nil {
			t.Errorf("%+v corrects", bad)
		}
	}
}

// The error is that of drawing everything anew: the labelled answers and the run.
func TestErrorOfTheCorrectedRate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(p float64, n int) (k int) {
		for range n {
			if random.Float64() < p {
				k++
			}
		}
		return k
	}
	const se, sp, truth = 0.85, 0.8, 0.6
	found := truth*se + (1-truth)*(1-sp)
	var values []float64
	sum := 0.0
	for range 4000 {
		pass, fail := draw(se, 120), draw(sp, 80)
		a := Agreement{BothPass: pass, FalseFail: 120 - pass, BothFail: fail, FalsePass: 80 - fail}
		p, _, err := a.Corrected(float64(draw(found, 300))/300, 300)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, p)
		sum += p
	}
	mean, squares := sum/4000, 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	drawn := math.Sqrt(squares / 3999)
	_, want, _ := Agreement{BothPass: 102, FalseFail: 18, BothFail: 64, FalsePass: 16}.Corrected(found, 300)
	if math.Abs(drawn/want-1) > 0.08 {
		t.Errorf("the error over draws is %v, by the formula %v", drawn, want)
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
