package cli

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

func tagged(counts map[string]int) iter.Seq2[eval.Case, error] {
	return func(yield func(eval.Case, error) bool) {
		for _, tag := range []string{"billing", "bug", "rare"} {
			for i := range counts[tag] {
				if !yield(eval.Case{ID: fmt.Sprint(tag, i), Tags: []string{tag}}, nil) {
					return
				}
			}
		}
	}
}

func TestASampleHasEveryTagsShare(t *testing.T) {
	cases := tagged(map[string]int{"billing": 500, "bug": 300, "rare": 10})
	for n, want := range map[int]map[string]int{
		81:  {"billing": 50, "bug": 30, "rare": 1},
		100: {"billing": 62, "bug": 37, "rare": 1},
		7:   {"billing": 4, "bug": 3},
	} {
		got := map[string]int{}
		total := 0
		for c, err := range (pick{sample: n}).from(cases, 0) {
			if err != nil {
				t.Fatal(err)
			}
			got[c.Tags[0]]++
			total++
		}
		if total != n || !maps.Equal(got, want) {
			t.Errorf("a sample of %d has %v, want %v", n, got, want)
		}
	}
}

// A case stays in the sample when others come: what it draws is its own.
func TestASampleIsTheSameEveryTime(t *testing.T) {
	ids := func(n int, counts map[string]int) map[string]bool {
		set := map[string]bool{}
		for c := range (pick{sample: n}).from(tagged(counts), 0) {
			set[c.ID] = true
		}
		return set
	}
	first := ids(50, map[string]int{"bug": 500})
	if again := ids(50, map[string]int{"bug": 500}); !maps.Equal(first, again) {
		t.Error("the same suite has another sample")
	}
	// … and so in every process, and on every machine: these are what the ids draw.
	if got := slices.Sorted(maps.Keys(ids(4, map[string]int{"bug": 20}))); !slices.Equal(got, []string{"bug13", "bug15", "bug17", "bug6"}) {
		t.Errorf("of twenty cases the sample is %q", got)
	}
	kept := 0
	for id := range ids(50, map[string]int{"bug": 520}) {
		if first[id] {
			kept++
		}
	}
	if kept < 40 {
		t.Errorf("of 50 cases only %d stay where 20 of 520 are new", kept)
	}
	if all := ids(500, map[string]int{"bug": 20}); len(all) != 20 {
		t.Errorf("a sample of 500 of 20 cases has %d", len(all))
	}
}

func TestPartsHaveEveryCaseOnce(t *testing.T) {
	cases := tagged(map[string]int{"billing": 7, "bug": 6})
	seen := map[string]int{}
	for part := 1; part <= 4; part++ {
		n := 0
		for c := range (pick{shard: shard{part, 4}}).from(cases, 0) {
			seen[c.ID]++
			n++
		}
		if n < 3 || n > 4 {
			t.Errorf("part %d of 13 cases has %d", part, n)
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s is in %d parts", id, n)
		}
	}
	if len(seen) != 13 {
		t.Errorf("%d of 13 cases are in a part", len(seen))
	}
}
