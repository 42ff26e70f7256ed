package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/engine/trace"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// troubles counts, beside the recorder of calls, which models failed in a run that was
// answered all the same: a route hides it, and whoever accepts the run should know.
type troubles struct {
	next trace.Recorder

	mu       sync.Mutex
	failed   map[failedAs]int
	answered map[string]int // by fallbacks, by their alias
}

type failedAs struct {
	model string
	class fault.Class
}

// Record counts what a call that was answered met on its way.
func (t *troubles) Record(call *llm.Call) {
	if call.Failure == nil {
		t.count(call)
	}
	t.next.Record(call)
}

func (t *troubles) count(call *llm.Call) {
	for i := range call.Turns {
		attempts := call.Turns[i].Attempts
		if len(attempts) < 2 {
			continue
		}
		t.mu.Lock()
		if t.failed == nil {
			t.failed, t.answered = map[failedAs]int{}, map[string]int{}
		}
		for _, a := range attempts {
			if a.Failure != nil && a.Failure.Class != fault.Missing {
				t.failed[failedAs{a.Model, a.Failure.Class}]++
			}
		}
		if last := attempts[len(attempts)-1]; last.Model != attempts[0].Model && attempts[0].Failure != nil && attempts[0].Failure.Class != fault.Missing {
			t.answered[last.Model]++
		}
		t.mu.Unlock()
	}
}

// notes says it, the most frequent first.
func (t *troubles) notes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var notes []string
	if len(t.failed) > 0 {
		notes = append(notes, "calls were answered after failures: "+listed(t.failed, func(f failedAs) string {
			return fmt.Sprintf("%s %s", f.model, f.class)
		}))
	}
	if len(t.answered) > 0 {
		notes = append(notes, "answered by a fallback: "+listed(t.answered, func(model string) string { return model }))
	}
	return notes
}

// listed writes counts: "small overloaded (89), small network (2)".
func listed[K comparable](counts map[K]int, name func(K) string) string {
	type entry struct {
		name string
		n    int
	}
	var all []entry
	for key, n := range counts {
		all = append(all, entry{name(key), n})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	words := make([]string, len(all))
	for i, e := range all {
		words[i] = fmt.Sprintf("%s (%d)", e.name, e.n)
	}
	return strings.Join(words, ", ")
}
