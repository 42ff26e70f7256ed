package report

import (
	"io"
	"strconv"
	"time"

	"github.com/llmx-dev/llmx/internal/prompt"
)

// LabelLog writes the labels that were set on servers, one a line, in the order given,
// and under each the reason.
func LabelLog(w io.Writer, log []prompt.Override, s Style) error {
	p := newPage(w, s)
	if len(log) == 0 {
		p.line(text("no label was set on a server"))
		return p.end()
	}
	columns := []column{{title: "SET (UTC)"}, {title: "BY", least: narrowest}, {title: "PROMPT", least: narrowest}, {title: "LABEL", least: narrowest},
		{title: "FROM"}, {title: "TO"}, {title: "SHARE", right: true}, {title: "STATE"}}
	rows := make([][]span, len(log))
	for i, o := range log {
		share := ""
		if o.Percent > 0 {
			share = strconv.FormatFloat(o.Percent, 'f', -1, 64) + " %"
		}
		rows[i] = []span{text(second(o.At)), text(o.By), text(o.Prompt), text(o.Label), text(o.Before), text(o.Version), text(share), text(stateOf(o))}
	}
	l := p.lay("", columns, rows)
	p.titles(l)
	for i, o := range log {
		p.line(l.line(rows[i])...)
		p.line(span{"  " + clean(o.Because), faint})
	}
	return p.end()
}

// stateOf says whether a label is in force, and until when, or how that has ended.
func stateOf(o prompt.Override) string {
	switch {
	case !o.Ended.IsZero():
		return o.How + " " + second(o.Ended)
	case o.Until.IsZero():
		return "in force until the files agree"
	}
	return "in force until " + second(o.Until)
}

func second(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }
