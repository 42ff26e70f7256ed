package verdict

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
)

// confirmation is what came of asking the cases that flipped anew, in both arms. The
// first answers chose the cases, and a test of them would find what it has looked for:
// so only the new ones are tested.
type confirmation struct {
	times int
	again *Tally
}

// Flipped are the ids of the cases that pass more or less often than in the baseline.
// The tally takes no more results afterwards. Settings.Confirms must be set.
func (t *Tally) Flipped() map[string]bool {
	t.settle()
	ids := make(map[string]bool, len(t.flipped))
	for id := range t.flipped {
		ids[id] = true
	}
	return ids
}

// ConfirmBy lets accuracy be tested by another tally, of the flipped cases alone, each
// asked so many times anew in both arms; its baseline is what the other arm gave, and its
// Settings.Pairs must be set.
func (t *Tally) ConfirmBy(again *Tally, times int) {
	again.settle()
	t.confirmed = &confirmation{times, again}
}

// dropOfConfirmed tests the new answers of what flipped. Of the others nothing is known
// but that they came out as often as before: they count as cases without a difference.
// The figures that are shown are those of the first answers, of all cases: a mean over
// cases that were chosen by how they came out is none of the suite. That a loss lies
// within the margin is said by the first answers alone, of all cases: cases that did not
// flip by chance would hide a loss.
func (t *Tally) dropOfConfirmed(out *trial, best bool) {
	first := trial{GateResult: eval.GateResult{Gate: out.Gate}}
	t.dropOfShares(&first, &t.accuracy, best)
	if out.N, out.Value, out.Baseline = first.N, first.Value, first.Baseline; out.N == 0 {
		out.open("%s", first.Note)
		return
	}
	c := t.confirmedCounts()
	out.Down, out.Up, out.anew = c.Down, c.Up, !t.ruled
	out.Note = fmt.Sprintf("%s flipped, asked %s anew in both arms: %d worse, %d better, %d as before", count(c.Cases, "case"), times(c.Times), c.Down, c.Up, c.Same)
	if c.LeftOut > 0 {
		out.Note += fmt.Sprintf(", %d left out", c.LeftOut)
	}
	lacks := t.confirmed.lacks()
	if c.Missing > 0 && lacks == "" {
		out.Note += fmt.Sprintf("; %s of theirs not judged, which max_errors allows", count(c.Missing, "answer"))
	}
	blank := *out
	as := judgedAlone
	if best {
		as = spokenFor
	}
	t.testConfirmed(out, as, &first)
	if lacks != "" && !best {
		for _, as := range []asIf{spokenFor, spokenAgainst} {
			one := blank
			t.testConfirmed(&one, as, &first)
			out.extremes = append(out.extremes, one)
		}
		out.lacks = lacks
	}
	if t.settings.Against == nil && out.worse > alpha && first.tested && first.worse <= movedAlpha && first.loss > out.margin {
		note := out.Note
		*out = first
		out.Note = note + ", which does not show that it is the edit; llmx drift says whether the model has moved"
	}
}

// ofAnew ends the name of a test of answers that were asked for anew.
const ofAnew = ", of answers asked for anew"

func (t *Tally) testConfirmed(out *trial, as asIf, first *trial) {
	strata, depends, left := t.outcomes(as)
	p, sum, name := testShares(strata, depends)
	sum.Add(0, out.N-left-sum.N)
	out.Test = name + ofAnew
	t.test(out, p, sum)
	if first.tested {
		out.bound = max(out.bound, first.bound)
	}
}

// movedAlpha is the level at which the first answers alone tell a fall from the accepted
// baseline that asking both prompts anew does not: where the model has moved, both may be
// as bad now. It is small, so that it adds little to the false alarms of the new answers.
const movedAlpha = 0.01

// confirmedCounts says what became of the flips, by the new answers that were judged.
func (t *Tally) confirmedCounts() *eval.Confirmed {
	again := t.confirmed.again
	strata, _, left := t.outcomes(judgedAlone)
	c := &eval.Confirmed{Times: t.confirmed.times, Cases: len(t.flipped), LeftOut: left, Missing: again.errors() + again.unjudged()}
	if beside := again.settings.Against; beside != nil {
		c.Missing += beside.MissingErrors + beside.MissingUnjudged
		c.MissingWhy = beside.MissingWhy
	}
	if why := again.FirstError(); why != "" {
		c.MissingWhy = why
	}
	for _, s := range strata.Sorted() {
		switch moved := s.A*s.M - s.B*s.N; {
		case moved < 0:
			c.Down += strata[s]
		case moved > 0:
			c.Up += strata[s]
		default:
			c.Same += strata[s]
		}
	}
	return c
}
