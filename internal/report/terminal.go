package report

import (
	"io"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// Terminal writes a run for the person who started it: the verdict first, then
// the figures, the errors, what flipped, and what to do next.
func Terminal(w io.Writer, run eval.Run, s Style) error {
	p := newPage(w, s)
	run = settling(run)
	p.headline(run)
	if v := run.Verdict; v != nil {
		p.space()
		p.verdictTable(v)
		p.against(v)
		p.sideBySide(v)
		p.space()
		p.counts(run)
		p.errorClasses(v)
		p.lookAt(v)
		p.cases(run, s)
		p.quarantined(run, s.limit())
		p.warnings(run)
		p.notes(run)
	}
	p.next(run)
	return p.end()
}

// maxSentence bounds the bytes of a reason, a warning or a note on a page.
const maxSentence = 600

// outcome puts an exit code into words that need no explanation.
func outcome(run eval.Run) (string, role) {
	exit, word := run.Exit, run.Word
	if run.Verdict != nil {
		exit, word = run.Verdict.Exit, run.Verdict.Word
	}
	switch {
	case run.State == eval.Interrupted, exit == fault.ExitInterrupted:
		return "INTERRUPTED", doubtful
	case run.State == eval.Running:
		return "NOT FINISHED", doubtful
	case run.Verdict == nil && run.Word == "":
		return "COULD NOT JUDGE", doubtful
	case exit == fault.ExitOK && word == eval.NotGated:
		// Nothing failed because nothing was judged (--missing neutral): that is no pass.
		return "NOT JUDGED", doubtful
	case exit == fault.ExitOK:
		return "PASS", good
	case exit == fault.ExitGate:
		return "FAIL", bad
	case exit == fault.ExitInvalid, exit == fault.ExitUsage:
		return "INVALID", bad
	}
	return "COULD NOT JUDGE", doubtful
}

// sentence is the verdict's sentence, with the word before it where it lacks it.
func sentence(run eval.Run) string {
	if run.Verdict == nil {
		switch {
		case run.Failure != nil:
			return run.Failure.Message
		case run.State == eval.Running:
			return "the run has no end yet: it goes on, or it was killed"
		}
		return string(run.Word)
	}
	word, s := wordInText(run.Verdict.Word), run.Verdict.Sentence
	switch {
	case s == "":
		return word
	case word == "" || run.Verdict.Word == eval.NotGated || strings.Contains(strings.ToLower(s), word):
		return s
	}
	return word + ": " + s
}

// wordInText is a word as it reads in a sentence.
func wordInText(word eval.Word) string {
	if word == eval.Missed {
		return "gate missed"
	}
	return string(word)
}

func (p *page) headline(run eval.Run) {
	label, look := outcome(run)
	p.hang("", "  ", span{label, look}, text("  "), span{clip(sentence(run), 2*maxSentence), strong})
	if run.Verdict != nil && run.Failure != nil {
		p.flow("  ", text("the run stopped: "+clip(run.Failure.Message, maxSentence)))
	}
}

// whole is how many groups are shown in full before those that pass are shown
// on one line each.
const whole = 12

var verdictColumns = []column{
	{title: "METRIC", least: len("schema_validity")}, {title: "BASELINE", right: true}, {title: "NOW", right: true},
	{title: "CHANGE", right: true}, {title: "GATE", least: len("max_drop 10.0 pt")}, {title: "RESULT"},
}

// verdictTable writes suites × models × metrics, failing groups first. All groups
// share the widths of the columns, so that figures stand under each other.
func (p *page) verdictTable(v *eval.Verdict) {
	groups := failingFirst(v.Groups)
	shown := make([][]row, len(groups))
	var cells [][]span
	for i, g := range groups {
		if g.Pass && len(groups) > whole || g.Judged == 0 {
			continue
		}
		shown[i] = rowsOf(g)
		for _, r := range shown[i] {
			cells = append(cells, cellsOf(r))
		}
	}
	const indent = "  "
	l := p.lay(indent, verdictColumns, cells)
	for i, g := range groups {
		if i > 0 && shown[i] != nil {
			p.space()
		}
		p.groupTitle(g)
		if shown[i] == nil {
			continue
		}
		if i == 0 {
			p.titles(l)
		}
		for _, r := range shown[i] {
			p.verdictRow(l, r)
		}
		p.labelTables(g.Labels)
	}
}

func failingFirst(groups []eval.GroupVerdict) []eval.GroupVerdict {
	sorted := slices.Clone(groups)
	slices.SortStableFunc(sorted, func(a, b eval.GroupVerdict) int {
		switch {
		case a.Pass == b.Pass:
			return 0
		case b.Pass:
			return -1
		}
		return 1
	})
	return sorted
}

func (p *page) groupTitle(g eval.GroupVerdict) {
	title := []span{{nameOf(g.Group), strong}, text("  "), {wordInText(g.Word), wordRole(g.Word, g.Pass)}}
	about := g.Prompt.String()
	if g.HasBaseline && g.BaselineFrom != "" {
		about += " against " + g.BaselineFrom
	} else if !g.HasBaseline {
		about += ", no baseline yet"
	}
	if g.Judged < g.Planned {
		title = append(title, span{"  " + number(g.Judged) + " of " + number(g.Planned) + " judged", doubtful})
	}
	p.hang("", "  ", append(title, span{"  " + strings.TrimPrefix(about, ", "), faint})...)
}

// name is how a group is called everywhere.
func name(suite, model string) string { return suite + " · " + model }

// nameOf is the name of a group, with the prompt where a run asks several.
func nameOf(g eval.Group) string {
	if g.ByPrompt {
		return named(g.Suite, g.Model, g.Prompt.String())
	}
	return name(g.Suite, g.Model)
}

// named is nameOf by its parts; prompt is "" where a run asks one.
func named(suite, model, prompt string) string {
	if prompt == "" {
		return name(suite, model)
	}
	return name(suite, model) + " · " + prompt
}

// promptIn is the prompt of a group as a part of its name: "" where a run asks one.
func promptIn(g eval.Group) string {
	if g.ByPrompt {
		return g.Prompt.String()
	}
	return ""
}

func cellsOf(r row) []span {
	return []span{text(r.metric), text(r.baseline), text(r.now), text(r.change), text(r.gate), {r.result(), wordRole(r.word, r.pass)}}
}

// verdictRow writes a row. What the test found stands on its right where there is
// room; else below it, unless the gate passes by it.
func (p *page) verdictRow(l layout, r row) {
	cells := cellsOf(r)
	if r.gate == "" && len(r.notes) == 1 {
		// The note of a figure that nothing gates has the room of the gate.
		line := append(l.line(cells[:4]), text(l.gap), span{clean(clip(r.notes[0], maxSentence)), faint})
		if widthOf(line) <= p.width {
			p.line(line...)
			return
		}
	}
	line := l.line(cells)
	beside := r.figures != "" && l.width()+len(l.gap)+width(r.figures) <= p.width
	if beside {
		line = append(line, text(l.gap), span{r.figures, faint})
	}
	p.line(line...)
	if r.figures != "" && !beside && !r.settled {
		p.flow(l.indent+"  ", span{r.figures, faint})
	}
	for _, note := range r.notes {
		p.flow(l.indent+"  ", span{clip(note, maxSentence), faint})
	}
	if r.command != "" {
		p.long(text(l.indent+"  "), text(r.command))
	}
}
