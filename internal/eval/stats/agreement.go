package stats

import (
	"fmt"
	"math"
)

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

// Kappa is the agreement beyond chance, (po − pe) / (1 − pe), with its standard error
// √(po(1 − po) / (n(1 − pe)²)). It is false where one of the two says the same of
// everything that the other does, and chance alone agrees.
//
// Source: Cohen, Educational and Psychological Measurement 20 (1960).
func (a Agreement) Kappa() (kappa, se float64, ok bool) {
	n := float64(a.N())
	if n == 0 {
		return 0, 0, false
	}
	judged := float64(a.BothPass + a.FalsePass)
	byChance := (float64(a.Passed())*judged + float64(a.Failed())*(n-judged)) / (n * n)
	if byChance >= 1 {
		return 0, 0, false
	}
	seen := a.Accuracy()
	return (seen - byChance) / (1 - byChance), math.Sqrt(seen * (1 - seen) / (n * (1 - byChance) * (1 - byChance))), true
}

// Corrected is the pass rate that people would have found, where the judge found rate
// over n answers, with its standard error:
//
//	p = (rate + sp − 1) / (se + sp − 1)
//	var = [rate(1 − rate)/n + p²·se(1 − se)/passed + (1 − p)²·sp(1 − sp)/failed] / (se + sp − 1)²
//
// se is the share of what people pass that the judge passes, sp of what they fail that
// it fails. p is cut to 0..1. An error says why nothing can be corrected.
//
// Source: Rogan and Gladen, American Journal of Epidemiology 107 (1978).
func (a Agreement) Corrected(rate float64, n int) (p, se float64, err error) {
	if a.Passed() == 0 || a.Failed() == 0 {
		return 0, 0, fmt.Errorf("people passed %d and failed %d of the answers: both are needed", a.Passed(), a.Failed())
	}
	sensitivity, specificity := 1-a.FalseFailRate(), 1-a.FalsePassRate()
	told := sensitivity + specificity - 1
	if told <= 1e-9 {
		return 0, 0, fmt.Errorf("the judge tells good answers from bad ones no better than chance (false-pass and false-fail rates add up to %.2f)", a.FalsePassRate()+a.FalseFailRate())
	}
	p = min(1, max(0, (rate+specificity-1)/told))
	variance := rate*(1-rate)/float64(n) +
		p*p*sensitivity*(1-sensitivity)/float64(a.Passed()) +
		(1-p)*(1-p)*specificity*(1-specificity)/float64(a.Failed())
	return p, math.Sqrt(variance) / told, nil
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
