package verdict

import (
	"fmt"
	"strconv"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// Drift says how far accuracy moved against the baseline, in either direction: by the
// tests of the gate on accuracy, two-sided, with the interval of the case differences.
// Nil where no case is on both sides. The tally takes no more results afterwards.
func (t *Tally) Drift() *eval.Drift {
	t.settle()
	first := driftOf(&t.accuracy, t.accuracy.paired)
	if first == nil || t.confirmed == nil {
		return first
	}
	// A sentence must not say what the gate takes back. What did not flip counts as no
	// difference there, which makes the interval too narrow to show that nothing moved.
	again := driftOf(&t.confirmed.again.accuracy, t.accuracy.paired)
	if !again.Shown {
		again.Change, again.Low, again.High = first.Change, min(first.Low, again.Low), max(first.High, again.High)
	}
	return again
}

// driftOf is that of a metric's cases, among n of which the others did not move.
func driftOf(m *shareMetric, n int) *eval.Drift {
	if n == 0 {
		return nil
	}
	p, sum, _ := testShares(m.strata, m.dependent(false))
	sum.Add(0, n-sum.N)
	d := &eval.Drift{Change: -sum.Loss(), P: min(1, 2*min(p.Less, p.Greater)), N: n}
	d.Low, d.High = sum.Interval(confidence)
	// A test and an interval may differ, and one sentence says both: the tests are exact,
	// and the interval leans to the wide side.
	without := d.Low > 0 || d.High < 0
	if low, high := sum.Clustered(confidence); d.P <= alpha && !without && (low > 0 || high < 0) {
		d.Low, d.High, without = low, high, true
	}
	d.Shown = d.P <= alpha && without
	return d
}

// besideMissing says what of the other arm was not judged, where that is more than the
// suite allows.
func (t *Tally) besideMissing() string {
	against := t.settings.Against
	switch {
	case against.MissingErrors > t.settings.MaxErrors:
		return fmt.Sprintf("%s of %d at %s", count(against.MissingErrors, "error"), against.Asked.Planned, against.Ref)
	case against.MissingUnjudged > 0:
		return fmt.Sprintf("%s of %d at %s have no reply", count(against.MissingUnjudged, "result"), against.Asked.Planned, against.Ref)
	}
	return ""
}

// besideNeutral reports that nothing but replies is missing of the other arm.
func (t *Tally) besideNeutral() bool {
	against := t.settings.Against
	return against != nil && against.MissingUnjudged > 0 && against.MissingErrors <= t.settings.MaxErrors
}

// comparison says of a group that was asked beside another whose drift it is.
func (t *Tally) comparison(group *eval.GroupVerdict) {
	if t.settings.Against == nil {
		return
	}
	c := *t.settings.Against
	group.BaselineFrom = fmt.Sprintf("%s at %s", c.Asked.Prompt, c.Ref)
	if c.Asked.Model != group.Model {
		group.BaselineFrom += " on " + c.Asked.Model
	}
	c.Prompt = t.Drift()
	for _, gate := range group.Gates { // it looks to one side, and sees what two sides just do not
		if c.Prompt != nil && gate.Metric == metricAccuracy && (gate.Word == eval.Regressed && c.Prompt.Change < 0 || gate.Word == eval.Improved && c.Prompt.Change > 0) {
			c.Prompt.Shown = true
		}
	}
	c.Sentence = whose(&c)
	group.Against = &c
}

// whose says whose drift it is: the model's, the edit's, of both or of none.
func whose(c *eval.Comparison) string {
	edit := "Your edit: nothing to compare."
	if c.Prompt != nil {
		edit = "Your edit: " + driftWords(c.Prompt) + "."
	}
	if c.Model == nil {
		return edit + " Whether the model moved cannot be told: " + c.Unknown + "."
	}
	since := "since " + dayWords(c.Since)
	moved := fmt.Sprintf("the model moved %s points %s (%s)", signedPoints(c.Model.Change), since, driftRange(c.Model))
	switch yours := c.Prompt != nil && c.Prompt.Shown; {
	case c.Model.Shown && yours:
		return "Both: " + moved + ". " + edit
	case c.Model.Shown:
		return "Not you: " + moved + ". " + edit
	case yours:
		return fmt.Sprintf("It is your edit: %s. The model: no change shown %s (%s points).", driftWords(c.Prompt), since, driftRange(c.Model))
	}
	return fmt.Sprintf("The model: no change shown %s (%s points). %s", since, driftRange(c.Model), edit)
}

// driftWords says how far something moved: "−3.1 points (−5.0 … −1.2)".
func driftWords(d *eval.Drift) string {
	if !d.Shown {
		return "no change shown (" + driftRange(d) + " points)"
	}
	return signedPoints(d.Change) + " points (" + driftRange(d) + ")"
}

// signedPoints is a change of a share in percentage points, with a sign that is no hyphen.
func signedPoints(change float64) string {
	switch text := strconv.FormatFloat(100*change, 'f', 1, 64); {
	case text == "-0.0" || text == "0.0":
		return "0.0"
	case change < 0:
		return "−" + text[1:]
	default:
		return "+" + text
	}
}

func driftRange(d *eval.Drift) string { return signedPoints(d.Low) + " … " + signedPoints(d.High) }

// dayWords is a day of a baseline as people write it: 12 Nov 2026.
func dayWords(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.Format("2 Jan 2006")
}
