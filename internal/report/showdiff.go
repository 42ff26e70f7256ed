package report

import "strings"

// maxDiffLines bounds the lines of one answer or diff on a page.
const maxDiffLines = 16

// answers writes the difference of two answers, indented.
func (p *page) answers(indent string, old, new string) {
	d := diffAnswers(old, new)
	for _, note := range d.notes {
		p.flow(indent, span{note, faint})
	}
	switch d.shape {
	case shapeSame:
		p.flow(indent, span{"the answer is the same", faint})
	case shapeLines:
		p.editLines(indent, d.edits, maxDiffLines)
	case shapeWords:
		p.bounded(indent, indent, wordSpans(d.edits))
	case shapeReplace:
		p.bounded(indent+"- ", indent+"  ", prose(d.edits[0].text, removed))
		p.bounded(indent+"+ ", indent+"  ", prose(d.edits[1].text, added))
	}
}

// answer writes one answer, indented and bounded.
func (p *page) answer(indent, answer string) {
	p.bounded(indent, indent, prose(clip(answer, maxCompared), plain))
}

// prose makes the spans of an answer, one for each of its lines.
func prose(s string, r role) [][]span {
	if strings.TrimSpace(s) == "" {
		return [][]span{{{"(empty answer)", faint}}}
	}
	var list [][]span
	for _, l := range lines(s) {
		list = append(list, []span{{l, r}})
	}
	return list
}

// wordSpans marks words as [-dropped-] and {+put+}, which reads without colour.
func wordSpans(edits []edit) [][]span {
	list := [][]span{nil}
	for _, e := range edits {
		r, open, shut := plain, "", ""
		switch e.op {
		case dropped:
			r, open, shut = removed, "[-", "-]"
		case put:
			r, open, shut = added, "{+", "+}"
		}
		for i, l := range strings.Split(e.text, "\n") {
			if i > 0 {
				list = append(list, nil)
			}
			if l != "" {
				list[len(list)-1] = append(list[len(list)-1], span{open + l + shut, r})
			}
		}
	}
	return list
}

// bounded writes wrapped paragraphs, at most maxDiffLines lines of them.
func (p *page) bounded(first, others string, paragraphs [][]span) {
	indent, written := first, 0
	for i, paragraph := range paragraphs {
		all := wrap(paragraph, p.width-len(first))
		for j, l := range all {
			if written == maxDiffLines {
				if rest := len(all) - j + len(paragraphs) - i - 1; rest > 0 {
					p.line(text(others), span{"… and at least " + count(rest, "more line", "more lines"), faint})
				}
				return
			}
			p.line(append([]span{text(indent)}, l...)...)
			indent = others
			written++
		}
	}
}

// editLines writes a line diff, at most so many lines of it (0: all).
func (p *page) editLines(indent string, edits []edit, most int) {
	for i, e := range edits {
		if most > 0 && i == most && len(edits) > most+1 {
			p.line(text(indent), span{"… and " + count(len(edits)-i, "more line", "more lines"), faint})
			return
		}
		switch e.op {
		case 0:
			p.line(text(indent), span{"  …", faint})
		case kept:
			p.line(text(indent+"  "), text(e.text))
		case dropped:
			p.line(text(indent), span{"- " + e.text, removed})
		case put:
			p.line(text(indent), span{"+ " + e.text, added})
		}
	}
}
