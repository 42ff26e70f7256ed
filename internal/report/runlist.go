package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// withCommand is the width from which on a run's command and prompts stand under it.
const withCommand = 120

var listColumns = []column{{title: "RUN"}, {title: "STARTED"}, {title: "RESULT"}, {title: "JUDGED", right: true},
	{title: "SUITES", least: len("suite-name +9")}, {title: "PAID", right: true}}

// suitesAt is the column of the suites, and someSuites what two or three names take.
const (
	suitesAt   = 4
	someSuites = 24
)

// RunList writes stored runs, one a line, in the order given; on a wide page a
// second line has the command and the prompts. Where the page is too narrow, the
// verdict's word goes, and then suites are counted rather than cut.
func RunList(w io.Writer, runs []eval.Run, s Style) error {
	p := newPage(w, s)
	if len(runs) == 0 {
		p.line(text("no run is stored yet: llmx test makes one"))
		return p.end()
	}
	rows := runRows(runs, s, true)
	if room := roomForSuites(rows, p.width); natural(rows).width() > p.width {
		if room < someSuites {
			rows = runRows(runs, s, false)
			room = roomForSuites(rows, p.width)
		}
		for i, run := range runs {
			rows[i][suitesAt].text = fitNames(suitesOf(run), room)
		}
	}
	l := p.lay("", listColumns, rows)
	p.titles(l)
	for i, run := range runs {
		p.line(l.line(rows[i])...)
		if p.width >= withCommand && run.Command != "" {
			p.line(span{"  " + run.Command + "  " + some(promptsOf(run), 4), faint})
		}
	}
	return p.end()
}

// natural is the layout of a list that has all the room it wants.
func natural(rows [][]span) layout {
	return layout{"", "  ", listColumns, widthsOf(listColumns, rows)}
}

func roomForSuites(rows [][]span, columns int) int {
	all := natural(rows)
	return columns - (all.width() - all.widths[suitesAt])
}

func runRows(runs []eval.Run, s Style, words bool) [][]span {
	rows := make([][]span, len(runs))
	for i, run := range runs {
		judged, planned := 0, 0
		for _, g := range run.Groups {
			judged, planned = judged+g.Judged, planned+g.Planned
		}
		share := number(judged) + "/" + number(planned)
		rows[i] = []span{{run.ID, strong}, text(clock(run.Started, s)), resultOf(run, words), text(share),
			text(strings.Join(suitesOf(run), ", ")), text(run.Spent.String())}
	}
	return rows
}

// resultOf is what came of a run: PASS or FAIL, with the word where there is room,
// or why it is neither.
func resultOf(run eval.Run, words bool) span {
	label, look := outcome(run)
	switch {
	case label != "PASS" && label != "FAIL":
		label = strings.ToLower(label)
	case words && run.Word != "":
		label += " " + wordInText(run.Word)
	}
	return span{label, look}
}

func suitesOf(run eval.Run) []string {
	return distinct(run, func(g eval.Group) string { return g.Suite })
}

func promptsOf(run eval.Run) []string {
	return distinct(run, func(g eval.Group) string { return g.Prompt.String() })
}

// distinct lists a name of each group once, in the order of the groups.
func distinct(run eval.Run, of func(eval.Group) string) []string {
	var names []string
	for _, g := range run.Groups {
		if s := of(g); s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// fitNames lists as many names as have room, and counts the others: "a, b +2".
func fitNames(names []string, columns int) string {
	for n := len(names); n > 0; n-- {
		s := strings.Join(names[:n], ", ")
		if rest := len(names) - n; rest > 0 {
			s += " +" + number(rest)
		}
		if n == 1 || width(clean(s)) <= columns {
			return s
		}
	}
	return ""
}

// clock is a time for people: how long ago it was, or the day where that is long.
func clock(t time.Time, s Style) string {
	if t.IsZero() {
		return ""
	}
	at := t.In(s.zone())
	ago := s.Now.Sub(t)
	const day = 24 * time.Hour
	switch {
	case s.Now.IsZero(), ago < 0:
		return at.Format("2006-01-02 15:04")
	case ago < time.Minute:
		return "just now"
	case ago < time.Hour:
		return fmt.Sprintf("%d min ago", int(ago.Minutes()))
	case ago < day:
		return fmt.Sprintf("%d h ago", int(ago.Hours()))
	case ago < 100*day:
		return fmt.Sprintf("%d d ago", int(ago/day))
	}
	return at.Format("2006-01-02")
}
