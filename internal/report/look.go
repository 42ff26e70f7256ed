package report

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
)

// maxLook bounds the alerts of a page.
const maxLook = 10

// alertLine words one alert: "tag billing  12 cases, 91.7 % -> 50.0 %  p = 0.001".
func alertLine(a eval.Alert) (what, found string) {
	what = "tag " + a.Tag
	if a.Case != "" {
		what = "case " + a.Case
	}
	found = percent(a.Before) + " -> " + percent(a.After)
	if a.Case == "" {
		found += fmt.Sprintf(" of %s, %s worse, %s better", count(a.Cases, "case", "cases"), number(a.Down), number(a.Up))
	}
	return what, found + ", " + pValue(a.P) + " (corrected " + pValue(a.Adjusted) + ")"
}

const aboutAlerts = "advice, in no gate; p is corrected for all tags and cases"

// lookAt lists the tags and cases that got worse by more than chance.
func (p *page) lookAt(v *eval.Verdict) {
	all := 0
	for _, g := range v.Groups {
		all += len(g.Alerts)
	}
	if all == 0 {
		return
	}
	p.space()
	p.line(span{"Look at", doubtful}, span{"  " + aboutAlerts, faint})
	shown := 0
	for _, g := range v.Groups {
		for _, a := range g.Alerts {
			if shown == maxLook {
				p.line(span{"  … and " + number(all-shown) + " more, in --json", faint})
				return
			}
			what, found := alertLine(a)
			p.hang("  ", "    ", span{clip(what, 200), strong}, text("  "+found), span{"  " + nameOf(g.Group), faint})
			shown++
		}
	}
}

func (m *markdown) lookAt(v *eval.Verdict) {
	shown, all := 0, 0
	for _, g := range v.Groups {
		all += len(g.Alerts)
		for _, a := range g.Alerts {
			if shown == maxLook {
				continue
			}
			if shown == 0 {
				m.add("\n**Look at** (" + aboutAlerts + ")\n\n")
			}
			what, found := alertLine(a)
			m.add("- " + mdCode(clip(what, 200)) + " " + mdPlain(found) + " (" + mdCode(clip(nameOf(g.Group), 200)) + ")\n")
			shown++
		}
	}
	if all > shown {
		m.add("- … and " + number(all-shown) + " more\n")
	}
}

// quarantineTitle counts the cases in quarantine, "" for none.
func quarantineTitle(q *eval.Quarantine) string {
	if q == nil {
		return ""
	}
	title := count(q.Cases, "case", "cases") + ", " + number(q.Failing) + " failing, in no metric and no gate"
	if q.Missing > 0 {
		title += "; " + count(q.Missing, "result", "results") + " not judged"
	}
	return title
}

// quarantined lists the cases that are kept out of the gates, those that fail by name.
func (p *page) quarantined(run eval.Run, most int) {
	for _, g := range run.Verdict.Groups {
		title := quarantineTitle(g.Quarantine)
		if title == "" {
			continue
		}
		p.space()
		p.hang("", "  ", span{"In quarantine", doubtful}, text(": "+title), span{"  " + nameOf(g.Group), faint})
		shown := g.Quarantine.Failed[:min(len(g.Quarantine.Failed), most)]
		for _, f := range shown {
			p.caseTitle(nameOf(g.Group), f.Case, f.Passes, f.Tags)
			if f.Reason != "" {
				p.flow("    ", text(clip(oneLine(f.Reason), maxReason)))
			}
		}
		p.more(g.Quarantine.Failing-len(shown), run.ID)
	}
}

func (m *markdown) quarantined(run eval.Run, limit int) {
	for _, g := range run.Verdict.Groups {
		title := quarantineTitle(g.Quarantine)
		if title == "" {
			continue
		}
		var cases []failing
		for _, f := range g.Quarantine.Failed {
			cases = append(cases, failing{g.Suite, g.Model, promptIn(g.Group), f})
		}
		m.add("\n**In quarantine:** " + mdText(title) + " (" + mdCode(clip(nameOf(g.Group), 200)) + ")\n")
		if len(cases) > 0 {
			m.failedSection(failedSection{title: "Failing in quarantine", cases: cases}, limit)
		}
	}
}

// sightNote says how small a drop of accuracy the suite sees.
func sightNote(s *eval.Sight) string {
	if s == nil {
		return ""
	}
	if s.Drop >= 1 {
		return "sees no drop of accuracy: too few cases" + sightSource(s)
	}
	return fmt.Sprintf("sees drops of accuracy of ≥ %.1f points%s", 100*s.Drop, sightSource(s))
}

func sightSource(s *eval.Sight) string {
	if s.Calibrated != "" {
		return " (calibrated on " + s.Calibrated + ")"
	}
	return " (an estimate; llmx calibrate measures it)"
}

// costNote tells a change of cost apart, as shares of the cost before; "" for none.
func costNote(c *eval.CostChange) string {
	if c == nil || c.Before <= 0 {
		return ""
	}
	part := func(usd float64) string {
		word := fmt.Sprintf("%+.1f %%", 100*usd/c.Before)
		if word == "-0.0 %" || word == "+0.0 %" {
			return "0 %"
		}
		return word
	}
	all := part(c.After - c.Before)
	if all == "0 %" && part(c.Tokens) == "0 %" && part(c.Price) == "0 %" && part(c.Routing) == "0 %" {
		return ""
	}
	return "cost of a case " + all + ": tokens " + part(c.Tokens) + ", prices " + part(c.Price) + ", who answered " + part(c.Routing)
}
