package report

import (
	"strings"
	"unicode"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// op says what became of a piece of text.
type op byte

const (
	kept    op = ' '
	dropped op = '-'
	put     op = '+'
)

// edit is a piece of text (a line, or some words) and what became of it.
type edit struct {
	op   op
	text string
}

// maxTokens bounds the lines or words that are compared exactly; the time of the
// comparison grows with their product.
const maxTokens = 2000

// lineDiff compares line by line; a line holds no newline.
func lineDiff(old, new string) []edit { return diffTokens(lines(old), lines(new), true) }

// wordDiff compares word by word; the texts of the kept and the put edits, joined,
// are the new text.
func wordDiff(old, new string) []edit { return diffTokens(tokens(old), tokens(new), false) }

// diffTokens takes the same start and end off, and compares what is between. The
// library sees every distinct token as one rune. Its clock is off, so that the
// same texts always give the same diff; what is too large is shown as replaced.
func diffTokens(a, b []string, each bool) []edit {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	d := differ{each: each}
	d.add(kept, a[:head])
	d.compare(a[head:len(a)-tail], b[head:len(b)-tail])
	d.add(kept, a[len(a)-tail:])
	return d.edits
}

// differ gathers edits; with each, one edit a token, else neighbours are joined.
type differ struct {
	each  bool
	edits []edit
}

func (d *differ) add(o op, tokens []string) {
	if d.each {
		for _, t := range tokens {
			d.edits = append(d.edits, edit{o, t})
		}
		return
	}
	if len(tokens) == 0 {
		return
	}
	joined := strings.Join(tokens, "")
	if n := len(d.edits); n > 0 && d.edits[n-1].op == o {
		d.edits[n-1].text += joined
		return
	}
	d.edits = append(d.edits, edit{o, joined})
}

func (d *differ) compare(a, b []string) {
	if len(a) == 0 || len(b) == 0 || len(a)+len(b) > 2*maxTokens {
		d.add(dropped, a)
		d.add(put, b)
		return
	}
	ids := map[string]rune{}
	library := diffmatchpatch.New()
	library.DiffTimeout = 0
	diffs := library.DiffMainRunes(runesOf(a, ids), runesOf(b, ids), false)
	if !d.each {
		diffs = library.DiffCleanupSemantic(diffs)
	}
	// The tokens are taken by position: a run of runes stands for as many tokens.
	i, j := 0, 0
	for _, diff := range diffs {
		n := len([]rune(diff.Text))
		switch diff.Type {
		case diffmatchpatch.DiffEqual:
			d.add(kept, a[i:i+n])
			i, j = i+n, j+n
		case diffmatchpatch.DiffDelete:
			d.add(dropped, a[i:i+n])
			i += n
		case diffmatchpatch.DiffInsert:
			d.add(put, b[j:j+n])
			j += n
		}
	}
}

// runesOf numbers tokens with runes from U+0100 on; there are at most 2·maxTokens
// of them, far below the surrogates, which a rune may not be.
func runesOf(tokens []string, ids map[string]rune) []rune {
	runes := make([]rune, len(tokens))
	for i, t := range tokens {
		id, ok := ids[t]
		if !ok {
			id = rune(0x100 + len(ids))
			ids[t] = id
		}
		runes[i] = id
	}
	return runes
}

// lines splits a text; a final newline does not make a last, empty line.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// tokens splits a text into words, single marks, and runs of spaces.
func tokens(s string) []string {
	var list []string
	start, last := 0, -1
	for i, r := range s {
		kind := kindOf(r)
		if i > 0 && (kind != last || kind == 2) {
			list = append(list, s[start:i])
			start = i
		}
		last = kind
	}
	if start < len(s) {
		list = append(list, s[start:])
	}
	return list
}

func kindOf(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return 0
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
		return 1
	}
	return 2
}

// hunks leaves out the kept lines that are more than context away from a change;
// a gap is an edit with no op.
func hunks(edits []edit, context int) []edit {
	near := make([]bool, len(edits))
	for i, e := range edits {
		if e.op == kept {
			continue
		}
		for j := max(0, i-context); j <= min(len(edits)-1, i+context); j++ {
			near[j] = true
		}
	}
	var out []edit
	for i, e := range edits {
		if near[i] {
			out = append(out, e)
		} else if i > 0 && near[i-1] && i < len(edits)-1 {
			out = append(out, edit{})
		} else if i == 0 && anyNear(near) {
			out = append(out, edit{})
		}
	}
	return trimGap(out)
}

func anyNear(near []bool) bool {
	for _, n := range near {
		if n {
			return true
		}
	}
	return false
}

// trimGap takes a gap off the end: it says nothing there.
func trimGap(edits []edit) []edit {
	if n := len(edits); n > 0 && edits[n-1].op == 0 {
		return edits[:n-1]
	}
	return edits
}
