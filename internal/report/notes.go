package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// counts writes the sum that must always be right, and what the run cost.
func (p *page) counts(run eval.Run) {
	v := run.Verdict
	if v.Planned == 0 && len(v.Unchanged) > 0 {
		return // nothing was to be asked
	}
	sign := "="
	if v.Planned != v.Judged+v.Errors+v.Unjudged {
		sign = "is not"
	}
	errors, unjudged := plain, plain
	if v.Errors > 0 {
		errors = bad
	}
	if v.Unjudged > 0 {
		unjudged = doubtful
	}
	p.flow("", text(number(v.Planned)+" planned "+sign+" "+number(v.Judged)+" judged + "),
		span{count(v.Errors, "error", "errors"), errors}, text(" + "), span{number(v.Unjudged) + " unjudged", unjudged})
	line := pricedApart(v)
	if lasted := run.Ended.Sub(run.Started); !run.Ended.IsZero() && lasted >= 0 && run.Selection.Resumed > 0 {
		line += ", done " + lasting(lasted) + " after it began, with a pause"
	} else if !run.Ended.IsZero() && lasted >= 0 {
		line += ", took " + lasting(lasted)
	}
	if run.ID != "" {
		line += ", run " + run.ID
	}
	p.flow("", span{line, faint})
	for _, beside := range besideOf(v) {
		p.flow("", span{beside, faint})
	}
}

// errorClasses writes why cases could not be judged, the most frequent first.
func (p *page) errorClasses(v *eval.Verdict) {
	classes := sumErrors(v)
	if len(classes) == 0 {
		return
	}
	p.space()
	p.line(span{"Not judged", doubtful})
	for _, c := range classes {
		p.hang("  ", "    ", text(number(c.Count)+" × "+string(c.Class)+among(c)+": "+clip(oneLine(c.First), maxSentence)))
	}
}

// among says that the message that is shown is one of several.
func among(c eval.ErrorClass) string {
	if c.Mixed {
		return ", one of them"
	}
	return ""
}

func sumErrors(v *eval.Verdict) []eval.ErrorClass {
	var sum []eval.ErrorClass
	for _, g := range v.Groups {
		for _, c := range g.ErrorClasses {
			i := slices.IndexFunc(sum, func(s eval.ErrorClass) bool { return s.Class == c.Class })
			if i < 0 {
				sum = append(sum, c)
				continue
			}
			sum[i].Count += c.Count
			sum[i].Mixed = sum[i].Mixed || c.Mixed || sum[i].First != c.First
		}
	}
	slices.SortStableFunc(sum, func(a, b eval.ErrorClass) int { return b.Count - a.Count })
	return sum
}

func (p *page) warnings(run eval.Run) {
	list := allWarnings(run)
	if len(list) == 0 {
		return
	}
	p.more(p.firstWarnings(list), run.ID)
}

// firstWarnings writes as many warnings as a page bears, and tells how many are left.
func (p *page) firstWarnings(list []string) (left int) {
	p.space()
	const most = 20
	for _, warning := range list[:min(len(list), most)] {
		p.warning(warning)
	}
	return len(list) - most
}

// allWarnings are those of the run, then those of its groups.
func allWarnings(run eval.Run) []string {
	list := slices.Clone(run.Warnings)
	for _, g := range run.Verdict.Groups {
		for _, warning := range g.Warnings {
			list = append(list, nameOf(g.Group)+": "+warning)
		}
	}
	return list
}

// notes says what the figures speak of.
func (p *page) notes(run eval.Run) {
	list := sharedNotes(run)
	if len(list) == 0 {
		return
	}
	p.space()
	for _, note := range list {
		p.hang("note: ", "  ", text(clip(note, 2*maxSentence)))
	}
}

// sharedNotes gathers the notes of all groups. A note that holds for every group
// stands there once, without a name.
func sharedNotes(run eval.Run) []string {
	var order []string
	groups := map[string][]string{}
	for _, g := range run.Verdict.Groups {
		for _, note := range notesOf(g, run.Replies) {
			if _, seen := groups[note]; !seen {
				order = append(order, note)
			}
			groups[note] = append(groups[note], nameOf(g.Group))
		}
	}
	for i, note := range order {
		if names := groups[note]; len(names) < len(run.Verdict.Groups) {
			order[i] = some(names, 3) + ": " + note
		}
	}
	return order
}

// notesOf says what a group's figures speak of; replies is the run's mode.
func notesOf(g eval.GroupVerdict, replies string) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	switch when := period(g.DrawsFrom, g.DrawsTo); g.Draws {
	case "recorded":
		add("the figures speak of replies recorded %s%s; %s", when, origins(g), nobodyAsked(g))
	case "cached":
		add("the figures speak of answers from the cache, given %s; %s", when, nobodyAsked(g))
	case "mixed":
		if asked(g) {
			add("some replies were kept from before, given %s; others are of now", when)
		} else {
			add("the figures speak of replies recorded or cached %s; %s", when, nobodyAsked(g))
		}
	}
	if replies == "auto" && asked(g) && !simulated(g) {
		add("some replies were asked live and not recorded: --record keeps them")
	}
	if replies == "auto" && g.Eval.Asked > 0 {
		add("%s of checks asked live and not recorded: --record keeps the answers", count(g.Eval.Asked, "question was", "questions were"))
	}
	judged := g.Judged > 0 && g.Word != eval.NotGated && g.Word != eval.Regressed
	if g.HasBaseline && g.SameTreatment && judged && g.Rescored == 0 && len(g.Rebased) == 0 {
		add("nothing that decides an answer differs from the baseline")
	}
	if note := costNote(g.CostChange); note != "" {
		add("%s", note)
	}
	if note := sightNote(g.Sight); note != "" && g.Judged > 0 {
		add("%s", note)
	}
	if g.Clusters > 0 {
		add("some cases ask the same or share a cluster: intervals and tests count %s", count(g.Clusters, "independent observation", "independent observations"))
	}
	if len(g.Answered) > 1 {
		add("answered by %s", shares(g.Answered))
	}
	if g.HasBaseline && g.New > 0 && g.Against != nil {
		add("%s not judged at %s, and left out of the comparison", count(g.New, "case was", "cases were"), g.Against.Ref)
	} else if g.HasBaseline && g.New > 0 {
		add("%s not in the baseline yet", count(g.New, "case is", "cases are"))
	}
	if n := len(g.Gone); n > 0 {
		add("%s no longer in the suite: %s", count(n, "case of the baseline is", "cases of the baseline are"), some(g.Gone, 5))
	}
	if g.Rescored > 0 {
		add("%s other criteria than in the baseline: its stored answers were scored again", count(g.Rescored, "case has", "cases have"))
	}
	if n := len(g.Rebased); n > 0 {
		add("%s other criteria than in the baseline, whose answers cannot be scored again; left out of the comparison: %s",
			count(n, "case has", "cases have"), some(g.Rebased, 5))
	}
	return notes
}

// asked reports whether a model was asked in this run. Mixed draws may be recorded
// and cached ones; latencies are counted over the calls of now alone.
func asked(g eval.GroupVerdict) bool {
	return g.Asked > 0 || g.Draws == "live" || g.Draws == "mixed" && slices.ContainsFunc(g.Metrics, func(m eval.Metric) bool {
		return m.Unit == unitSeconds && m.N > 0
	})
}

// nobodyAsked says of answers that were kept that they are, and whether checks asked.
func nobodyAsked(g eval.GroupVerdict) string {
	if g.Eval.Asked > 0 {
		return "no model was asked but by checks, " + count(g.Eval.Asked, "time", "times")
	}
	return "no model was asked"
}

// simulated reports whether nobody but a simulated model answered: such replies are
// made anew at no cost.
func simulated(g eval.GroupVerdict) bool {
	for who := range g.Answered {
		if !strings.HasPrefix(who, "sim/") {
			return false
		}
	}
	return len(g.Answered) > 0
}

// origins says who wrote the recorded replies.
func origins(g eval.GroupVerdict) string {
	if len(g.Origins) == 0 {
		return ""
	}
	return " (origin: " + strings.Join(g.Origins, ", ") + ")"
}

// period says when recorded replies were given.
func period(from, to time.Time) string {
	const day = "2006-01-02"
	a, b := from.UTC().Format(day), to.UTC().Format(day)
	switch {
	case from.IsZero() && to.IsZero():
		return "before"
	case from.IsZero():
		return "until " + b
	case to.IsZero() || a == b:
		return "on " + a
	}
	return "from " + a + " to " + b
}

// shares lists who answered, the most frequent first.
func shares(answered map[string]int) string {
	names := slices.Sorted(maps.Keys(answered))
	slices.SortStableFunc(names, func(a, b string) int { return answered[b] - answered[a] })
	sum := 0
	for _, n := range answered {
		sum += n
	}
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = n + " " + percent(float64(answered[n])/float64(max(sum, 1)))
	}
	return some(list, 5)
}

// some lists the first few of many.
func some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + " and " + number(len(list)-most) + " more"
}
