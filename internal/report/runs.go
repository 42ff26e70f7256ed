package report

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

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
		p.against(run.Verdict)
		p.sideBySide(run.Verdict)
		p.space()
		p.counts(run)
		p.errorClasses(run.Verdict)
		p.warnings(run)
		p.notes(run)
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
		lasted := lasting(took(run))
		if run.Selection.Resumed > 0 {
			lasted += ", with a pause: llmx test --resume went on with it"
		}
		p.fact("took", lasted)
	}
	p.fact("command", run.Command)
	p.fact("replies", run.Replies)
	p.fact("llmx", run.Version)
	paid := run.Spent.String()
	if !run.Spent.Known {
		paid = "unknown: of some calls nobody said what they cost"
	}
	p.fact("paid", paid)
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

// sentence writes a fact that is no name, on as many lines as it needs.
func (p *page) sentence(label, value string) {
	if value != "" {
		p.hang("", strings.Repeat(" ", factWidth), span{pad(label, factWidth, false), faint}, text(value))
	}
}

// keptResults are the results that a page lists, and how many there were.
type keptResults struct {
	list   []eval.Result
	counts map[eval.Status]int
	all    int
}

var statusOrder = []eval.Status{eval.Error, eval.Fail, eval.Unjudged, eval.Pass}

// maxTalks bounds how many results of each status keep their conversation for a page.
const maxTalks = 100

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
			if len(byStatus[r.Status]) >= maxTalks {
				r.Steps = nil
			}
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
	columns := []column{{title: "RESULT"}, {title: "CASE", least: narrowest}, {title: "SUITE · MODEL", least: narrowest},
		{title: "DRAW", right: true}, {title: "TIME", right: true}, {title: "COST", right: true}, {title: "CALL"}}
	rows, groups := make([][]span, len(k.list)), groupsOf(run)
	for i, r := range k.list {
		rows[i] = []span{{string(r.Status), statusRole[r.Status]}, text(r.Case), text(named(r.Suite, r.Model, groups.key(&r).prompt)),
			text(number(r.Repeat + 1)), text(timeOf(r)), text(r.Cost.String()), text(r.CallID)}
	}
	l := p.lay("  ", columns, rows)
	p.titles(l)
	for i, r := range k.list {
		p.line(l.line(rows[i])...)
		if reason := r.Reason(); r.Status != eval.Pass && reason != "" {
			p.line(text("    "), span{clip(reason, 1000), faint})
		}
		if r.Status != eval.Pass || k.all == 1 {
			p.talk("      ", r.Talk(), maxTalkLines)
		}
	}
	if rest := k.all - len(k.list); rest > 0 {
		p.long(span{"  … and " + number(rest) + " more: ", faint}, text("llmx runs show "+ShellWord(run.ID)+" --limit "+fmt.Sprint(k.all)))
	}
}

// timeOf is how long an answer took; a stored answer took nothing now.
func timeOf(r eval.Result) string {
	if r.StoredBy != "" {
		return r.StoredBy
	}
	return latency(r.Service)
}
