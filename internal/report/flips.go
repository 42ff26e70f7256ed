package report

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// cases writes what flipped against the baseline, worse first, each with the
// difference of the answers, and then the cases that fail without having flipped.
func (p *page) cases(run eval.Run, s Style) {
	worse, better, failed := sortCases(run.Verdict)
	most := s.limit()
	all := 0
	for _, g := range run.Verdict.Groups {
		all += g.FlipsDown
	}
	shown := min(len(worse), most)
	p.flips("Worse than "+than(run.Verdict), bad, worse[:shown], max(all, len(worse)), run.ID)

	all = 0
	for _, g := range run.Verdict.Groups {
		all += g.FlipsUp
	}
	shown = min(len(better), max(most-shown, min(most, 3)))
	p.flips("Better than "+than(run.Verdict), good, better[:shown], max(all, len(better)), run.ID)
	p.failed(run, failed, most)
}

// failing is a failed case with its group.
type failing struct {
	suite, model, prompt string // the prompt where a run asks several
	eval.Failed
}

// sortCases gathers the cases of all groups; a failed case that is listed as a
// flip is not listed twice.
func sortCases(v *eval.Verdict) (worse, better []eval.Flip, failed []failing) {
	type key struct{ suite, model, prompt, id string }
	listed := map[key]bool{}
	for _, g := range v.Groups {
		for _, f := range g.Flips {
			listed[key{g.Suite, g.Model, promptIn(g.Group), f.Case}] = true
			if f.Suite == "" {
				f.Suite, f.Model = g.Suite, g.Model
			}
			if f.Worse {
				worse = append(worse, f)
			} else {
				better = append(better, f)
			}
		}
	}
	for _, g := range v.Groups {
		for _, f := range g.Failed {
			if !listed[key{g.Suite, g.Model, promptIn(g.Group), f.Case}] {
				failed = append(failed, failing{g.Suite, g.Model, promptIn(g.Group), f})
			}
		}
	}
	return worse, better, failed
}

func (p *page) flips(title string, look role, flips []eval.Flip, all int, run string) {
	if all == 0 {
		return
	}
	p.space()
	p.line(span{title, look}, text(": "+count(all, "case", "cases")))
	for _, f := range flips {
		p.space()
		p.flip(f)
	}
	p.more(all-len(flips), run)
}

func (p *page) flip(f eval.Flip) {
	passes := f.Before + " -> " + f.After
	if f.Anew != "" {
		passes += ", anew " + f.Anew
	}
	p.caseTitle(named(f.Suite, f.Model, f.Prompt), f.Case, passes, f.Tags)
	if f.Reason != "" {
		p.flow("    ", text(clip(f.Reason, maxSentence)))
	}
	if f.Accepted != "" {
		p.flow("    ", span{"accepted before: " + clip(f.Accepted, maxSentence), faint})
	}
	if f.Talk != nil {
		p.talkNow(f)
		return
	}
	if f.Old == nil && f.New == "" {
		p.flow("    ", span{"the answer is empty, or not stored (store.content in llmx.yaml)", faint})
		return
	}
	if f.Old == nil {
		p.flow("    ", span{"the baseline left the text of its answer out; the answer now:", faint})
		p.answer("      ", f.New)
		return
	}
	p.answers("    ", *f.Old, f.New)
}

// talkNow writes a conversation as it went now, and where it went otherwise before.
func (p *page) talkNow(f eval.Flip) {
	p.talk("      ", f.Talk, maxTalkLines)
	if f.Old == nil {
		p.flow("    ", span{"the baseline left the text of its conversation out", faint})
		return
	}
	p.flow("    ", span{"against the baseline:", faint})
	p.answers("      ", *f.Old, f.New)
}

func (p *page) caseTitle(group, id, passes string, tags []string) {
	title := []span{text("  "), {id, strong}, text("  " + passes), {"  " + group, faint}}
	if len(tags) > 0 {
		title = append(title, span{"  [" + strings.Join(tags, ", ") + "]", faint})
	}
	p.line(title...)
}

// more says how much was left out, and how to see it.
func (p *page) more(n int, run string) {
	if n <= 0 {
		return
	}
	p.long(span{"  … and " + number(n) + " more: ", faint}, text("llmx runs show "+ShellWord(run)))
}

// failed writes the failed cases that did not flip, one line and a reason each.
func (p *page) failed(run eval.Run, failed []failing, most int) {
	sections, rest := failedSections(run.Verdict, failed)
	for _, section := range sections {
		p.space()
		p.line(span{section.title, strong}, text(": "+count(len(section.cases), "case", "cases")))
		shown := section.cases[:min(len(section.cases), most)]
		for _, f := range shown {
			p.caseTitle(named(f.suite, f.model, f.prompt), f.Case, f.Passes, f.Tags)
			if f.Reason != "" {
				p.flow("    ", text(clip(oneLine(f.Reason), maxReason)))
			}
			p.talk("      ", f.Talk, maxTalkLines)
		}
		p.more(len(section.cases)-len(shown), run.ID)
	}
	if rest > 0 {
		p.space()
		p.long(text(count(rest, "more case fails", "more cases fail")+": "), text("llmx runs show "+ShellWord(run.ID)))
	}
}

// maxReason bounds the bytes of a reason in a list: some lines.
const maxReason = 240

// failedSection are failed cases that stand to the baseline alike.
type failedSection struct {
	title string
	cases []failing
}

// failedSections sorts failed cases by what the baseline says of them; empty
// sections are left out. rest counts those that the verdict does not list, of which
// nothing is known.
func failedSections(v *eval.Verdict, failed []failing) (sections []failedSection, rest int) {
	compared := map[[2]string]bool{}
	all, listed := 0, 0
	for _, g := range v.Groups {
		compared[[2]string{g.Suite, g.Model}] = g.HasBaseline
		all += g.FailedCases
		listed += len(g.Failed)
	}
	sorted := []failedSection{{title: "Failing, new to " + comparedWith(v)}, {title: "Failing as " + in(v)}, {title: "Failing"}}
	for _, f := range failed {
		at := 0
		switch {
		case !compared[[2]string{f.suite, f.model}]:
			at = 2
		case f.Known:
			at = 1
		}
		sorted[at].cases = append(sorted[at].cases, f)
	}
	for _, section := range sorted {
		if len(section.cases) > 0 {
			sections = append(sections, section)
		}
	}
	return sections, max(0, all-listed)
}
