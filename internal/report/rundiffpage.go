package report

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

func (p *page) diffHeadline(d *runDiff) {
	switch {
	case d.same+d.worse.all+d.better.all+d.changed.all == 0:
		p.line(span{"NOTHING TO COMPARE", doubtful}, text("  no case was judged in both runs under the same input"))
	case d.worse.all == 0 && d.better.all == 0 && d.changed.all == 0:
		if d.same > 0 && d.onlyA+d.onlyB+d.asked+d.unsettled == 0 {
			p.line(span{"SAME", good}, text("  every answer is the same in both runs"))
			return
		}
		p.line(span{"SAME", plain}, text("  no answer that both runs can compare has changed"))
	case d.worse.all == 0 && d.better.all == 0:
		p.line(span{"CHANGED", plain}, text("  "+count(d.changed.all, "answer reads", "answers read")+" otherwise, no result flipped"))
	default:
		p.line(span{"FLIPPED", bad}, text(fmt.Sprintf("  from A to B: %s worse, %s better",
			count(d.worse.all, "result", "results"), number(d.better.all))))
	}
}

func (p *page) runLine(letter string, run eval.Run, s Style) {
	result := resultOf(run, true)
	p.hang("", "   ", span{letter + "  " + run.ID, strong}, text("  "+clock(run.Started, s)+"  "), result, text("  "+some(promptsOf(run), 3)))
}

func (p *page) diffCounts(d *runDiff) {
	parts := []string{number(d.same) + " the same", number(d.worse.all) + " worse", number(d.better.all) + " better", number(d.changed.all) + " changed"}
	extra := []struct {
		n    int
		what string
	}{
		{d.asked, "asked something else"}, {d.unsettled, "not judged in one run"}, {d.onlyA, "only in A"}, {d.onlyB, "only in B"},
	}
	for _, e := range extra {
		if e.n > 0 {
			parts = append(parts, number(e.n)+" "+e.what)
		}
	}
	p.space()
	p.flow("", text(strings.Join(parts, ", ")))
}

// metricsBeside writes the metrics of the groups that both verdicts have.
func (p *page) metricsBeside(a, b eval.Run) {
	if a.Verdict == nil || b.Verdict == nil {
		return
	}
	var rows [][]span
	for _, g := range b.Verdict.Groups {
		old := groupNamed(a.Verdict, g.Suite, g.Model)
		if old == nil {
			continue
		}
		title := nameOf(g.Group)
		for _, m := range g.Metrics {
			before := metricNamed(old, m.Name)
			if before == nil {
				continue
			}
			rows = append(rows, []span{text(title), text(m.Name), text(figure(before.Unit, before.Value)), text(figure(m.Unit, m.Value)),
				text(change(m.Unit, before.Value, m.Value))})
			title = ""
		}
	}
	if len(rows) == 0 {
		return
	}
	p.space()
	p.table("", []column{{title: "SUITE · MODEL", least: narrowest}, {title: "METRIC", least: len("schema_validity")}, {title: "A", right: true},
		{title: "B", right: true}, {title: "CHANGE", right: true}}, rows)
}

func groupNamed(v *eval.Verdict, suite, model string) *eval.GroupVerdict {
	for i, g := range v.Groups {
		if g.Suite == suite && g.Model == model {
			return &v.Groups[i]
		}
	}
	return nil
}

func metricNamed(g *eval.GroupVerdict, metric string) *eval.Metric {
	for i, m := range g.Metrics {
		if m.Name == metric {
			return &g.Metrics[i]
		}
	}
	return nil
}

func (p *page) pairs(title string, look role, list pairs) {
	if list.all == 0 {
		return
	}
	p.space()
	p.line(span{title, look}, text(": "+count(list.all, "result", "results")))
	for _, pair := range list.list {
		p.space()
		id := pair.b.Case
		if pair.b.Repeat > 0 || pair.a.Repeat > 0 {
			id += fmt.Sprintf(" #%d", pair.b.Repeat+1)
		}
		p.caseTitle(name(pair.b.Suite, pair.b.Model), id, string(pair.a.Status)+" -> "+string(pair.b.Status), pair.b.Tags)
		if reason := pair.b.Reason(); reason != "" && pair.b.Status == eval.Fail {
			p.flow("    ", text(clip(reason, 2000)))
		}
		a, b := pair.a.Transcript(), pair.b.Transcript()
		if withheld(a, pair.a.Digest) || withheld(b, pair.b.Digest) {
			p.flow("    ", span{"answers: " + notStored, faint})
			continue
		}
		p.answers("    ", a, b)
	}
	if rest := list.all - len(list.list); rest > 0 {
		p.line(span{"  … and " + number(rest) + " more: a higher --limit shows them", faint})
	}
}
