package stats

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// What a judge with these errors finds of a true rate is corrected to the true rate.
func TestCorrectedIsTheTrueRate(t *testing.T) {
	a := Agreement{BothPass: 90, FalseFail: 10, FalsePass: 30, BothFail: 70} // se 0.9, sp 0.7
	for _, truth := range []float64{0, 0.25, 0.8, 1} {
		found := truth*0.9 + (1-truth)*0.3
		got, low, high, err := a.Corrected(found, 200, 0.95)
		if err != nil || math.Abs(got-truth) > 1e-9 || low > truth+1e-9 || high < truth-1e-9 {
			t.Errorf("of %v: %v, %v to %v, %v", truth, got, low, high, err)
		}
	}
	if got, low, _, _ := a.Corrected(0.28, 200, 0.95); got != 0 || low != 0 {
		t.Errorf("below what the judge passes by mistake it is 0, not %v", got)
	}
	for _, bad := range []Agreement{{BothPass: 5, FalsePass: 5, FalseFail: 5, BothFail: 5}, {BothPass: 10}, {FalsePass: 9, FalseFail: 9}} {
		if _, _, _, err := bad.Corrected(0.5, 100, 0.95); err == nil {
			t.Errorf("%+v corrects", bad)
		}
	}
}

// Both ends by hand, of the paper's formulas: 8 of 10 and 7 of 10 told right, half of 100
// answers passed. n' = 103.8415, r' = 1/2, se' = 9/12, sp' = 8/12, y' = 5/12, p' = 0.4;
// se'(1 − se')/12 = 0.015625, sp'(1 − sp')/12 = 0.0185185.
func TestEndsOfTheCorrectedRate(t *testing.T) {
	a := Agreement{BothPass: 8, FalseFail: 2, BothFail: 7, FalsePass: 3}
	const z = 1.959964
	shift := 2 * z * z * (0.4*0.015625 - 0.6*0.0185185185)
	half := z * math.Sqrt(0.25/103.841459+0.16*0.015625+0.36*0.0185185185) / (5.0 / 12)
	_, low, high, err := a.Corrected(0.5, 100, 0.95)
	if err != nil || math.Abs(low-max(0, 0.4+shift-half)) > 1e-6 || math.Abs(high-(0.4+shift+half)) > 1e-6 {
		t.Errorf("%v to %v, %v; want %v to %v", low, high, err, 0.4+shift-half, 0.4+shift+half)
	}
	// the low end is no cut: r' = 1/2, se' = 801/1002, sp' = 701/1002, p' = 200/500
	big := Agreement{BothPass: 800, FalseFail: 200, BothFail: 700, FalsePass: 300}
	_, low, high, _ = big.Corrected(0.5, 10000, 0.95)
	if math.Abs(low-0.3554179) > 1e-6 || math.Abs(high-0.4436321) > 1e-6 {
		t.Errorf("of many: %.7f to %.7f", low, high)
	}
}

// Few labels that all agree, and no pass or none but passes: the interval has a width.
func TestFewLabelsClaimNoCertainty(t *testing.T) {
	few := Agreement{BothPass: 2, BothFail: 2}
	for _, rate := range []float64{0, 1} {
		p, low, high, err := few.Corrected(rate, 5, 0.95)
		if err != nil || p != rate || high-low < 0.3 || low > p || high < p {
			t.Errorf("of %v: %v, %v to %v, %v", rate, p, low, high, err)
		}
	}
	// the rate lies beside its interval, which is drawn in by one label that passed
	if p, low, high, err := (Agreement{BothPass: 1, BothFail: 7}).Corrected(0.98, 5000, 0.95); err != nil || low != p || high != 1 {
		t.Errorf("%v is not in %v to %v, %v", p, low, high, err)
	}
	// drawn in, what these labels say is worse than chance: nothing is known
	if p, low, high, err := (Agreement{BothPass: 1, BothFail: 10, FalsePass: 90}).Corrected(0.95, 100, 0.95); err != nil || low != 0 || high != 1 {
		t.Errorf("%v, %v to %v, %v; want 0 to 1", p, low, high, err)
	}
	// what the errors cannot explain is no certainty, but no rate at all
	for want, test := range map[string]struct {
		a    Agreement
		rate float64
	}{
		"passed more answers than its errors explain (it passes 60.0 % of what people pass":  {Agreement{BothPass: 60, FalseFail: 40, BothFail: 90, FalsePass: 10}, 1},
		"passed fewer answers than its errors explain (it passes 40.0 % of what people fail": {Agreement{BothPass: 90, FalseFail: 10, BothFail: 60, FalsePass: 40}, 0},
	} {
		if _, low, high, err := test.a.Corrected(test.rate, 200, 0.95); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v to %v, %v; want %s", low, high, err, want)
		}
	}
	// just short of that it is no surer than what was found: 5/(5 + z²) and its like
	near := Agreement{BothPass: 8, FalseFail: 2, BothFail: 10}
	for rate, want := range map[float64][2]float64{1: {50 / 53.841459, 1}, 0: {0, 3.841459 / 53.841459}} {
		a := near
		if rate == 0 {
			a = Agreement{BothPass: near.BothFail, BothFail: near.BothPass, FalsePass: near.FalseFail}
		}
		if _, low, high, err := a.Corrected(rate, 50, 0.95); err != nil || math.Abs(low-want[0]) > 1e-6 || math.Abs(high-want[1]) > 1e-6 {
			t.Errorf("just short of it: %v to %v, %v; want %v", low, high, err, want)
		}
	}
}

// Over draws of everything anew, the labels and the answers, the interval has the true
// rate as often as it says, at both ends too. What is refused for labels that say nothing
// is left out; labels that explain no rate are a miss. Of 5 answers a share of 1/2
// can be inside of 30/32 of the draws only, by Agresti and Coull's interval, which this
// is where the judge is never wrong.
func TestTrueRateIsWithinItsInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(p float64, n int) (k int) {
		for range n {
			if random.Float64() < p {
				k++
			}
		}
		return k
	}
	const draws = 3000
	for _, labels := range []int{4, 20, 100} {
		for _, judge := range [][2]float64{{1, 1}, {0.95, 0.9}, {0.8, 0.7}} {
			for _, n := range []int{5, 50, 200} {
				for _, truth := range []float64{0, 0.02, 0.5, 0.98, 1} {
					se, sp := judge[0], judge[1]
					found := truth*se + (1-truth)*(1-sp)
					hits, shown := 0, 0
					for range draws {
						pass, fail := draw(se, labels/2), draw(sp, labels/2)
						a := Agreement{BothPass: pass, FalseFail: labels/2 - pass, BothFail: fail, FalsePass: labels/2 - fail}
						p, low, high, err := a.Corrected(float64(draw(found, n))/float64(n), float64(n), 0.95)
						if err != nil && !strings.Contains(err.Error(), "errors explain") {
							continue
						}
						shown++
						if err != nil {
							continue
						}
						if low > p || p > high || high-low < 0.01 {
							t.Fatalf("%+v: %v in %v to %v", a, p, low, high)
						}
						if low <= truth && truth <= high {
							hits++
						}
					}
					least := 0.93
					if n == 5 && se == 1 && truth == 0.5 {
						least = 0.92 // 0.9375, but for the draws
					}
					if share := float64(hits) / float64(shown); share < least {
						t.Errorf("%d labels, judge %v, %d answers, truth %v: inside of %.3f of %d", labels, judge, n, truth, share, shown)
					}
				}
			}
		}
	}
}
