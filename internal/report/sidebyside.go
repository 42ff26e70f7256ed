package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// sideBySide writes how models and prompts did beside each other: the figures with the
// frontier of cost and accuracy, then each against the reference.
func (p *page) sideBySide(v *eval.Verdict) {
	for i := range v.SideBySide {
		s := &v.SideBySide[i]
		p.space()
		p.hang("", "  ", span{sideTitle(s), strong}, span{"  " + sideScope(s), faint})
		p.table("  ", candidateColumns, spansOf(candidateRows(s)))
		if rows := contrastRows(s); len(rows) > 0 {
			p.space()
			p.line(text("  against "), span{s.Reference, strong})
			p.table("  ", contrastColumns, contrastSpans(s, rows))
		}
		for _, note := range sideNotes(s) {
			p.flow("  ", span{clip(note, maxSentence), faint})
		}
	}
}

func sideTitle(s *eval.SideBySide) string { return "Side by side: " + s.Suite }

func sideScope(s *eval.SideBySide) string {
	if s.Cases < s.Planned {
		return fmt.Sprintf("%s of %s", number(s.Cases), count(s.Planned, "case", "cases"))
	}
	return count(s.Cases, "case", "cases")
}

var candidateColumns = []column{
	{title: "CANDIDATE", least: narrowest}, {title: "ACCURACY", right: true}, {title: "95 % INTERVAL", right: true},
	{title: "COST/CASE", right: true}, {title: "MEDIAN", right: true}, {title: "P95", right: true}, {title: "FRONTIER", least: narrowest},
}

// candidateRows are the candidates with their figures, in the order of candidateColumns.
func candidateRows(s *eval.SideBySide) [][]string {
	var rows [][]string
	for i := range s.Candidates {
		c := &s.Candidates[i]
		interval := ""
		if c.Low != nil && c.High != nil {
			interval = fmt.Sprintf("%.1f – %.1f %%", *c.Low*100, *c.High*100)
		}
		cost := ""
		if c.Accuracy != nil {
			cost = figure(unitUSD, c.Cost)
		}
		rows = append(rows, []string{
			c.Name, known(unitShare, c.Accuracy), interval, cost,
			known(unitSeconds, c.LatencyP50), known(unitSeconds, c.LatencyP95), placeOf(c),
		})
	}
	return rows
}

// placeOf says whether a candidate is on the frontier, and if not who is before it.
func placeOf(c *eval.Contender) string {
	switch {
	case c.Frontier:
		return "yes"
	case c.By != "":
		return "no: " + c.By
	}
	return "–"
}

func spansOf(rows [][]string) [][]span {
	list := make([][]span, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			list[i] = append(list[i], text(cell))
		}
	}
	return list
}

var contrastColumns = []column{
	{title: "CANDIDATE", least: narrowest}, {title: "METRIC", least: len("cost_per_case")}, {title: "CHANGE", right: true},
	{title: "95 % INTERVAL", right: true}, {title: "RESULT"}, {title: "HOLM P"},
}

// contrastRows are the comparisons with the reference, in the order of contrastColumns.
func contrastRows(s *eval.SideBySide) [][]string {
	var rows [][]string
	for i := range s.Candidates {
		name := s.Candidates[i].Name
		for _, c := range contrastsShown(&s.Candidates[i]) {
			p := ""
			if c.Holm != nil {
				p = strings.TrimPrefix(strings.TrimPrefix(pValue(*c.Holm), "p "), "= ")
			}
			rows = append(rows, []string{name, c.Metric, contrastChange(c), contrastInterval(c), wordInText(c.Word), p})
			name = ""
		}
	}
	return rows
}

// contrastsShown leaves out what is the same, but for accuracy and cost: that is no news.
func contrastsShown(c *eval.Contender) []eval.Contrast {
	return slices.DeleteFunc(slices.Clone(c.Contrasts), func(c eval.Contrast) bool {
		return c.Word == eval.Unchanged && c.Metric != "accuracy" && c.Unit != unitUSD
	})
}

func contrastSpans(s *eval.SideBySide, rows [][]string) [][]span {
	spans := spansOf(rows)
	at := 0
	for i := range s.Candidates {
		for _, c := range contrastsShown(&s.Candidates[i]) {
			spans[at][4].role = wordRole(c.Word, c.Word != eval.Regressed)
			at++
		}
	}
	return spans
}

// contrastChange is a difference in points, and of cost the ratio of the typical case.
func contrastChange(c eval.Contrast) string {
	switch {
	case c.Change == nil:
		return ""
	case c.Word == eval.Unchanged:
		return same
	case c.Unit == unitUSD:
		return "× " + times(1+*c.Change)
	case c.Unit != unitShare:
		return signed(*c.Change, 3, "")
	}
	return signed(*c.Change*100, 1, "pt") // of a share
}

func contrastInterval(c eval.Contrast) string {
	switch {
	case c.Low == nil || c.High == nil:
		return ""
	case c.Unit == unitUSD:
		return times(1+*c.Low) + " … " + times(1+*c.High)
	case c.Unit != unitShare:
		return fmt.Sprintf("%+.3f … %+.3f", *c.Low, *c.High)
	}
	return fmt.Sprintf("%+.1f … %+.1f pt", *c.Low*100, *c.High*100)
}

// times prints a ratio, near 1 to the thousandth.
func times(ratio float64) string {
	decimals := 3
	switch {
	case ratio >= 100:
		decimals = 0
	case ratio >= 10:
		decimals = 1
	case ratio < 0.01:
		decimals = 5
	case ratio < 0.1:
		decimals = 4
	}
	return strconv.FormatFloat(ratio, 'f', decimals, 64)
}

// sideNotes are the sentences below the figures.
func sideNotes(s *eval.SideBySide) []string {
	var notes []string
	if s.Tests > 0 {
		notes = append(notes, fmt.Sprintf("Each is compared with %s, to both sides; p by Holm over %s of the run. It is advice: gates compare with the baseline.",
			s.Reference, count(s.Tests, "comparison", "comparisons")))
	}
	var sees []string
	for i := range s.Candidates {
		for _, c := range s.Candidates[i].Contrasts {
			switch {
			case c.Sees != nil && c.Metric == "accuracy":
				one := fmt.Sprintf("%s from %.1f points on", s.Candidates[i].Name, *c.Sees*100)
				if c.Needs > 0 {
					one += fmt.Sprintf(" (the %.1f seen take about %s)", math.Abs(*c.Change)*100, count(c.Needs, "case", "cases"))
				}
				sees = append(sees, one)
			case s.Candidates[i].Outside != "": // which says why
			case c.Word == eval.NotGated || c.Word == eval.Inconclusive && c.Metric == "accuracy" && c.Note != "":
				notes = append(notes, fmt.Sprintf("%s, %s: %s", s.Candidates[i].Name, c.Metric, c.Note))
			}
		}
	}
	notes = append(notes, heldNote(s)...)
	if len(sees) > 0 {
		notes = append(notes, "A difference of accuracy would be shown in four runs of five: "+strings.Join(sees, ", ")+".")
	}
	notes = append(notes, s.Notes...)
	for i := range s.Candidates {
		if c := &s.Candidates[i]; c.Outside != "" {
			notes = append(notes, c.Name+" has no place on the frontier: "+c.Outside)
		}
	}
	return append(notes, keptNote(s)...)
}

// heldNote says what held means where the suite lets a metric lose something.
func heldNote(s *eval.SideBySide) []string {
	var lets []string
	for i := range s.Candidates {
		for _, c := range s.Candidates[i].Contrasts {
			if c.Word != eval.Held || c.Margin == 0 {
				continue
			}
			let := fmt.Sprintf("%s %.1f points", c.Metric, c.Margin*100)
			switch c.Unit {
			case unitUSD:
				let = fmt.Sprintf("%s %.1f %%", c.Metric, c.Margin*100)
			case unitShare:
			default:
				let = fmt.Sprintf("%s %.3f", c.Metric, c.Margin)
			}
			if !slices.Contains(lets, let) {
				lets = append(lets, let)
			}
		}
	}
	if len(lets) == 0 {
		return nil
	}
	return []string{"What held is not worse by more than the suite's gates let it be: " + strings.Join(lets, ", ") + "."}
}

// keptNote says whose latency is not of now.
func keptNote(s *eval.SideBySide) []string {
	var kept []string
	for i := range s.Candidates {
		if s.Candidates[i].LatencyKept {
			kept = append(kept, s.Candidates[i].Name)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case len(s.Candidates):
		return []string{"The latency is that of the kept answers, when they were given."}
	}
	return []string{"The latency of " + strings.Join(kept, ", ") + " is that of kept answers, when they were given."}
}

// sideBySide writes the same as tables.
func (m *markdown) sideBySide(v *eval.Verdict) {
	for i := range v.SideBySide {
		s := &v.SideBySide[i]
		var b strings.Builder
		fmt.Fprintf(&b, "\n**%s** (%s)\n\n", mdText(clip(sideTitle(s), 120)), mdPlain(sideScope(s)))
		b.WriteString("| candidate | accuracy | 95 % interval | cost per case | median | p95 | frontier |\n|---|--:|--:|--:|--:|--:|---|\n")
		b.WriteString(mdRows(candidateRows(s)))
		if rows := contrastRows(s); len(rows) > 0 {
			fmt.Fprintf(&b, "\n| against %s | metric | change | 95 %% interval | result | Holm p |\n|---|---|--:|--:|---|---|\n", mdCell(clip(s.Reference, 120)))
			b.WriteString(mdRows(rows))
		}
		b.WriteString("\n")
		for _, note := range sideNotes(s) {
			b.WriteString("- " + mdText(clip(note, 500)) + "\n")
		}
		if !m.add(b.String()) {
			m.add("\n… side by side: llmx runs show has it.\n")
			return
		}
	}
}

func mdRows(rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString("|")
		for i, cell := range row {
			switch cell = clip(cell, 120); i {
			case 0:
				b.WriteString(" " + mdCell(cell) + " |")
			case len(row) - 1: // it may hold a name
				b.WriteString(" " + mdText(cell) + " |")
			default:
				b.WriteString(" " + mdPlain(cell) + " |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
