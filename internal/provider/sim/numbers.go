package sim

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// span is where a number may lie: low … high in steps, or anywhere for step 0.
type span struct {
	low, high float64
	step      float64
	openLow   bool // low itself is not allowed
	openHigh  bool
}

// rangeOf reads minimum, maximum, their exclusive forms (a number, or true in
// draft 4), multipleOf and type.
func rangeOf(n node) span {
	r := span{low: math.Inf(-1), high: math.Inf(1)}
	if low, ok := n.number("minimum"); ok {
		r.low, r.openLow = low, n["exclusiveMinimum"] == true
	}
	if low, ok := n.number("exclusiveMinimum"); ok && low >= r.low {
		r.low, r.openLow = low, true
	}
	if high, ok := n.number("maximum"); ok {
		r.high, r.openHigh = high, n["exclusiveMaximum"] == true
	}
	if high, ok := n.number("exclusiveMaximum"); ok && high <= r.high {
		r.high, r.openHigh = high, true
	}
	if n["type"] == "integer" {
		r.step = 1
	}
	if step, ok := n.number("multipleOf"); ok && step > 0 {
		r.step = math.Max(r.step, step)
	}
	return r
}

func (r span) contains(x float64) bool {
	if x < r.low || x > r.high || r.openLow && x == r.low || r.openHigh && x == r.high {
		return false
	}
	return r.step == 0 || math.Abs(x/r.step-math.Round(x/r.step)) < 1e-9
}

// pick takes a small number of the range.
func (r span) pick(d draw) json.Number {
	const width = 100
	low, high := r.low, r.high
	switch {
	case math.IsInf(low, 0) && math.IsInf(high, 0):
		low, high = 0, width
	case math.IsInf(low, 0):
		low = high - width
	case math.IsInf(high, 0):
		high = low + width
	}
	step := r.step
	if step == 0 {
		step = 1
	}
	first, last := math.Ceil(low/step), math.Floor(high/step)
	if last >= first {
		x := (first + float64(d.below(int(math.Min(last-first, 1e6))+1))) * step
		for _, candidate := range []float64{x, x + step, x - step, first * step, last * step} {
			if r.contains(candidate) {
				return decimal(candidate, -1)
			}
		}
	}
	return decimal(low+(high-low)/2, -1)
}

func decimal(x float64, digits int) json.Number {
	return json.Number(strconv.FormatFloat(x, 'f', digits, 64))
}

// near takes another number of the range: off by up to a tenth, in the digits
// that the right one is written with.
func (r span) near(right string, d draw) (json.Number, bool) {
	x, err := strconv.ParseFloat(right, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return "", false
	}
	digits := 0
	if _, fraction, ok := strings.Cut(right, "."); ok && !strings.ContainsAny(right, "eE") {
		digits = len(fraction)
	}
	unit := math.Pow(10, -float64(digits))
	if r.step > 0 {
		unit = r.step
	}
	tenth := math.Min(math.Abs(x)/unit/10, 1000)
	off := float64(1 + d.of("off").below(int(tenth)))
	off = math.Max(off, math.Ceil(math.Abs(x)/unit/1e12)) // a float64 has sixteen digits
	sign := float64(1 - 2*d.of("sign").below(2))
	for _, steps := range []float64{sign * off, -sign * off, sign, -sign} {
		other := decimal(x+steps*unit, digits)
		if value, err := other.Float64(); err == nil && value != x && r.contains(value) {
			return other, true
		}
	}
	return "", false
}
