package report

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
)

// whoseDrift says of a run against a commit whose drift it is, a sentence a group with
// the name that it stands under, and what was not asked.
func whoseDrift(v *eval.Verdict) (names, sentences []string) {
	add := func(name, sentence string) {
		names, sentences = append(names, name), append(sentences, sentence)
	}
	for _, g := range v.Groups {
		if v.Against == "" {
			break
		}
		if g.Against == nil {
			sentence := fmt.Sprintf("New: at %s nothing of it was asked.", v.Against)
			if g.HasBaseline {
				sentence = fmt.Sprintf("New: at %s nothing of it was asked; it is compared with the baseline.", v.Against)
			}
			add(nameOf(g.Group), sentence)
			continue
		}
		add(nameOf(g.Group), g.Against.Sentence)
	}
	for _, g := range v.Unchanged {
		add(nameOf(g), fmt.Sprintf("Unchanged: nothing that decides an answer differs from %s; not asked.", v.Against))
	}
	return names, sentences
}

// sidesOf tells what the groups of a run are compared with: a commit, and the baseline
// that was accepted, which is what remains to a group of which the commit has nothing.
func sidesOf(v *eval.Verdict) (commit, accepted bool) {
	if v.Against == "" {
		return false, true
	}
	for _, g := range v.Groups {
		accepted = accepted || g.Against == nil && g.HasBaseline
		commit = commit || g.Against != nil
	}
	return commit || !accepted, accepted
}

// comparedWith names what a run is compared with.
func comparedWith(v *eval.Verdict) string {
	return byItsSides(v, v.Against, "the baseline", " or ")
}

// than is comparedWith behind a comparative.
func than(v *eval.Verdict) string {
	return byItsSides(v, "at "+v.Against, "the baseline", ", or than ")
}

// in is comparedWith as the place of a failure.
func in(v *eval.Verdict) string {
	return byItsSides(v, "at "+v.Against, "in the baseline", " or ")
}

func byItsSides(v *eval.Verdict, ofCommit, ofBaseline, or string) string {
	switch commit, accepted := sidesOf(v); {
	case commit && accepted:
		return ofCommit + or + ofBaseline
	case commit:
		return ofCommit
	}
	return ofBaseline
}

// against writes whose drift it is. One group needs no name.
func (p *page) against(v *eval.Verdict) {
	names, sentences := whoseDrift(v)
	if len(names) == 1 && len(v.Groups) == 0 {
		return // the verdict says it
	}
	if len(names) > 0 && len(v.Groups) > 0 {
		p.space()
	}
	for i, sentence := range sentences {
		if len(sentences) == 1 && len(v.Groups) == 1 {
			p.flow("", text(sentence))
			continue
		}
		p.hang("", "  ", span{names[i] + ": ", strong}, text(sentence))
	}
}

func (m *markdown) against(v *eval.Verdict) {
	names, sentences := whoseDrift(v)
	if len(names) > 0 {
		m.add("\n")
	}
	for i, sentence := range sentences {
		if !m.add("- " + mdCode(clip(names[i], 120)) + " " + mdText(clip(sentence, 1000)) + "\n") {
			return
		}
	}
}
