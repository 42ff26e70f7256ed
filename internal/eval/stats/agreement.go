package stats

import "math"

// Agreement counts how a judge and people passed the same answers.
type Agreement struct {
	BothPass  int
	FalsePass int // the judge passes what people fail
	FalseFail int // the judge fails what people pass
	BothFail  int
}

// Add takes one answer.
func (a *Agreement) Add(human, judge bool) {
	switch {
	case human && judge:
		a.BothPass++
	case human:
		a.FalseFail++
	case judge:
		a.FalsePass++
	default:
		a.BothFail++
	}
}

// N is how many answers both judged; Passed and Failed are those that people passed and
// failed.
func (a Agreement) N() int      { return a.Passed() + a.Failed() }
func (a Agreement) Passed() int { return a.BothPass + a.FalseFail }
func (a Agreement) Failed() int { return a.BothFail + a.FalsePass }

// Accuracy is the share of answers that both judge alike.
func (a Agreement) Accuracy() float64 { return over(float64(a.BothPass+a.BothFail), float64(a.N())) }

// FalsePassRate is the share of what people fail that the judge passes; FalseFailRate
// the share of what they pass that it fails.
func (a Agreement) FalsePassRate() float64 { return over(float64(a.FalsePass), float64(a.Failed())) }
func (a Agreement) FalseFailRate() float64 { return over(float64(a.FalseFail), float64(a.Passed())) }

// Kappa is the agreement beyond chance, (po − pe) / (1 − pe), with its interval: the
// normal one by Cohen's standard error √(po(1 − po) / (n(1 − pe)²)), of the table with
// 1/2 added to each of its four cells, cut to −1..1. Of the table as it is the error is 0
// where all agree, however few. The added halves draw the middle towards 0, so that the
// interval is widened to kappa where that is outside of it. It is false where one of the
// two says the same of everything that the other does, and chance alone agrees.
//
// Source: Cohen, Educational and Psychological Measurement 20 (1960). The halves are those
// that are usual for odds ratios (Agresti, Categorical Data Analysis, 2013, 3.1.1); for
// kappa a simulation in the tests says how often it is inside.
func (a Agreement) Kappa(confidence float64) (kappa, low, high float64, ok bool) {
	kappa, _, ok = a.cells(0).kappa()
	if !ok {
		return 0, 0, 0, false
	}
	middle, se, _ := a.cells(0.5).kappa()
	half := normalQuantile((1+confidence)/2) * se
	return kappa, max(-1, min(kappa, middle-half)), min(1, max(kappa, middle+half)), true
}

// cells are the shares of the table with so much added to each count, and their sum.
type cells struct{ bothPass, falsePass, falseFail, bothFail, n float64 }

func (a Agreement) cells(added float64) cells {
	n := float64(a.N()) + 4*added
	share := func(count int) float64 { return over(float64(count)+added, n) }
	return cells{share(a.BothPass), share(a.FalsePass), share(a.FalseFail), share(a.BothFail), n}
}

func (c cells) kappa() (kappa, se float64, ok bool) {
	human, judge := c.bothPass+c.falseFail, c.bothPass+c.falsePass
	seen, byChance := c.bothPass+c.bothFail, human*judge+(1-human)*(1-judge)
	if c.n == 0 || byChance >= 1-1e-12 {
		return 0, 0, false
	}
	beyond := 1 - byChance
	return (seen - byChance) / beyond, math.Sqrt(seen * (1 - seen) / (c.n * beyond * beyond)), true
}

// Order counts a judge's verdicts on pairs that it was shown in both orders.
type Order struct {
	Pairs  int
	First  int // the verdict changed with the order, in favour of who stood first
	Second int // likewise second
}

// Add takes the places that won in each order: 1 for the first, −1 for the second, 0
// for a tie. Who judges without regard to places gives opposite ones.
func (o *Order) Add(place, turned int) {
	o.Pairs++
	switch sum := place + turned; {
	case sum > 0:
		o.First++
	case sum < 0:
		o.Second++
	}
}

// Bias is the share of pairs whose verdict changes with the order; Toward is from −1, it
// is always the second that wins then, to 1, always the first.
func (o Order) Bias() float64   { return over(float64(o.First+o.Second), float64(o.Pairs)) }
func (o Order) Toward() float64 { return over(float64(o.First-o.Second), float64(o.First+o.Second)) }
