package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// Of the answers that are asked for to confirm flips some may end in an error. To go by
// those that were judged is no rule that one can trust: where the edit makes long answers,
// which run into a timeout when they are wrong, the fails of one arm are what is missing.
// To leave out the whole case, in both arms, is none either: it leaves out the cases that
// got worse. And to hold up the verdict for one error of a hundred is no help. So the gate
// is tried twice, as if all that is missing spoke for what is judged, and as if all of it
// spoke against it. Where it passes both times, or fails both times, it does so whatever
// the answers would have been, and nothing that makes errors can have decided it; where it
// does not, the verdict hangs on what nobody knows, and there is none.

// asIf says what is taken for answers that are not there.
type asIf int

const (
	judgedAlone   asIf = iota
	spokenFor          // what is missing had passed now, and failed where it is compared with
	spokenAgainst      // the other way round
)

// outcomes are what the flipped cases came to when they were asked anew, and those that
// depend on each other. left counts the cases of which nothing can be said: none is but by
// the answers that were judged.
func (t *Tally) outcomes(as asIf) (strata stats.Strata, depends *dependent, left int) {
	strata = stats.Strata{}
	within, moves := stats.Strata{}, map[uint64]*clusterMove{}
	for _, id := range slices.Sorted(maps.Keys(t.flipped)) {
		s, paired := t.confirmed.again.pairs[id]
		if as == judgedAlone && !paired {
			left++
			continue
		}
		s = filled(s, as, t.confirmed.times)
		strata[s]++
		cluster := t.flipped[id]
		if cluster == 0 {
			continue
		}
		within[s]++
		if moves[cluster] == nil {
			moves[cluster] = new(clusterMove)
		}
		moves[cluster].sum += s.Difference()
		moves[cluster].size++
	}
	if len(moves) == 0 {
		return strata, nil, left
	}
	depends = &dependent{strata: within}
	for _, cluster := range slices.Sorted(maps.Keys(moves)) {
		depends.sums = append(depends.sums, *moves[cluster])
	}
	return strata, depends, left
}

// filled is a case with an answer in place of each of so many that is missing.
func filled(s stats.Stratum, as asIf, times int) stats.Stratum {
	now, before := times-s.N, times-s.M
	switch as {
	case spokenFor:
		return stats.Stratum{A: s.A + now, N: times, B: s.B, M: times}
	case spokenAgainst:
		return stats.Stratum{A: s.A, N: times, B: s.B + before, M: times}
	}
	return s
}

// lacks says how many of the new answers were not judged, in both arms, where that is more
// than the suite allows of either; else "".
func (c *confirmation) lacks() string {
	again, beside := c.again, c.again.settings.Against
	if !again.incomplete() && again.besideMissing() == "" {
		return ""
	}
	n, planned, why := again.errors()+again.unjudged(), again.group.Planned, again.FirstError()
	if beside != nil {
		n, planned = n+beside.MissingErrors+beside.MissingUnjudged, planned+beside.Asked.Planned
		if why == "" {
			why = beside.MissingWhy
		}
	}
	return missingOf(n, planned, "answers asked for anew, in both arms,", why)
}

// missingOf says how much was not judged, and one reason.
func missingOf(n, of int, what, why string) string {
	text := fmt.Sprintf("%d of %d %s %s not judged", n, of, what, was(n))
	switch {
	case why != "" && n == 1:
		text += " (" + why + ")"
	case why != "":
		text += " (one of them: " + why + ")"
	}
	return text
}

// FirstError is a reason of what was not judged, the same in every run; "" for none.
func (t *Tally) FirstError() string {
	first := ""
	for class, seen := range t.classes {
		if said := string(class) + ": " + seen.First; first == "" || strings.Compare(said, first) < 0 {
			first = said
		}
	}
	return first
}

// hangs settles a gate by the two extremes of what is missing, both decided.
func (r *trial) hangs(best, worst trial) {
	lacks := r.lacks
	switch {
	case best.Pass != worst.Pass:
		note := r.Note
		r.block("what flipped could not be confirmed: %s, and on them it hangs whether the gate holds", lacks)
		r.Note = join(r.Note, note)
		return
	case worst.Pass:
		*r = worst
		lacks += ": it passes even if all of them had spoken against it"
	default:
		*r = best
		lacks += ": it fails even if all of them had spoken for it"
	}
	r.Note = join(lacks, r.Note)
}
