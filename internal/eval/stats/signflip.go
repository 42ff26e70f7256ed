package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
)

// SignFlipExact is the largest number of differences other than 0 for which
// SignFlip looks at every assignment of signs.
const SignFlipExact = 20

// signFlipDraws is the number of random assignments beyond it: at p = 0.05 the
// standard error of p is 0.0015.
const signFlipDraws = 20_000

// signFlipWords bounds the random words that one test may draw; beyond it the
// permutation distribution is taken as normal.
const signFlipWords = 400_000_000

// SignFlip is the sign-flip permutation test of paired differences: under the
// null hypothesis each difference is as likely to have the other sign. The
// statistic is the sum; P.Less = P(Σ ±|dᵢ| ≤ Σ dᵢ). Differences of 0 say nothing.
//
// Exact up to SignFlipExact differences other than 0; then by signFlipDraws random
// assignments from a generator with the seed, p = (1 + hits) / (1 + draws) (Phipson
// and Smyth, 2010), the same for the same seed and order; where that would take
// longer than a second or so, by the normal limit with variance Σ dᵢ².
//
// Source: Fisher, The Design of Experiments (1935), §21.
func SignFlip(differences []float64, seed uint64) P {
	sizes := make([]float64, 0, len(differences))
	observed, scale := 0.0, 0.0
	for _, d := range differences {
		if d != 0 {
			sizes = append(sizes, math.Abs(d))
			observed += d
			scale += math.Abs(d)
		}
	}
	if len(sizes) == 0 {
		return tails(1, 1)
	}
	slices.Sort(sizes)
	// Sums of the same numbers in another order differ in their last digits.
	slack := 1e-11 * scale
	if len(sizes) <= SignFlipExact {
		return signFlipAll(sizes, observed, slack)
	}
	groups, words := groupSizes(sizes)
	if words*signFlipDraws > signFlipWords {
		return signFlipNormal(sizes, observed)
	}
	return signFlipRandom(groups, observed, slack, seed)
}

// signFlipAll counts over all 2ⁿ assignments: each half's sums, then pairs of them.
func signFlipAll(sizes []float64, observed, slack float64) P {
	left, right := signedSums(sizes[:len(sizes)/2]), signedSums(sizes[len(sizes)/2:])
	slices.Sort(right)
	less, greater := 0, 0
	for _, sum := range left {
		less += sort.Search(len(right), func(i int) bool { return sum+right[i] > observed+slack })
		greater += len(right) - sort.Search(len(right), func(i int) bool { return sum+right[i] >= observed-slack })
	}
	all := float64(len(left)) * float64(len(right))
	return tails(float64(less)/all, float64(greater)/all)
}

// signedSums lists the sums under all assignments of signs.
func signedSums(sizes []float64) []float64 {
	sums := []float64{0}
	for _, size := range sizes {
		next := make([]float64, 0, 2*len(sums))
		for _, sum := range sums {
			next = append(next, sum-size, sum+size)
		}
		sums = next
	}
	return sums
}

type sizeGroup struct {
	size  float64
	count int
}

// groupSizes joins equal sizes of a sorted list, whose signs can be drawn 64 at once.
func groupSizes(sizes []float64) (groups []sizeGroup, words int) {
	for _, size := range sizes {
		if n := len(groups); n > 0 && groups[n-1].size == size {
			groups[n-1].count++
			continue
		}
		groups = append(groups, sizeGroup{size, 1})
	}
	for _, group := range groups {
		words += (group.count + 63) / 64
	}
	return groups, words
}

func signFlipRandom(groups []sizeGroup, observed, slack float64, seed uint64) P {
	source := rand.NewPCG(seed, 0x9e3779b97f4a7c15)
	less, greater := 1, 1 // what was observed is one of the assignments
	for range signFlipDraws {
		sum := 0.0
		single, left := uint64(0), 0 // signs for sizes that stand alone come from one word
		for _, group := range groups {
			if group.count == 1 {
				if left == 0 {
					single, left = source.Uint64(), 64
				}
				// The sign bit of a float is its highest.
				sum += math.Float64frombits(math.Float64bits(group.size) | single<<63)
				single >>= 1
				left--
				continue
			}
			plus := 0
			for n := group.count; n > 0; n -= 64 {
				word := source.Uint64()
				if n < 64 {
					word &= 1<<n - 1
				}
				plus += bits.OnesCount64(word)
			}
			sum += group.size * float64(2*plus-group.count)
		}
		if sum <= observed+slack {
			less++
		}
		if sum >= observed-slack {
			greater++
		}
	}
	all := float64(signFlipDraws + 1)
	return tails(float64(less)/all, float64(greater)/all)
}

func signFlipNormal(sizes []float64, observed float64) P {
	variance := 0.0
	for _, size := range sizes {
		variance += size * size
	}
	z := observed / math.Sqrt(variance)
	return tails(normalCDF(z), normalCDF(-z))
}
