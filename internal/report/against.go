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
			add(nameOf(g.Group), fmt.Sprintf("New: at %s nothing of it was asked.", v.Against))
			continue
		}
		add(nameOf(g.Group), g.Against.Sentence)
	}
	for _, g := range v.Unchanged {
		add(nameOf(g), fmt.Sprintf("Unchanged: nothing that decides an answer differs from %s; not asked.", v.Against))
	}
	return names, sentences
}

// comparedWith names what a run is compared with.
func comparedWith(v *eval.Verdict) string {
	if v.Against != "" {
		return v.Against
	}
	return "the baseline"
}

// than is comparedWith behind a comparative.
func than(v *eval.Verdict) string {
	if v.Against != "" {
		return "at " + v.Against
	}
	return "the baseline"
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
