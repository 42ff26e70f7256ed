package stats

import "math"

// LogRatio is ln(now / before) of one pair, both in the same unit. A pair of
// zeros is no change; ok is false where one alone is 0, or any is negative.
//
// Source: Keene, Statistics in Medicine 14 (1995), on why ratios are compared by logs.
func LogRatio(before, now float64) (ratio float64, ok bool) {
	switch {
	case before == now && before >= 0:
		return 0, true
	case before <= 0 || now <= 0:
		return 0, false
	}
	return math.Log(now / before), true
}

// Ratio is the change of a positive quantity (cost, tokens) over pairs. 1 is no change.
type Ratio struct {
	P                     // Wilcoxon's, of the log-ratios: Greater is small when it rose
	GeometricMean float64 // of the ratios
	Shift         float64 // exp of the log-ratios' Hodges–Lehmann shift
	Low, High     float64 // the shift's interval at the confidence
}

// PairedRatio judges log-ratios (see LogRatio), each of one pair: by Wilcoxon, HodgesLehmann
// and HodgesLehmannInterval, whose shift and ends it gives as ratios. It is empty-handed (P 1,
// NaN) for none.
//
// Source: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963).
func PairedRatio(logRatios []float64, confidence float64) Ratio {
	sum := 0.0
	for _, r := range logRatios {
		sum += r
	}
	low, high := HodgesLehmannInterval(logRatios, confidence)
	return Ratio{
		P:             Wilcoxon(logRatios),
		GeometricMean: math.Exp(sum / float64(len(logRatios))),
		Shift:         math.Exp(HodgesLehmann(logRatios)),
		Low:           math.Exp(low), High: math.Exp(high),
	}
}

// DetectableRise is the least rise, 0.1 for 10 %, that so many pairs show with the
// power. Half of the interval is z(confidence) standard errors of the log-ratio: with
// one side of it at the confidence,
//
//	exp(half · (z(confidence) + z(power)) / z(confidence)) − 1
//
// NaN or +Inf where the interval has no end.
func (r Ratio) DetectableRise(confidence, power float64) float64 {
	half := (math.Log(r.High) - math.Log(r.Low)) / 2
	z := normalQuantile(confidence)
	return math.Exp(half*(z+normalQuantile(power))/z) - 1
}
