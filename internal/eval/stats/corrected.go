package stats

import (
	"fmt"
	"math"
)

// Corrected is the pass rate that people would have found, where the judge found rate
// over n answers, with its interval. n may be an effective number (see EffectiveN). An
// error says why nothing can be corrected.
//
// The rate is (rate + sp − 1) / (se + sp − 1), cut to 0..1: se is the share of what people
// pass that the judge passes, sp of what they fail that it fails.
//
// The interval draws all three shares from their ends, so that few labels that all agree
// claim no certainty: n' = n + z², r' = (n·rate + z²/2)/n', se' = (se·passed + 1)/(passed
// + 2), sp' likewise of what people failed; and with them, y' = se' + sp' − 1:
//
//	p' = (r' + sp' − 1) / y'
//	Δ  = 2z²·(p'·se'(1 − se')/(passed + 2) − (1 − p')·sp'(1 − sp')/(failed + 2))
//	p' + Δ ± z·√(r'(1 − r')/n' + p'²·se'(1 − se')/(passed + 2) + (1 − p')²·sp'(1 − sp')/(failed + 2)) / y'
//
// cut to 0..1. Two things widen it: it has the rate, which is not drawn in and may lie
// outside; and where it is cut, it is no narrower than Wilson's of no pass or nothing but
// passes over n answers, as a correction makes nobody surer. An interval that lies beyond 0
// or 1 as a whole is an error: no rate is explained by the labels. With y' at or below 0
// they are too few to say anything.
//
// Sources: Rogan and Gladen, American Journal of Epidemiology 107 (1978); Lang and
// Reiczigel, Preventive Veterinary Medicine 113 (2014).
func (a Agreement) Corrected(rate, n, confidence float64) (p, low, high float64, err error) {
	if a.Passed() == 0 || a.Failed() == 0 {
		return 0, 0, 0, fmt.Errorf("people passed %d and failed %d of the answers: both are needed", a.Passed(), a.Failed())
	}
	sensitivity, specificity := 1-a.FalseFailRate(), 1-a.FalsePassRate()
	told := sensitivity + specificity - 1
	if told <= 1e-9 {
		return 0, 0, 0, fmt.Errorf("the judge tells good answers from bad ones no better than chance (false-pass and false-fail rates add up to %.2f)", a.FalsePassRate()+a.FalseFailRate())
	}
	p = min(1, max(0, (rate+specificity-1)/told))
	low, high = a.around(rate, n, normalQuantile((1+confidence)/2))
	switch {
	case low > 1:
		return 0, 0, 0, fmt.Errorf("the judge passed more answers than its errors explain (it passes %.1f %% of what people pass, by the labels): the labels are not like these answers", 100*sensitivity)
	case high < 0:
		return 0, 0, 0, fmt.Errorf("the judge passed fewer answers than its errors explain (it passes %.1f %% of what people fail, by the labels): the labels are not like these answers", 100*(1-specificity))
	}
	_, none := Wilson(0, n, confidence)
	if low < 0 {
		high = max(high, none)
	}
	if high > 1 {
		low = min(low, 1-none)
	}
	return p, min(p, max(0, low)), max(p, min(1, high)), nil
}

// around is the interval of Corrected before it is cut.
func (a Agreement) around(rate, n, z float64) (low, high float64) {
	passed, failed, size := float64(a.Passed()+2), float64(a.Failed()+2), n+z*z
	r := (n*rate + z*z/2) / size
	sensitivity, specificity := float64(a.BothPass+1)/passed, float64(a.BothFail+1)/failed
	told := sensitivity + specificity - 1
	if told <= 1e-9 {
		return 0, 1
	}
	p := (r + specificity - 1) / told
	ofPassed, ofFailed := sensitivity*(1-sensitivity)/passed, specificity*(1-specificity)/failed
	middle := p + 2*z*z*(p*ofPassed-(1-p)*ofFailed)
	half := z * math.Sqrt(r*(1-r)/size+p*p*ofPassed+(1-p)*(1-p)*ofFailed) / told
	return middle - half, middle + half
}
