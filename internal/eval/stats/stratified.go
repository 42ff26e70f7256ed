package stats

import (
	"cmp"
	"maps"
	"slices"
)

// Stratum is one case: it passes A of N repeats now, and B of M before.
// 0 ≤ A ≤ N, 0 ≤ B ≤ M.
type Stratum struct{ A, N, B, M int }

// Strata counts the cases that share a stratum: a million cases are a few hundred kinds.
type Strata map[Stratum]int

// Sorted lists the strata in one order, so that sums of floats come out the same.
func (s Strata) Sorted() []Stratum {
	return slices.SortedFunc(maps.Keys(s), func(a, b Stratum) int {
		return cmp.Or(a.N-b.N, a.M-b.M, a.A-b.A, a.B-b.B)
	})
}

// Differences sums up the cases' differences. Both arms of each must have a repeat.
func (s Strata) Differences() Differences {
	var sum Differences
	for _, stratum := range s.Sorted() {
		sum.Add(stratum.Difference(), s[stratum])
	}
	return sum
}

// Difference is the case's change in the share of passes, −1 … 1. Both arms must
// have a repeat.
func (s Stratum) Difference() float64 {
	return float64(s.A)/float64(s.N) - float64(s.B)/float64(s.M)
}

// Stratified is the outcome of the stratified exact conditional test.
type Stratified struct {
	P
	Expected float64 // ΣA's mean under the null hypothesis
	Variance float64 // its variance under the null hypothesis
}

// StratifiedExact tests whether cases pass as often now as before. Conditional on
// tᵢ = aᵢ + bᵢ, each Aᵢ is hypergeometric with P(Aᵢ = k) = C(nᵢ, k)·C(mᵢ, tᵢ−k) /
// C(nᵢ+mᵢ, tᵢ), the cases are independent, and P.Less = P(ΣA ≤ observed) is small
// when cases got worse. The null hypothesis is that no case changed. With one
// repeat in both arms it is McNemar's exact test.
//
// Source: the exact conditional test of a common odds ratio in 2×2×K tables, Gart
// (1970); Agresti, Categorical Data Analysis, §7.3.
//
// The sum's distribution is a convolution of non-negative terms, so its relative
// error stays near 1e-12. Supports over trimFrom points lose tails of at most
// trimMass a side and step; what was lost is added to p, which stays an upper bound.
func StratifiedExact(counts Strata) Stratified {
	var result Stratified
	if b, c, passes, ok := discordant(counts); ok {
		result.Expected = float64(passes) + float64(b+c)/2
		result.Variance = float64(b+c) / 4
		result.P = McNemar(b, c)
		return result
	}
	type kind struct{ n, m, t int }
	kinds := map[kind]int{}
	observed := 0
	for _, s := range counts.Sorted() {
		count := counts[s]
		kinds[kind{s.N, s.M, s.A + s.B}] += count
		observed += s.A * count
		n, m, t := float64(s.N), float64(s.M), float64(s.A+s.B)
		all := n + m
		if all > 1 {
			result.Expected += float64(count) * n * t / all
			result.Variance += float64(count) * n * m * t * (all - t) / (all * all * (all - 1))
		}
	}
	var parts []distribution
	shift := 0 // of the kinds that leave no choice
	for k, count := range kinds {
		one := hypergeometric(k.n, k.m, k.t)
		if len(one.mass) == 1 {
			shift += one.low * count
			continue
		}
		parts = append(parts, one.power(count))
	}
	sum := convolveAll(parts)
	result.P = sum.tails(observed - shift)
	return result
}

// discordant counts the moves down and up and the cases that pass in both arms,
// where every case has one repeat in both.
func discordant(counts Strata) (b, c, passes int, ok bool) {
	for s, count := range counts {
		if s.N != 1 || s.M != 1 {
			return 0, 0, 0, false
		}
		switch {
		case s.A < s.B:
			b += count
		case s.A > s.B:
			c += count
		case s.A == 1:
			passes += count
		}
	}
	return b, c, passes, true
}

// distribution is that of a whole number: P(low + i) = mass[i].
type distribution struct {
	low  int
	mass []float64
	lost float64 // at most so much was cut from a tail
}

// hypergeometric is the distribution of passes among n draws, when t of n + m
// pass. Terms are taken relative to the mode's, which is exact to rounding.
func hypergeometric(n, m, t int) distribution {
	low, high := max(0, t-m), min(n, t)
	d := distribution{low: low, mass: make([]float64, high-low+1)}
	mode := min(max((t+1)*(n+1)/(n+m+2), low), high)
	d.mass[mode-low] = 1
	total := 1.0
	for k := mode; k < high; k++ {
		d.mass[k+1-low] = d.mass[k-low] * float64(t-k) * float64(n-k) / (float64(k+1) * float64(m-t+k+1))
		total += d.mass[k+1-low]
	}
	for k := mode; k > low; k-- {
		d.mass[k-1-low] = d.mass[k-low] * float64(k) * float64(m-t+k) / (float64(t-k+1) * float64(n-k+1))
		total += d.mass[k-1-low]
	}
	for i := range d.mass {
		d.mass[i] /= total
	}
	return d
}

// power is the distribution of the sum of count independent copies, by squaring.
func (d distribution) power(count int) distribution {
	result := distribution{mass: []float64{1}}
	for square := d; ; square = convolve(square, square) {
		if count&1 == 1 {
			result = convolve(result, square)
		}
		if count >>= 1; count == 0 {
			return result
		}
	}
}

// convolveAll sums independent numbers, neighbours in width first, as in a
// tournament: few sums are wide, and most of the work is among narrow ones.
func convolveAll(parts []distribution) distribution {
	slices.SortFunc(parts, func(a, b distribution) int {
		return cmp.Or(len(a.mass)-len(b.mass), a.low-b.low, cmp.Compare(a.mass[0], b.mass[0]))
	})
	if len(parts) == 0 {
		return distribution{mass: []float64{1}}
	}
	for len(parts) > 1 {
		half := parts[:0]
		for i := 0; i < len(parts); i += 2 {
			if i+1 < len(parts) {
				half = append(half, convolve(parts[i], parts[i+1]))
			} else {
				half = append(half, parts[i])
			}
		}
		parts = half
	}
	return parts[0]
}

// Sums over fewer points than trimFrom are kept whole.
const (
	trimFrom = 1024
	trimMass = 1e-30
)

func convolve(a, b distribution) distribution {
	if len(a.mass) < len(b.mass) {
		a, b = b, a
	}
	out := distribution{low: a.low + b.low, mass: make([]float64, len(a.mass)+len(b.mass)-1), lost: a.lost + b.lost}
	for j, q := range b.mass {
		row := out.mass[j : j+len(a.mass)]
		for i, p := range a.mass {
			row[i] += p * q
		}
	}
	if len(out.mass) > trimFrom {
		out.trim()
	}
	return out
}

// trim cuts tails that hold at most trimMass.
func (d *distribution) trim() {
	from, lost := 0, 0.0
	for from < len(d.mass)-1 && lost+d.mass[from] <= trimMass {
		lost += d.mass[from]
		from++
	}
	to := len(d.mass)
	for lost = 0; to > from+1 && lost+d.mass[to-1] <= trimMass; to-- {
		lost += d.mass[to-1]
	}
	d.low += from
	d.mass = d.mass[from:to]
	d.lost += trimMass
}

// tails sums each side from its small end, so that small terms are not lost.
func (d distribution) tails(observed int) P {
	at := observed - d.low
	less, greater := 0.0, 0.0
	for i := 0; i <= at && i < len(d.mass); i++ {
		less += d.mass[i]
	}
	for i := len(d.mass) - 1; i >= at && i >= 0; i-- {
		greater += d.mass[i]
	}
	return tails(less+d.lost, greater+d.lost)
}
