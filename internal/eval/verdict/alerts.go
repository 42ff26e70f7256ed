package verdict

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// alertTally looks at every tag and every case of the comparison on its own. Many looks
// find something by chance, so what is told is corrected for their number; it gates
// nothing. Memory: a few numbers a tag, and the eval.MaxFlips cases that fell deepest.
type alertTally struct {
	tags  map[string]stats.Strata
	over  bool // more tags than are looked at: none is
	cases int
	worse keeper[eval.Alert]
	p     map[stats.Stratum]float64 // of single cases
}

// maxTags bounds the tags that are looked at. A suite with more has one for every case
// or so, and says nothing by tag.
const maxTags = 1000

func newAlertTally() alertTally {
	return alertTally{
		tags: map[string]stats.Strata{}, p: map[stats.Stratum]float64{},
		worse: keeper[eval.Alert]{before: alertBefore},
	}
}

func alertBefore(a, b *eval.Alert) int {
	return cmp.Or(cmp.Compare(a.P, b.P), strings.Compare(a.Tag, b.Tag), strings.Compare(a.Case, b.Case))
}

// add takes a case that was judged in both arms.
func (a *alertTally) add(c *eval.Case, s stats.Stratum) {
	for _, tag := range c.Tags {
		strata := a.tags[tag]
		if strata == nil {
			if a.over = a.over || len(a.tags) == maxTags; a.over {
				clear(a.tags)
				break
			}
			strata = stats.Strata{}
			a.tags[tag] = strata
		}
		strata[s]++
	}
	a.cases++
	// One that is no worse, or has one repeat, cannot be told from chance.
	if s.A*s.M >= s.B*s.N || s.N+s.M == 2 {
		return
	}
	p, known := a.p[s]
	if !known {
		p = stats.StratifiedExact(stats.Strata{s: 1}).P.Less
		a.p[s] = p
	}
	if p <= alpha { // a larger one lifts no other above the level either
		a.worse.add(eval.Alert{Case: c.ID, Cases: 1, Before: share(s.B, s.M), After: share(s.A, s.N), Down: 1, P: p})
	}
}

// alerts are the tags, then the cases, that got worse after Benjamini and Hochberg.
func (a *alertTally) alerts() []eval.Alert {
	var byTag []eval.Alert
	for _, tag := range slices.Sorted(maps.Keys(a.tags)) {
		strata := a.tags[tag]
		alert := eval.Alert{Tag: tag, P: 1}
		for _, s := range strata.Sorted() {
			alert.Cases += strata[s]
			switch moved := s.A*s.M - s.B*s.N; {
			case moved < 0:
				alert.Down += strata[s]
			case moved > 0:
				alert.Up += strata[s]
			}
		}
		alert.Before, alert.After = sumOf(strata, false)/float64(alert.Cases), sumOf(strata, true)/float64(alert.Cases)
		if alert.After < alert.Before {
			p, _, _ := testShares(strata, nil)
			alert.P = p.Less
		}
		byTag = append(byTag, alert)
	}
	slices.SortFunc(byTag, func(x, y eval.Alert) int { return alertBefore(&x, &y) })
	out := append([]eval.Alert{}, significant(byTag, len(byTag))...)
	return append(out, significant(a.worse.sorted(), a.cases)...)
}

// significant keeps those of n tests, of which the smallest p are given in order, that
// are told apart from chance.
func significant(list []eval.Alert, n int) []eval.Alert {
	p := make([]float64, len(list))
	for i := range list {
		p[i] = list[i].P
	}
	var out []eval.Alert
	for i, adjusted := range stats.BenjaminiHochbergOf(p, n) {
		if list[i].Adjusted = adjusted; adjusted <= alpha && len(out) < eval.MaxAlerts {
			out = append(out, list[i])
		}
	}
	return out
}
