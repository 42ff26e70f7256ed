package runner

import (
	"context"
	"fmt"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Groups that are asked along with another get each case in turn, none always first;
// every result is of its own group's case, and a group that stands alone comes after.
func TestGroupsAreAskedInTurn(t *testing.T) {
	const n, repeats = 30, 2
	groups := make([]Group, 4)
	for i := range groups {
		groups[i] = Group{Group: eval.Group{Suite: "s", Model: fmt.Sprint(i)}, Cases: func(yield func(eval.Case, error) bool) {
			for c := range cases(n, repeats) {
				c.CriteriaHash = fmt.Sprint("of ", i)
				if !yield(c, nil) {
					return
				}
			}
		}}
	}
	groups[0].Along = []int{1, 3}
	type asked struct {
		group  int
		id     string
		repeat int
	}
	var order []asked
	seen := map[asked]bool{}
	model := told("yes", llm.FinishStop, llm.Output{}, nil)
	err := Run(context.Background(), Plan{Groups: groups, Jobs: 1}, model, func(group int, c *eval.Case, r *eval.Result) error {
		one := asked{group, c.ID, r.Repeat}
		if seen[one] || c.CriteriaHash != fmt.Sprint("of ", group) || r.Model != fmt.Sprint(group) {
			t.Errorf("%+v came twice, or with the case of another: %s, model %s", one, c.CriteriaHash, r.Model)
		}
		seen[one] = true
		order = append(order, one)
		return nil
	})
	if err != nil || len(order) != 4*n*repeats {
		t.Fatalf("%d results, %v", len(order), err)
	}
	first := map[int]int{}
	for i := 0; i < 3*n*repeats; i += 3 {
		a, b, c := order[i], order[i+1], order[i+2]
		if a.id != b.id || b.id != c.id || a.repeat != b.repeat || b.repeat != c.repeat {
			t.Fatalf("at %d: %v %v %v are not in turn", i, a, b, c)
		}
		first[a.group]++
	}
	for _, group := range []int{0, 1, 3} {
		if first[group] < n*repeats/10 {
			t.Errorf("group %d is asked first in %d of %d", group, first[group], n*repeats)
		}
	}
	for _, one := range order[3*n*repeats:] {
		if one.group != 2 {
			t.Fatalf("%+v stands alone, and comes last", one)
		}
	}
}
