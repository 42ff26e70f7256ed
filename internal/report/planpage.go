package report

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// PlanPage writes what a run would do, for the person who is about to start it:
// what it comes to, then each suite × model, what the figures rest on, and what to
// do next.
func PlanPage(w io.Writer, plan Plan, s Style) error {
	p := newPage(w, s)
	total := plan.Total()
	p.hang("", "  ", span{"PLAN", strong}, text("  "), span{planSentence(total), strong})
	p.space()
	p.planTable(plan, total)
	p.space()
	p.flow("", span{"no model was asked, and nothing was written", faint})
	p.planWarnings(plan, total)
	if notes := planNotes(plan, total); len(notes) > 0 {
		p.space()
		for _, note := range notes {
			p.hang("note: ", "  ", text(note))
		}
	}
	p.steps(planSteps(plan, total))
	return p.end()
}

// planSentence says in one line what the run comes to.
func planSentence(total PlanGroup) string {
	sentence := answersSentence(total)
	if asked := total.Judging; asked.Requests > 0 {
		sentence += fmt.Sprintf("; %s of checks to ask, %s, %s", count(asked.Requests, "question", "questions"), priceOf(asked), timeFor(asked))
	}
	if total.Unjudged > 0 {
		sentence += "; judges are missing for " + count(total.Unjudged, "answer", "answers")
	}
	return sentence
}

// answersSentence says what asking for the answers comes to.
func answersSentence(total PlanGroup) string {
	results := count(total.Results, "result", "results")
	if n := total.Replies(); n > total.Results {
		results += " of " + count(n, "reply", "replies")
	}
	switch asked := total.Asked; {
	case asked.Requests > 0 && total.Missing > 0:
		return fmt.Sprintf("%s: %s to ask, %s, %s; %s", results, number(asked.Requests), priceOf(asked), timeFor(asked), unanswered(total))
	case asked.Requests > 0:
		return fmt.Sprintf("%s: %s to ask, %s, %s", results, number(asked.Requests), priceOf(asked), timeFor(asked))
	case total.Missing > 0:
		return results + ": nobody to ask; " + unanswered(total)
	}
	if total.Judging.Requests > 0 {
		return results + ": all answers are there"
	}
	return results + ": nobody to ask, nothing to pay"
}

func unanswered(total PlanGroup) string {
	return count(total.Missing, "reply is", "replies are") + " missing"
}

// about says what requests are about to cost.
func about(f Forecast) string {
	priced := f.Requests - f.Unpriced
	if priced == 0 {
		return "price unknown"
	}
	s := "about " + f.Cost.String()
	if f.FirstSteps > 0 {
		s = "at least about " + f.Cost.String()
	}
	if f.Unpriced > 0 {
		return fmt.Sprintf("%s for %s, and the price of %s is unknown", s, number(priced), number(f.Unpriced))
	}
	return s
}

// priceOf says what requests are about to cost, and the most that it may be.
func priceOf(f Forecast) string {
	s := about(f)
	switch {
	case f.Unpriced > 0 || f.Unbounded > 0 || f.MostCost == f.Cost:
		return s
	case f.Most > f.Requests:
		return s + " (at most " + f.MostCost.String() + " if " + allOf(f) + ", with answers as long as max_tokens lets them be)"
	}
	return s + " (at most " + f.MostCost.String() + " if every answer is as long as max_tokens lets it be)"
}

// allOf says what would have to come together for the most requests.
func allOf(f Forecast) string {
	const steps, again = "every cascade goes through all of its steps", "every answer is asked for again as often as the prompt allows"
	switch {
	case f.Reasks == 0:
		return steps
	case f.Most-f.Reasks == f.Requests:
		return again
	}
	return steps + " and " + again
}

// timeFor says how long requests take.
func timeFor(f Forecast) string {
	switch {
	case f.Time.Known && f.Time.Took < time.Second:
		return "less than a second"
	case f.Time.Known:
		return "about " + roughly(f.Time.Took)
	case f.Time.Took > 0:
		return "at least " + roughly(f.Time.Took)
	}
	return "time unknown"
}

// planName is a group in the table: that of a commit with its name.
func planName(g PlanGroup) string {
	text := named(g.Suite, g.Model, g.beside())
	if g.At != "" {
		text += " at " + g.At
	}
	return text
}

// planColumn is a column of the table; it is left out where it says nothing.
type planColumn struct {
	column
	show func(plan Plan, total PlanGroup) bool // nil: always
	cell func(g PlanGroup) string
}

var planColumns = []planColumn{
	{column{title: "SUITE · MODEL", least: narrowest}, nil, planName},
	{column{title: "CASES", right: true}, nil, func(g PlanGroup) string { return number(g.Cases) }},
	{column{title: "RESULTS", right: true}, func(_ Plan, t PlanGroup) bool { return t.Results != t.Cases }, func(g PlanGroup) string { return number(g.Results) }},
	{column{title: "REPLIES", right: true}, func(_ Plan, t PlanGroup) bool { return t.Replies() > t.Results }, func(g PlanGroup) string { return number(g.Replies()) }},
	{column{title: "RECORDED", right: true}, func(plan Plan, _ PlanGroup) bool { return plan.Replies != "live" }, func(g PlanGroup) string { return number(g.Recorded) }},
	{column{title: "CACHED", right: true}, func(plan Plan, _ PlanGroup) bool { return plan.Replies == "live" }, func(g PlanGroup) string { return number(g.Cached) }},
	{column{title: "MISSING", right: true}, func(_ Plan, t PlanGroup) bool { return t.Missing > 0 }, func(g PlanGroup) string { return number(g.Missing) }},
	{column{title: "TO ASK", right: true}, nil, func(g PlanGroup) string { return number(g.Asked.Requests) }},
	{column{title: "PRICE", right: true}, nil, func(g PlanGroup) string { return priceCell(g.Asked) }},
	{column{title: "AT MOST", right: true}, nil, func(g PlanGroup) string { return boundCell(g.Asked) }},
	{column{title: "TIME", right: true}, nil, func(g PlanGroup) string { return timeCell(g.Asked) }},
	{column{title: "BY CHECKS", right: true}, byChecks, func(g PlanGroup) string { return number(g.Judging.Requests) }},
	{column{title: "THEIR PRICE", right: true}, byChecks, func(g PlanGroup) string { return priceCell(g.Judging) }},
}

// byChecks shows what checks ask, where they do.
func byChecks(_ Plan, total PlanGroup) bool { return total.Judging.Requests > 0 }

// planTable writes suites × models. Where the page is too narrow and there are more
// results than cases, the cases go.
func (p *page) planTable(plan Plan, total PlanGroup) {
	groups := plan.Groups
	if len(groups) > 1 {
		groups = append(groups[:len(groups):len(groups)], total)
	}
	shown := slices.DeleteFunc(slices.Clone(planColumns), func(c planColumn) bool { return c.show != nil && !c.show(plan, total) })
	columns, rows := planRows(shown, groups)
	if l := (layout{"  ", "  ", columns, widthsOf(columns, rows)}); l.width() > p.width && total.Results != total.Cases {
		columns, rows = planRows(slices.Delete(shown, 1, 2), groups)
	}
	p.table("  ", columns, rows)
}

func planRows(shown []planColumn, groups []PlanGroup) ([]column, [][]span) {
	columns, rows := make([]column, len(shown)), make([][]span, len(groups))
	for i, c := range shown {
		columns[i] = c.column
	}
	for i, g := range groups {
		for _, c := range shown {
			rows[i] = append(rows[i], text(c.cell(g)))
		}
		if g.Suite == "" {
			rows[i][0] = text("total")
		}
	}
	return columns, rows
}

func priceCell(f Forecast) string {
	switch {
	case f.Requests == 0:
		return "-"
	case f.Unpriced == f.Requests:
		return unknown
	case f.Unpriced > 0 || f.FirstSteps > 0:
		return "≥ " + f.Cost.String()
	}
	return f.Cost.String()
}

func boundCell(f Forecast) string {
	switch {
	case f.Requests == 0:
		return "-"
	case f.Unpriced > 0:
		return unknown
	case f.Unbounded > 0:
		return "no bound"
	}
	return f.MostCost.String()
}

func timeCell(f Forecast) string {
	switch {
	case f.Requests == 0:
		return "-"
	case f.Time.Known:
		return roughly(f.Time.Took)
	case f.Time.Took > 0:
		return "≥ " + roughly(f.Time.Took)
	}
	return unknown
}
