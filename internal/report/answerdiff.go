package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxCompared bounds the bytes of an answer that are compared.
const maxCompared = 32 << 10

// shape says how the difference of two answers is best read.
type shape int

const (
	shapeLines   shape = iota // line by line: JSON
	shapeWords                // word by word: prose
	shapeReplace              // one text, then the other: they have little in common
	shapeSame                 // nothing differs
)

// answerDiff is the difference of two answers.
type answerDiff struct {
	shape shape
	edits []edit
	notes []string
}

// diffAnswers compares two answers: as JSON with sorted keys where both are
// JSON, else as prose.
func diffAnswers(old, new string) answerDiff {
	var d answerDiff
	if old == new {
		d.shape = shapeSame
		return d
	}
	if len(old) > maxCompared || len(new) > maxCompared {
		d.notes = append(d.notes, fmt.Sprintf("long answers: %s and %s bytes; only %s around the first difference are shown",
			number(len(old)), number(len(new)), number(maxCompared)))
		old, new = around(old, new)
	}
	a, okA := prettyJSON(old)
	b, okB := prettyJSON(new)
	if okA && okB {
		if a != b {
			d.shape, d.edits = shapeLines, hunks(lineDiff(a, b), 2)
			return d
		}
		d.notes = append(d.notes, "the same JSON, written differently")
	}
	d.edits = wordDiff(old, new)
	d.shape = shapeWords
	if !alike(d.edits) {
		d.shape = shapeReplace
		d.edits = []edit{{dropped, old}, {put, new}}
	}
	return d
}

// alike reports whether a third of the letters were kept: below that, a mix of
// both texts cannot be read.
func alike(edits []edit) bool {
	same, all := 0, 0
	for _, e := range edits {
		n := len(strings.Join(strings.Fields(e.text), ""))
		all += n
		if e.op == kept {
			same += 2 * n
			all += n
		}
	}
	return 3*same >= all
}

// around cuts two long texts down to what is near their first difference.
func around(old, new string) (string, string) {
	const before = 400
	first := 0
	for first < len(old) && first < len(new) && old[first] == new[first] {
		first++
	}
	return window(old, first-before), window(new, first-before)
}

// window gives maxCompared bytes from a position on, cut between runes, with
// marks where something was left out.
func window(s string, from int) string {
	from = min(max(from, 0), len(s))
	for from > 0 && from < len(s) && !utf8.RuneStart(s[from]) {
		from--
	}
	head := ""
	if from > 0 {
		head = "… "
	}
	return head + clip(s[from:], maxCompared)
}

// clip shortens a text to so many bytes, cut between runes, with a mark.
func clip(s string, size int) string {
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size] + " …"
}

// maxDepth bounds the nesting that is laid out: indentation grows with its square.
const maxDepth = 64

// prettyJSON lays out a JSON object or array with sorted keys, one value a line.
// Numbers stay as they were written.
func prettyJSON(s string) (string, bool) {
	trimmed := strings.TrimSpace(s)
	if trimmed == "" || (trimmed[0] != '{' && trimmed[0] != '[') || len(trimmed) > maxCompared || depth(trimmed) > maxDepth {
		return "", false
	}
	decoder := json.NewDecoder(strings.NewReader(trimmed))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return "", false
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return "", false
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}

// depth is an upper bound of a JSON text's nesting; brackets in strings count too.
func depth(s string) int {
	deepest, now := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{', '[':
			now++
			deepest = max(deepest, now)
		case '}', ']':
			now--
		}
	}
	return deepest
}
