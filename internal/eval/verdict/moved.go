package verdict

import (
	"fmt"
	"strconv"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/fault"
)

// JudgeDrift says of groups that were asked as their baseline was whether the model has
// moved since, in either direction. Exit is 1 where one has (after Holm's correction over
// the groups), else 4 where one could not be judged, else 0. Where none was shown, and none
// of the size of the suite's max_drop could have been, the word is inconclusive. Gates take
// no other part: they speak of what is good enough.
func JudgeDrift(tallies []*Tally, o Options) eval.Verdict {
	v := Judge(tallies, o)
	var p []float64
	var at []int
	for i, t := range tallies {
		group := &v.Groups[i]
		group.Gates, group.Word, group.Pass = []eval.GateResult{}, eval.NotGated, false
		if t.incomplete() || !t.group.Settled() {
			continue
		}
		if group.Drift = t.Drift(); group.Drift != nil {
			p, at = append(p, group.Drift.P), append(at, i)
		}
	}
	for i, adjusted := range stats.Holm(p) {
		group := &v.Groups[at[i]]
		group.Drift.Shown = group.Drift.Shown && adjusted <= alpha
		group.Sight = tallies[at[i]].sightAt(alpha / 2) // drift is looked for on both sides
		group.Word, group.Pass = eval.Steady, true
		switch {
		case group.Drift.Shown:
			group.Word, group.Pass = eval.Drifted, false
		case group.Sight == nil || group.Sight.Drop >= 1 || group.Sight.Drop > tallies[at[i]].margin():
			group.Word = eval.Inconclusive
		}
	}
	v.Word, v.Exit, v.Sentence = eval.Steady, fault.ExitOK, ""
	for i := range v.Groups {
		group := &v.Groups[i]
		if rankOfDrift(group.Word) > rankOfDrift(v.Word) || v.Sentence == "" {
			v.Word, v.Sentence = group.Word, tallies[i].driftSentence(group)
		}
	}
	switch v.Word {
	case eval.Drifted:
		v.Exit = fault.ExitGate
	case eval.NotGated:
		v.Exit = fault.ExitUnjudged
	}
	if n := len(v.Groups); n > 1 {
		same := 0
		for i := range v.Groups {
			if v.Groups[i].Word == v.Word {
				same++
			}
		}
		v.Sentence += fmt.Sprintf("; %d of %d groups %s %s", same, n, is(same), v.Word)
	}
	return v
}

func rankOfDrift(word eval.Word) int {
	switch word {
	case eval.Drifted:
		return 3
	case eval.NotGated:
		return 2
	case eval.Inconclusive:
		return 1
	}
	return 0
}

// margin is the drop of accuracy that the suite allows, and so wants to see; 1 where it
// names none above 0, which nothing could hold.
func (t *Tally) margin() float64 {
	for _, gate := range t.settings.Gates {
		if gate.Metric == metricAccuracy && gate.Kind == eval.GateMaxDrop && gate.Limit > 0 {
			return gate.Limit
		}
	}
	return 1
}

func (t *Tally) driftSentence(group *eval.GroupVerdict) string {
	where := group.Name()
	if group.Drift == nil && t.group.Judged == t.group.Planned {
		return fmt.Sprintf("unjudged: %s: %s", where, t.NoDrift("here and in the baseline"))
	}
	if group.Drift == nil {
		return fmt.Sprintf("unjudged: %s: %s", where, whyOpen(group))
	}
	since := dayWords(t.base.header.Date)
	if group.Drift.Shown {
		return fmt.Sprintf("drifted: %s: the model moved %s points since %s (%s)", where, signedPoints(group.Drift.Change), since, driftRange(group.Drift))
	}
	return fmt.Sprintf("%s: %s: no drift shown since %s (%s points); %s", group.Word, where, since, driftRange(group.Drift), t.couldSee(group))
}

// NoDrift says why Drift is nil of results that were all judged; where names both sides.
func (t *Tally) NoDrift(where string) string {
	if t.allShut() {
		return allInQuarantine
	}
	return "no case has a result " + where
}

// couldSee says what drop would have been shown, and where that is more than the suite
// allows, what shows less.
func (t *Tally) couldSee(group *eval.GroupVerdict) string {
	cases := count(group.Drift.N, "case")
	if group.Sight == nil || group.Sight.Drop >= 1 {
		return "with " + cases + " no drop could have been seen: it takes more cases"
	}
	text := fmt.Sprintf("a drop of %s points could have been seen with %s", onePlace(group.Sight.Drop), cases)
	if group.Word != eval.Inconclusive {
		return text
	}
	return fmt.Sprintf("%s, and max_drop is %s: more cases see less, and so do --repeats where answers vary", text, onePlace(t.margin()))
}

// onePlace is a share in percentage points, without a sign.
func onePlace(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) }
