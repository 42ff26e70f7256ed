package report

import (
	"io"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Problems writes every problem of an error: its place, what is wrong, and what
// is allowed or to be done. Nil writes nothing.
func Problems(w io.Writer, err error, s Style) error {
	var list fault.List
	list.Add(err)
	p := newPage(w, s)
	for _, e := range list {
		where := ""
		if place := e.Place.String(); place != "" {
			where = place + ": "
		}
		message := e.Message
		if message == "" {
			message = string(e.Class)
		}
		p.prosaic("error: ", bad, where+message)
		for _, hint := range lines(e.Hint) {
			p.long(text("  "), text(strings.TrimSpace(hint)))
		}
		if e.Class == fault.Internal {
			p.long(text("  "), span{"this is a fault of llmx, not of your files", faint})
		}
	}
	return p.end()
}

// Warnings writes what is worth knowing and stops nothing.
func Warnings(w io.Writer, warnings []string, s Style) error {
	p := newPage(w, s)
	for _, warning := range warnings {
		p.prosaic("warning: ", doubtful, warning)
	}
	return p.end()
}

// prosaic writes a message whole, its lines indented under the first: places and
// commands in it must stay in one piece, so that nothing is wrapped.
func (p *page) prosaic(label string, look role, message string) {
	for i, l := range lines(message) {
		if i == 0 {
			p.long(span{label, look}, text(l))
			continue
		}
		p.long(text("  "), text(strings.TrimLeft(l, " ")))
	}
}

// warning writes one warning within a page.
func (p *page) warning(message string) {
	p.hang("", "  ", span{"warning: ", doubtful}, text(clip(oneLine(message), maxSentence)))
}
