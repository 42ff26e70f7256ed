package stats

import (
	"math"
	"slices"
)

// wilcoxonExact is the largest n for which the signed-rank distribution is counted
// out rather than taken as normal.
const wilcoxonExact = 100

// Wilcoxon is the signed-rank test of paired differences: T⁺ sums the ranks (by
// size, ties share their mean rank) of the positive ones; P.Less = P(T⁺ ≤ observed).
// Differences of 0 are left out, as Wilcoxon did.
//
// Exact, conditional on the ties, up to 100 differences other than 0; beyond, the
// normal limit with the tie-corrected variance Σ rᵢ²/4 and a continuity correction of ½.
//
// Source: Wilcoxon, Biometrics Bulletin 1 (1945); Hollander, Wolfe and Chicken,
// Nonparametric Statistical Methods, §3.1.
func Wilcoxon(differences []float64) P {
	ranks, positive := doubledRanks(differences)
	if len(ranks) == 0 {
		return tails(1, 1)
	}
	if len(ranks) <= wilcoxonExact {
		return rankDistribution(ranks).tails(positive)
	}
	mean, variance := 0.0, 0.0
	for _, rank := range ranks {
		mean += float64(rank) / 2
		variance += float64(rank) * float64(rank) / 4
	}
	// Ranks are doubled, so one step of T⁺ is 2.
	sd := math.Sqrt(variance)
	return tails(normalCDF((float64(positive)-mean+1)/sd), normalCDF(-(float64(positive)-mean-1)/sd))
}

// doubledRanks ranks the sizes of the differences other than 0; doubled, a shared
// rank is whole too. positive is the sum over the positive differences.
func doubledRanks(differences []float64) (ranks []int, positive int) {
	sorted := make([]float64, 0, len(differences))
	for _, d := range differences {
		if d != 0 {
			sorted = append(sorted, d)
		}
	}
	slices.SortFunc(sorted, func(a, b float64) int {
		switch x, y := math.Abs(a), math.Abs(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(sorted))
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && math.Abs(sorted[j]) == math.Abs(sorted[i]) {
			j++
		}
		for k := i; k < j; k++ {
			ranks[k] = i + 1 + j // twice the mean of i+1 … j
			if sorted[k] > 0 {
				positive += ranks[k]
			}
		}
		i = j
	}
	return ranks, positive
}

// rankDistribution is that of the sum of a random half of the ranks: each is in
// with probability ½.
func rankDistribution(ranks []int) distribution {
	total := 0
	for _, rank := range ranks {
		total += rank
	}
	mass := make([]float64, total+1)
	mass[0] = 1
	reach := 0
	for _, rank := range ranks {
		reach += rank
		for sum := reach; sum >= 0; sum-- {
			without := mass[sum] / 2
			if sum >= rank {
				without += mass[sum-rank] / 2
			}
			mass[sum] = without
		}
	}
	return distribution{mass: mass}
}
