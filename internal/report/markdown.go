package report

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// maxMarkdown bounds the bytes of a document, below the 65,536 characters that
// a pull request's comment may have.
const maxMarkdown = 60_000

// Markdown writes a run as a comment for a pull request: the verdict, the
// figures, then up to so many flips (0: 20), each folded away with its diff. The
// document stays below 60,000 bytes: what has no room is counted instead.
func Markdown(w io.Writer, run eval.Run, limit int) error {
	if limit == 0 {
		limit = defaultLimit
	}
	// Some room is kept for the lines that say what was left out.
	m := &markdown{room: maxMarkdown - 1200}
	run = settling(run)
	m.headline(run)
	if v := run.Verdict; v != nil {
		m.figures(v)
		m.against(v)
		m.sideBySide(v)
		m.labels(v)
		m.sums(run)
		m.lookAt(v)
		m.flips(run, limit)
		m.failed(run, limit)
		m.quarantined(run, limit)
		m.remarks(run)
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

// markdown gathers blocks, as long as there is room for them.
type markdown struct {
	b    strings.Builder
	room int
}

// add writes a block if it fits.
func (m *markdown) add(block string) bool {
	if m.b.Len()+len(block) > m.room {
		return false
	}
	m.b.WriteString(block)
	return true
}

var marks = map[role]string{good: "✅", bad: "❌", doubtful: "⚠️"}

func (m *markdown) headline(run eval.Run) {
	label, look := outcome(run)
	m.add("### " + marks[look] + " llmx: " + label + "\n\n" + mdText(clip(sentence(run), 1000)) + "\n")
	if run.Failure != nil && run.Verdict != nil {
		m.add("\nThe run stopped: " + mdCode(clip(run.Failure.Message, 1000)) + "\n")
	}
}

// figures writes the table, row by row as long as it fits.
func (m *markdown) figures(v *eval.Verdict) {
	if len(v.Groups) == 0 {
		return
	}
	m.add("\n| suite · model | metric | baseline | now | change | gate | result |\n|---|---|--:|--:|--:|---|---|\n")
	left := 0
	for _, g := range failingFirst(v.Groups) {
		title := mdCell(clip(nameOf(g.Group), 120))
		for _, r := range rowsOf(g) {
			line := fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", title, mdCell(clip(r.metric, 80)),
				mdPlain(r.baseline), mdPlain(r.now), mdPlain(r.change), mdPlain(r.gate), mdResult(r))
			// Half of the document is for the flips.
			if m.b.Len()+len(line) > m.room/2 {
				left++
				continue
			}
			m.add(line)
			title = ""
		}
	}
	if left > 0 {
		m.add("\n… and " + count(left, "more row", "more rows") + ".\n")
	}
}

// mdResult is the last cell of a row: the word, what the test found, and why.
func mdResult(r row) string {
	var parts []string
	if word := mdPlain(r.result()); word != "" && !r.pass {
		parts = append(parts, "**"+word+"**")
	} else if word != "" {
		parts = append(parts, word)
	}
	if r.figures != "" {
		parts = append(parts, mdPlain(r.figures))
	}
	for _, note := range r.notes {
		parts = append(parts, mdText(clip(note, 300)))
	}
	if r.command != "" {
		parts = append(parts, mdCode(clip(r.command, 300)))
	}
	return strings.Join(parts, "<br>")
}

func (m *markdown) sums(run eval.Run) {
	v := run.Verdict
	if v.Planned == 0 && len(v.Unchanged) > 0 {
		return // nothing was to be asked
	}
	m.add(fmt.Sprintf("\n%s planned = %s judged + %s + %s unjudged; %s. Run %s.\n",
		number(v.Planned), number(v.Judged), count(v.Errors, "error", "errors"), number(v.Unjudged), pricedApart(v), mdCode(clip(run.ID, 80))))
	for _, beside := range besideOf(v) {
		m.add("\n" + mdText(beside) + "\n")
	}
	for _, c := range sumErrors(v) {
		m.add(fmt.Sprintf("- %s × %s: %s\n", number(c.Count), mdCode(string(c.Class))+among(c), mdCode(clip(c.First, 300))))
	}
}

func (m *markdown) flips(run eval.Run, limit int) {
	worse, better, _ := sortCases(run.Verdict)
	down, up, _ := moved(run.Verdict)
	down, up = max(down, len(worse)), max(up, len(better))
	if down+up == 0 {
		return
	}
	m.add(fmt.Sprintf("\n**Against %s:** %s worse, %s better\n", mdText(comparedWith(run.Verdict)), count(down, "case", "cases"), number(up)))
	shown := 0
	for _, f := range append(worse, better...) {
		if shown == limit || !m.add(mdFlip(f)) {
			break
		}
		shown++
	}
	if rest := down + up - shown; rest > 0 {
		m.b.WriteString("\n… and " + number(rest) + " more: " + mdCode("llmx runs show "+ShellWord(clip(run.ID, 80))) + "\n")
	}
}

// mdFlip folds a flip away under its name. The summary is HTML, where Markdown
// means nothing; the difference stands in a fence that it cannot close.
func mdFlip(f eval.Flip) string {
	direction := "better"
	if f.Worse {
		direction = "worse"
	}
	title := clip(f.Case, 200) + "  " + f.Before + " → " + f.After
	if f.Anew != "" {
		title += ", anew " + strings.Replace(f.Anew, "->", "→", 1)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n<details><summary>%s: <code>%s</code> (<code>%s</code>)</summary>\n\n", direction,
		html.EscapeString(clean(title)), html.EscapeString(clean(clip(named(f.Suite, f.Model, f.Prompt), 200))))
	if f.Reason != "" {
		b.WriteString(mdCode(clip(f.Reason, 500)) + "\n\n")
	}
	if f.Accepted != "" {
		b.WriteString("Accepted before: " + mdCode(clip(f.Accepted, 500)) + "\n\n")
	}
	b.WriteString(mdTalk(f.Talk))
	if f.Talk == nil || f.Old != nil {
		b.WriteString(fenced("diff", mdDiff(f)))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func mdDiff(f eval.Flip) string {
	var all []edit
	if f.Old == nil {
		all = lineEdits(put, f.New)
	} else if d := diffAnswers(*f.Old, f.New); d.shape == shapeSame {
		all = lineEdits(kept, f.New)
	} else if d.shape == shapeLines {
		all = d.edits
	} else {
		all = append(lineEdits(dropped, *f.Old), lineEdits(put, f.New)...)
	}
	const mostLines, mostBytes = 40, 2400
	var b strings.Builder
	for i, e := range all {
		line := clip(clean(e.text), 600)
		if i == mostLines || b.Len()+len(line) > mostBytes {
			b.WriteString("  … and " + count(len(all)-i, "more line", "more lines") + "\n")
			break
		}
		mark := string(e.op)
		if e.op == 0 {
			mark, line = " ", "…"
		}
		b.WriteString(strings.TrimRight(mark+" "+line, " ") + "\n")
	}
	return b.String()
}

func lineEdits(o op, s string) []edit {
	if strings.TrimSpace(s) == "" {
		return []edit{{o, "(empty answer)"}}
	}
	var list []edit
	for _, l := range lines(clip(s, maxCompared)) {
		list = append(list, edit{o, l})
	}
	return list
}

func (m *markdown) failed(run eval.Run, limit int) {
	_, _, failed := sortCases(run.Verdict)
	sections, rest := failedSections(run.Verdict, failed)
	for _, section := range sections {
		m.failedSection(section, limit)
	}
	if rest > 0 {
		m.add("\n… and " + count(rest, "more case fails", "more cases fail") + "\n")
	}
}

func (m *markdown) failedSection(section failedSection, limit int) {
	if !m.add("\n<details><summary>" + section.title + ": " + count(len(section.cases), "case", "cases") + "</summary>\n\n") {
		return
	}
	shown := 0
	for _, f := range section.cases {
		line := fmt.Sprintf("- %s %s (%s) %s\n", mdCode(clip(f.Case, 200)), mdPlain(f.Passes), mdCode(clip(named(f.suite, f.model, f.prompt), 200)), mdCode(clip(f.Reason, 300))) + mdTalkItem(f.Talk)
		if shown == limit || !m.add(line) {
			break
		}
		shown++
	}
	if rest := len(section.cases) - shown; rest > 0 {
		m.b.WriteString("- … and " + number(rest) + " more\n")
	}
	m.b.WriteString("\n</details>\n")
}

func (m *markdown) remarks(run eval.Run) {
	list, notes := allWarnings(run), sharedNotes(run)
	const most = 10
	m.add("\n")
	for _, warning := range list[:min(len(list), most)] {
		m.add("- warning: " + mdText(clip(warning, 500)) + "\n")
	}
	for _, note := range notes[:min(len(notes), most)] {
		m.add("- " + mdText(clip(note, 500)) + "\n")
	}
	if rest := max(0, len(list)-most) + max(0, len(notes)-most); rest > 0 {
		m.add("- … and " + number(rest) + " more\n")
	}
}
