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
	return t.flipped
}

// ConfirmBy lets accuracy be tested by another tally, of the flipped cases alone, each
// asked so many times anew in both arms; its baseline is what the other arm gave.
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
	again := t.confirmed.again
	if why := t.confirmed.missing(); why != "" {
		out.block("what flipped could not be confirmed: %s", why)
		return
	}
	first := trial{GateResult: eval.GateResult{Gate: out.Gate}}
	t.dropOfShares(&first, &t.accuracy, best)
	if out.N, out.Value, out.Baseline = first.N, first.Value, first.Baseline; out.N == 0 {
		out.open("%s", first.Note)
		return
	}
	c := t.confirmedCounts()
	out.Down, out.Up = c.Down, c.Up
	strata := again.accuracy.of(best)
	p, sum, name := testShares(strata, again.accuracy.dependent(best))
	sum.Add(0, out.N-sum.N)
	out.Test, out.anew = name+", of answers asked for anew", !t.ruled
	out.Note = fmt.Sprintf("%s flipped, asked %d times anew in both arms: %d worse, %d better, %d as before", count(c.Cases, "case"), c.Times, c.Down, c.Up, c.Same)
	t.test(out, p, sum)
	if first.tested {
		out.bound = max(out.bound, first.bound)
	}
	if t.settings.Against == nil && p.Less > alpha && first.tested && first.worse <= movedAlpha && first.loss > out.margin {
		note := out.Note
		*out = first
		out.Note = note + ", which does not show that it is the edit; llmx drift says whether the model has moved"
	}
}

// movedAlpha is the level at which the first answers alone tell a fall from the accepted
// baseline that asking both prompts anew does not: where the model has moved, both may be
// as bad now. It is small, so that it adds little to the false alarms of the new answers.
const movedAlpha = 0.01

// missing says what of the new answers was not judged, in either arm, where that is more
// than the suite allows.
func (c *confirmation) missing() string {
	again := c.again
	if n := again.group.Errors + again.group.Unjudged; again.incomplete() {
		return fmt.Sprintf("%s of %d (%s)", count(n, "error"), again.group.Planned, again.firstError())
	}
	return again.besideMissing()
}

// firstError is a reason of what is missing, the same in every run.
func (t *Tally) firstError() string {
	first := ""
	for _, class := range t.classes {
		if first == "" || class.First < first {
			first = class.First
		}
	}
	return first
}

// confirmedCounts says what became of the flips.
func (t *Tally) confirmedCounts() *eval.Confirmed {
	c := &eval.Confirmed{Times: t.confirmed.times, Cases: len(t.flipped)}
	strata := t.confirmed.again.accuracy.strata
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
