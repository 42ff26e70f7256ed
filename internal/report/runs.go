package report

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// RunList writes stored runs, one a line, in the order given.
func RunList(w io.Writer, runs []eval.Run, s Style) error {
	p := newPage(w, s)
	if len(runs) == 0 {
		p.line(text("no run is stored yet: llmx test makes one"))
		return p.end()
	}
	columns := []column{{title: "RUN"}, {title: "STARTED"}, {title: "TOOK", right: true}, {title: "RESULT"},
		{title: "CASES", right: true}, {title: "PAID", right: true}, {title: "SUITES", give: true}}
	rows := make([][]span, len(runs))
	for i, run := range runs {
		rows[i] = runRow(run, s)
	}
	p.table("", columns, rows)
	return p.end()
}

func runRow(run eval.Run, s Style) []span {
	planned := 0
	var suites []string
	for _, g := range run.Groups {
		planned += g.Planned
		if !slices.Contains(suites, g.Suite) {
			suites = append(suites, g.Suite)
		}
	}
	duration := ""
	if !run.Ended.IsZero() {
		duration = lasting(took(run))
	}
	label, look := outcome(run)
	if run.Word != "" && (label == "PASS" || label == "FAIL") {
		label = wordInText(run.Word)
	}
	return []span{{run.ID, strong}, text(clock(run.Started, s)), text(duration), {strings.ToLower(label), look},
		text(number(planned)), text(run.Spent.String()), text(some(suites, 4))}
}

// clock is a time for people: with how long ago it was where that is short.
func clock(t time.Time, s Style) string {
	if t.IsZero() {
		return ""
	}
	at := t.In(s.zone()).Format("2006-01-02 15:04")
	if s.Now.IsZero() {
		return at
	}
	switch ago := s.Now.Sub(t); {
	case ago < 0 || ago >= 24*time.Hour:
		return at
	case ago < time.Minute:
		return "just now"
	case ago < time.Hour:
		return fmt.Sprintf("%d min ago", int(ago.Minutes()))
	default:
		return fmt.Sprintf("%d h ago", int(ago.Hours()))
	}
}

// RunShow writes one stored run: how it was made, the verdict if there is one, and
// its results, those that did not pass first, up to the style's limit. The results
// are ranged over once, in any order.
func RunShow(w io.Writer, run eval.Run, results iter.Seq2[eval.Result, error], s Style) error {
	p := newPage(w, s)
	p.headline(run)
	p.about(run, s)
	if run.Verdict != nil {
		p.space()
		p.verdictTable(run.Verdict)
		p.space()
		p.counts(run)
		p.errorClasses(run.Verdict)
		p.warnings(run)
		p.notes(run.Verdict)
	}
	kept, err := keepResults(results, s.limit())
	if err != nil {
		return err
	}
	p.results(run, kept, s)
	return p.end()
}

func (p *page) about(run eval.Run, s Style) {
	p.space()
	p.fact("run", run.ID)
	p.fact("started", run.Started.In(s.zone()).Format("2006-01-02 15:04:05 MST"))
	if !run.Ended.IsZero() {
		p.fact("took", lasting(took(run)))
	}
	p.fact("command", run.Command)
	p.fact("replies", run.Replies)
	p.fact("llmx", run.Version)
	p.fact("paid", run.Spent.String())
	if run.Filtered {
		p.fact("cases", "a selection: not to be accepted as a baseline")
	}
}

const factWidth = 10

// fact writes a name and its value; an empty value writes nothing.
func (p *page) fact(label, value string) {
	if value == "" {
		return
	}
	p.long(span{pad(label, factWidth, false), faint}, text(value))
}

// keptResults are the results that a page lists, and how many there were.
type keptResults struct {
	list   []eval.Result
	counts map[eval.Status]int
	all    int
}

var statusOrder = []eval.Status{eval.Error, eval.Fail, eval.Unjudged, eval.Pass}

// keepResults keeps the first few of every status, so that a run of any length
// needs little memory, and then the first of them all.
func keepResults(results iter.Seq2[eval.Result, error], most int) (keptResults, error) {
	k := keptResults{counts: map[eval.Status]int{}}
	byStatus := map[eval.Status][]eval.Result{}
	for r, err := range results {
		if err != nil {
			return k, err
		}
		k.all++
		k.counts[r.Status]++
		if len(byStatus[r.Status]) < most {
			r.Answer = clip(r.Answer, 200)
			byStatus[r.Status] = append(byStatus[r.Status], r)
		}
	}
	for _, status := range statusOrder {
		for _, r := range byStatus[status] {
			if len(k.list) < most {
				k.list = append(k.list, r)
			}
		}
	}
	return k, nil
}

var statusRole = map[eval.Status]role{eval.Pass: good, eval.Fail: bad, eval.Error: bad, eval.Unjudged: doubtful}

func (p *page) results(run eval.Run, k keptResults, s Style) {
	p.space()
	if k.all == 0 {
		p.line(text("no result is stored for this run"))
		return
	}
	c := k.counts
	p.flow("", span{"Results", strong}, text(fmt.Sprintf(": %s (%s passed, %s failed, %s, %s unjudged)", number(k.all),
		number(c[eval.Pass]), number(c[eval.Fail]), count(c[eval.Error], "error", "errors"), number(c[eval.Unjudged]))))
	columns := []column{{title: "RESULT"}, {title: "CASE", give: true}, {title: "SUITE · MODEL", give: true},
		{title: "DRAW", right: true}, {title: "TIME", right: true}, {title: "COST", right: true}, {title: "CALL"}}
	rows := make([][]span, len(k.list))
	for i, r := range k.list {
		rows[i] = []span{{string(r.Status), statusRole[r.Status]}, text(r.Case), text(name(r.Suite, r.Model)),
			text(number(r.Repeat + 1)), text(timeOf(r)), text(r.Cost.String()), text(r.CallID)}
	}
	widths := widthsOf(columns, rows)
	shrink(widths, columns, p.width-2-2*(len(columns)-1))
	p.titles("  ", columns, widths)
	for i, r := range k.list {
		p.row("  ", columns, widths, rows[i])
		if reason := r.Reason(); r.Status != eval.Pass && reason != "" {
			p.line(text("    "), span{clip(reason, 1000), faint})
		}
	}
	if rest := k.all - len(k.list); rest > 0 {
		p.long(span{"  … and " + number(rest) + " more: ", faint}, text("llmx runs show "+shellWord(run.ID)+" --limit "+fmt.Sprint(k.all)))
	}
}

// timeOf is how long an answer took; a stored answer took nothing now.
func timeOf(r eval.Result) string {
	if r.StoredBy != "" {
		return r.StoredBy
	}
	return latency(r.Service)
}
