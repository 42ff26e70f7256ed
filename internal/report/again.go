package report

import (
	"io"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Again writes a call beside the one that it asked again: what was asked of whom, and
// what differs in the answers.
func Again(w io.Writer, before, after *llm.Call, s Style) error {
	p := newPage(w, s)
	columns := []column{{title: ""}, {title: "CALL"}, {title: "STARTED"}, {title: "PROMPT", least: narrowest}, {title: "MODEL", least: narrowest},
		{title: "ATTEMPTS", right: true}, {title: "TOOK", right: true}, {title: "PAID", right: true}}
	var rows [][]span
	for _, one := range []struct {
		word string
		call *llm.Call
	}{{"before", before}, {"now", after}} {
		model := one.call.Model
		if by := answeredBy(one.call); by != "" && by != model {
			model += " → " + by
		}
		rows = append(rows, []span{{one.word, faint}, {one.call.ID, strong}, text(clock(one.call.Started, s)), text(one.call.Prompt.String()), text(model),
			text(number(one.call.Attempts())), text(latency(one.call.Total)), text(one.call.Paid().String())})
	}
	l := p.lay("", columns, rows)
	p.titles(l)
	for _, row := range rows {
		p.line(l.line(row)...)
	}
	p.space()
	now := saidBy(after)
	if before.Failure == nil {
		p.sameOrNot(saidBy(before), now)
		return p.end()
	}
	p.hang("", "  ", span{"before: FAILED", bad}, text("  "+string(before.Failure.Class)+": "+before.Failure.Message))
	if was := saidBy(before); was != "" {
		p.sameOrNot(was, now)
		return p.end()
	}
	p.line(span{"Answer", strong}, text(" now"))
	p.answer("  ", laidOut(now))
	return p.end()
}

// sameOrNot writes what differs in two answers; one answer where nothing does.
func (p *page) sameOrNot(was, now string) {
	if was == now {
		p.line(span{"Answer", strong}, text(": the same as before"))
		p.answer("  ", laidOut(now))
		return
	}
	p.line(span{"Answer", strong}, text(": from before to now"))
	p.answers("  ", was, now)
}

// laidOut is an answer over as many lines as its JSON has, if it is JSON.
func laidOut(answer string) string {
	if pretty, ok := prettyJSON(answer); ok {
		return pretty
	}
	return answer
}
