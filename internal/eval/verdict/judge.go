package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Options are of the whole run.
type Options struct {
	Filtered       bool // by --filter, --tag or --sample: cases that did not run are not gone
	MissingNeutral bool // --missing neutral: unjudged results do not make exit 4
}

// Judge says what the run amounts to. Exit is 0 where all gates hold, 1 where one
// fails (with results missing: where it would fail even if each of them had been a
// pass), 4 where it could not be judged: more errors than allowed, unjudged
// results, a gate without its figure, or counts that do not add up. The tallies
// take no more results afterwards.
func Judge(tallies []*Tally, o Options) eval.Verdict {
	v := eval.Verdict{Groups: []eval.GroupVerdict{}, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)}
	incomplete := false
	for _, t := range tallies {
		t.settle()
		incomplete = incomplete || t.incomplete()
	}
	now := tryAll(tallies, false)
	best := now
	if incomplete {
		best = tryAll(tallies, true)
	}
	standings := make([]standing, len(tallies))
	sentences := make([]string, len(tallies))
	for i, t := range tallies {
		group := t.describe(now[i], best[i], o)
		standings[i] = t.stand(now[i], best[i], &group, o)
		decisive := now[i]
		if standings[i] == failing && t.incomplete() {
			decisive = best[i]
		}
		sentences[i] = sentence(&group, now[i], decisive, standings[i])
		v.Groups = append(v.Groups, group)
		v.Planned += group.Planned
		v.Judged += group.Judged
		v.Errors += group.Errors
		v.Unjudged += group.Unjudged
		v.Cost, v.Paid, v.Eval = v.Cost.Plus(t.spent), v.Paid.Plus(t.paid), v.Eval.Plus(t.eval)
	}
	conclude(&v, standings, sentences)
	return v
}

// standing is how a group counts for the exit code, worst last.
type standing int

const (
	passing standing = iota
	open             // it could not be judged
	failing
	broken // its counts do not add up
)

// incomplete reports whether too much of the group is missing to judge it as it is.
func (t *Tally) incomplete() bool {
	return t.errors() > t.settings.MaxErrors || t.unjudged() > 0
}

// stand gives the group its word and its place among the exit codes.
func (t *Tally) stand(now, best []trial, group *eval.GroupVerdict, o Options) standing {
	lost := len(group.Gone) > 0
	if !t.group.Settled() {
		group.Word, group.Pass = eval.NotGated, false
		group.Warnings = append(group.Warnings, imbalance(t.group))
		return broken
	}
	if t.incomplete() {
		if fails(best) || lost {
			group.Word, group.Pass = groupWord(best), false
			return failing
		}
		// Errors beyond the limit are never neutral, missing replies may be.
		neutral := o.MissingNeutral && t.errors() <= t.settings.MaxErrors
		group.Word, group.Pass = eval.NotGated, neutral
		if neutral {
			return passing
		}
		return open
	}
	group.Word = groupWord(now)
	group.Pass = !fails(now) && !lost
	if !group.Pass {
		return failing
	}
	if o.MissingNeutral && t.besideNeutral() {
		group.Word = eval.NotGated
		return passing
	}
	if group.Word == eval.NotGated || slices.ContainsFunc(now, func(r trial) bool { return r.blocks }) {
		group.Word, group.Pass = eval.NotGated, false
		return open
	}
	return passing
}

func fails(trials []trial) bool {
	return slices.ContainsFunc(trials, func(r trial) bool { return !r.Pass && !r.blocks })
}

// conclude gives the run its word, exit code and sentence.
func conclude(v *eval.Verdict, standings []standing, sentences []string) {
	if len(standings) == 0 {
		v.Word, v.Exit, v.Sentence = eval.NotGated, fault.ExitUnjudged, "unjudged: nothing ran"
		return
	}
	lead := 0
	for i := range standings {
		a, b := &v.Groups[i], &v.Groups[lead]
		if c := cmp.Compare(standings[i], standings[lead]); c > 0 || c == 0 && severity(a.Word) > severity(b.Word) {
			lead = i
		}
	}
	v.Word = v.Groups[lead].Word
	switch standings[lead] {
	case failing:
		v.Exit = fault.ExitGate
	case open, broken:
		v.Exit = fault.ExitUnjudged
	default:
		v.Exit = fault.ExitOK
	}
	v.Sentence = sentences[lead]
	if n := len(standings); n > 1 {
		same := 0
		for _, s := range standings {
			if s == standings[lead] {
				same++
			}
		}
		v.Sentence += fmt.Sprintf("; %d of %d groups %s", same, n, standings[lead])
	}
}

func (s standing) String() string {
	return [...]string{"pass", "could not be judged", "fail", "have counts that do not add up"}[s]
}

// leaveTalks takes the conversations off the flips and failed cases beyond the first.
func leaveTalks(group *eval.GroupVerdict) {
	for i := eval.MaxTalks; i < len(group.Flips); i++ {
		group.Flips[i].Talk = nil
	}
	for i := eval.MaxTalks; i < len(group.Failed); i++ {
		group.Failed[i].Talk = nil
	}
}

// describe fills a group's verdict, but for its word and pass.
func (t *Tally) describe(trials, best []trial, o Options) eval.GroupVerdict {
	group := eval.GroupVerdict{
		Group: t.group, Metrics: t.metrics(), Gates: []eval.GateResult{}, Labels: t.labelTables(),
		Flips: t.flips.sorted(), FlipsDown: t.flipsDown, FlipsUp: t.flipsUp,
		Failed: t.failed.sorted(), FailedCases: t.failedAll, Quarantine: t.quarantine.described(),
		Alerts: t.look.alerts(), Clusters: t.clusterCount(), Sight: t.sight(), CostChange: t.costChange(),
		Paired: t.pair.paired, New: t.pair.fresh, Rescored: t.pair.rescored,
		Gone: []string{}, Rebased: append([]string{}, t.pair.rebased...),
		Eval: t.eval, Asked: t.draws.live + t.draws.paid, Draws: t.draws.word(), DrawsFrom: t.draws.from, DrawsTo: t.draws.to,
		Origins: t.draws.origins, MissingCost: t.missing,
		ErrorClasses: []eval.ErrorClass{}, Answered: t.answered, Warnings: []string{},
	}
	slices.Sort(group.Rebased)
	leaveTalks(&group)
	if t.confirmed != nil {
		group.Confirmed = t.confirmedCounts()
		for i := range group.Flips {
			if s, paired := t.confirmed.again.pairs[group.Flips[i].Case]; paired {
				group.Flips[i].Anew = outOf(s.B, s.M) + " -> " + outOf(s.A, s.N)
			} else {
				group.Flips[i].Anew = "not judged"
			}
		}
	}
	for _, r := range trials {
		if t.incomplete() && !r.Pass && r.Value != nil {
			r.Note = join(r.Note, "of the judged results alone; others are missing")
		}
		group.Gates = append(group.Gates, r.GateResult)
	}
	for _, class := range t.classes {
		group.ErrorClasses = append(group.ErrorClasses, *class)
	}
	slices.SortFunc(group.ErrorClasses, func(a, b eval.ErrorClass) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(string(a.Class), string(b.Class)))
	})
	if t.base != nil {
		header := t.base.header
		group.HasBaseline = true
		group.BaselineFrom = fmt.Sprintf("%s of %s", header.Prompt, header.Date)
		if header.Prompt.String() == t.group.Prompt.String() && header.Prompt.Hash != t.group.Prompt.Hash {
			group.BaselineFrom += ", as it was then"
		}
		if v := header.Prompt.Version; v != "" && v != "draft" {
			group.BaselinePrompt = header.Prompt.String()
		}
		group.SameTreatment = header.Treatment == t.group.Treatment
		t.comparison(&group, best)
		if !o.Filtered && t.group.Settled() {
			group.Gone = t.base.gone()
		}
	}
	group.Warnings = append(group.Warnings, t.warnings(&group)...)
	return group
}

func (t *Tally) warnings(group *eval.GroupVerdict) (warnings []string) {
	if n := t.errors(); n > 0 && !t.incomplete() {
		warnings = append(warnings, fmt.Sprintf("%s, which max_errors allows: %s in no figure, whatever %s would have been",
			missingOf(n, t.group.Planned, "results", t.FirstError()), theyAre(n), they(n)))
	}
	if t.confirmed != nil && t.settings.Against == nil && t.confirmed.again.bothFail > 0 {
		warnings = append(warnings, fmt.Sprintf("%s that flipped %s now by the prompt of the baseline too: it may be the model that has moved; llmx drift says whether it has",
			count(t.confirmed.again.bothFail, "case"), fail(t.confirmed.again.bothFail)))
	}
	if n := len(group.Gone); n > 0 {
		warnings = append(warnings, fmt.Sprintf("%s of the baseline %s gone: accept that with llmx baseline accept", count(n, "case"), is(n)))
	}
	if n := len(group.Rebased); n > 0 {
		warnings = append(warnings, fmt.Sprintf("%s %s re-based, outside the comparison: the criteria changed, and the baseline's answers cannot be scored again; accept with llmx baseline accept", count(n, "case"), is(n)))
	}
	return warnings
}

// metrics lists the group's figures: the built-in ones, then named ones by name.
func (t *Tally) metrics() []eval.Metric {
	figures := []eval.Metric{t.accuracy.figure(metricAccuracy, "share")}
	if t.critical.any() {
		figures = append(figures, t.critical.figure())
	}
	if t.validity.cases > 0 {
		figures = append(figures, t.validity.figure(metricValidity, "share"))
		if t.showsFirstTry() {
			figures = append(figures, t.firstTry.figure(metricFirstTry, "share"))
		}
	}
	figures = append(figures, t.cost.figure())
	for _, name := range []string{metricP50, metricP95} {
		l, needed := t.latency(name, false)
		figure := eval.Metric{Name: name, Unit: "seconds", N: l.N, Baseline: t.baseLatency(name)}
		if l.N > 0 {
			seconds := l.Value.Seconds()
			figure.Value = &seconds
		}
		switch {
		case l.AtLeast:
			figure.Note = "at least: the quantile is a call that ran into a timeout"
		case l.N > 0 && l.N < needed:
			figure.Note = fmt.Sprintf("of %s; a gate needs %d", count(l.N, "call"), needed)
		}
		figures = append(figures, figure)
	}
	var names []string
	for name, m := range t.named {
		if m.cases > 0 && (name != eval.MetricRepair || t.showsRepair()) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		figures = append(figures, t.named[name].figure(name, "score"))
	}
	return append(figures, t.labelMetrics()...)
}

// showsRepair leaves out a figure that only says again what the validity says, and so
// does showsFirstTry, unless the prompt asks again.
func (t *Tally) showsRepair() bool { return t.repaired || t.gated(eval.MetricRepair) }

func (t *Tally) showsFirstTry() bool {
	return t.askedBack || t.settings.Contract.Output.Reask > 0 || t.gated(metricFirstTry)
}

// gates are the suite's, and the rule of critical cases, in the order of the metrics.
func (t *Tally) gates() []eval.Gate {
	gates := t.settings.Gates
	if !t.critical.any() {
		return gates
	}
	at := slices.IndexFunc(gates, func(g eval.Gate) bool { return rank(g.Metric) > rank(eval.MetricCritical) })
	if at < 0 {
		at = len(gates)
	}
	return slices.Insert(slices.Clone(gates), at, criticalRule)
}

func (t *Tally) gated(metric string) bool {
	return slices.ContainsFunc(t.settings.Gates, func(g eval.Gate) bool { return g.Metric == metric })
}
