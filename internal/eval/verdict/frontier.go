package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// describe gives every candidate its figures, and its place on the frontier.
func (s *SideBySide) describe() eval.SideBySide {
	out := eval.SideBySide{
		Suite: s.groups[0].Suite, Reference: s.names[s.reference], Planned: s.planned,
		Candidates: make([]eval.Contender, len(s.groups)), Notes: []string{},
	}
	took := s.took()
	cases, all := s.common(took)
	out.Cases = cases
	for i, g := range s.groups {
		c := &out.Candidates[i]
		*c = eval.Contender{
			Name: s.names[i], Model: g.Model, Prompt: g.Prompt, Reference: i == s.reference, Missing: s.missing[i], Contrasts: []eval.Contrast{},
		}
		s.latency(i, c)
		if all[i].results > 0 {
			all[i].describe(c)
		}
		switch {
		case !took[i]:
			c.Outside = "nothing of it was judged"
		case cases == 0:
			c.Outside = "no case was judged of all"
		case c.Cost == nil:
			c.Outside = "its price is unknown"
		}
	}
	frontier(out.Candidates)
	out.Notes = append(append(out.Notes, s.told...), s.notes(&out, took)...)
	return out
}

// took says which candidates have a judged result at all.
func (s *SideBySide) took() []bool {
	took := make([]bool, len(s.groups))
	for mark := range s.marks {
		for i := range took {
			took[i] = took[i] || mark[i] == 1
		}
	}
	return took
}

// common sums up the cases of which all that take part have a judged result.
func (s *SideBySide) common(took []bool) (cases int, of []sums) {
	of = make([]sums, len(s.groups))
	for i := range of {
		of[i] = sums{kinds: map[outcomeKind]int{}, cost: llm.KnownCost(0)}
	}
	for mark, sum := range s.marks {
		whole := false
		for i := range took {
			if whole = !took[i] || mark[i] == 1; !whole {
				break
			}
		}
		if !whole || !strings.Contains(mark, "\x01") {
			continue
		}
		cases += sum.cases
		for i := range of {
			for kind, n := range sum.of[i].kinds {
				of[i].kinds[kind] += n
			}
			of[i].cost = of[i].cost.Plus(sum.of[i].cost)
			of[i].results += sum.of[i].results
		}
	}
	return cases, of
}

// describe gives a candidate its accuracy and its cost.
func (f *sums) describe(c *eval.Contender) {
	var accuracy shareMetric
	for _, kind := range slices.SortedFunc(maps.Keys(f.kinds), func(a, b outcomeKind) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), a.judged-b.judged, a.passes-b.passes)
	}) {
		for range f.kinds[kind] {
			accuracy.add(kind.passes, kind.judged, 0, kind.cluster)
		}
	}
	figure := accuracy.figure(metricAccuracy, "share")
	c.Accuracy, c.Low, c.High = figure.Value, figure.Low, figure.High
	if f.cost.Known {
		c.Cost = ratio(float64(f.cost.Amount)/float64(llm.USD), f.results)
	}
}

// latency is that of calls made now; where there are none, what kept answers took once.
func (s *SideBySide) latency(candidate int, c *eval.Contender) {
	calls := s.now[candidate]
	if len(calls) == 0 {
		calls, c.LatencyKept = s.kept[candidate], len(s.kept[candidate]) > 0
	}
	c.Calls = len(calls)
	c.LatencyP50, c.LatencyP95 = quantile(calls, 0.5), quantile(calls, 0.95)
}

func quantile(calls []time.Duration, q float64) *float64 {
	l := stats.LatencyQuantile(calls, nil, q)
	if l.N == 0 {
		return nil
	}
	seconds := l.Value.Seconds()
	return &seconds
}

// frontier marks the candidates that no other dominates: none is as accurate for less,
// or more accurate for as much. Candidates with the same figures are on it together.
func frontier(candidates []eval.Contender) {
	for i := range candidates {
		c := &candidates[i]
		if c.Outside != "" {
			continue
		}
		by := -1
		for j := range candidates {
			o := &candidates[j]
			if o.Outside != "" || !dominates(o, c) {
				continue
			}
			if by < 0 || *o.Cost < *candidates[by].Cost || *o.Cost == *candidates[by].Cost && *o.Accuracy > *candidates[by].Accuracy {
				by = j
			}
		}
		if c.Frontier = by < 0; by >= 0 {
			c.By = candidates[by].Name
		}
	}
}

func dominates(a, b *eval.Contender) bool {
	return *a.Accuracy >= *b.Accuracy && *a.Cost <= *b.Cost && (*a.Accuracy > *b.Accuracy || *a.Cost < *b.Cost)
}

// notes say what readers of the figures must know.
func (s *SideBySide) notes(out *eval.SideBySide, took []bool) (notes []string) {
	var missing, few []string
	for i, g := range s.groups[1:] {
		if twin := slices.IndexFunc(s.groups[:i+1], func(o eval.Group) bool { return o.Treatment == g.Treatment }); twin >= 0 && g.Treatment != "" {
			notes = append(notes, fmt.Sprintf("%s and %s are the same but for the name: nothing differs that decides an answer.", s.names[twin], s.names[i+1]))
		}
	}
	needed := stats.QuantileMinN(0.95, confidence)
	for i := range out.Candidates {
		c := &out.Candidates[i]
		if took[i] && c.Missing > 0 {
			missing = append(missing, fmt.Sprintf("%s lacks %s", c.Name, count(c.Missing, "result")))
		}
		if c.Calls > 0 && c.Calls < needed {
			few = append(few, fmt.Sprintf("%s (%d)", c.Name, c.Calls))
		}
	}
	if len(missing) > 0 {
		notes = append(notes, fmt.Sprintf("Accuracy and cost are of the %d of %d cases that all have a judged result of: %s.", out.Cases, out.Planned, strings.Join(missing, ", ")))
	}
	if len(few) > 0 {
		notes = append(notes, fmt.Sprintf("A p95 of less than %d calls says little of the tail: %s.", needed, strings.Join(few, ", ")))
	}
	return notes
}
