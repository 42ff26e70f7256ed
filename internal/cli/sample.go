package cli

import (
	"cmp"
	"hash/fnv"
	"iter"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// sampled chooses n of a suite's cases, by the same draw in every run: every set of
// tags has its share of them, by largest remainders. Nil where the suite has no more.
// It keeps 16 bytes a case.
func sampled(cases iter.Seq2[eval.Case, error], n int) (map[uint64]bool, error) {
	strata := map[string][]uint64{} // by tags, what their cases drew
	total := 0
	for c, err := range cases {
		if err != nil {
			return nil, err
		}
		stratum := strings.Join(c.Tags, ",")
		strata[stratum] = append(strata[stratum], drawOf(c.ID))
		total++
	}
	if total <= n {
		return nil, nil
	}
	names := make([]string, 0, len(strata))
	for name := range strata {
		names = append(names, name)
	}
	// The largest remainders first; those that are alike by name.
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(len(strata[b])*n%total-len(strata[a])*n%total, strings.Compare(a, b))
	})
	left := n
	for _, name := range names {
		left -= len(strata[name]) * n / total
	}
	chosen := make(map[uint64]bool, n)
	for i, name := range names {
		share := len(strata[name]) * n / total
		if i < left {
			share++
		}
		slices.Sort(strata[name])
		for _, draw := range strata[name][:share] {
			chosen[draw] = true
		}
	}
	return chosen, nil
}

// drawOf is what a case draws: by its id, so that other cases do not move it.
func drawOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("sample 1\x00" + id)) // never fails
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9 // FNV alone leaves ids that differ in their end close together
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
