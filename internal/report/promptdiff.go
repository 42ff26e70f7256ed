package report

import "io"

// PromptDiff writes the difference of two prompt contents, line by line with three
// lines of context.
func PromptDiff(w io.Writer, aName, bName string, a, b []byte, s Style) error {
	p := newPage(w, s)
	if string(a) == string(b) {
		p.long(text(aName + " and " + bName + " are the same"))
		return p.end()
	}
	p.long(span{"--- " + aName, removed})
	p.long(span{"+++ " + bName, added})
	edits := hunks(lineDiff(string(a), string(b)), 3)
	if len(edits) == 0 {
		p.line(span{"only the newline at the end of the file differs", faint})
	}
	for _, e := range edits {
		switch e.op {
		case 0:
			p.line(span{"…", faint})
		case kept:
			p.long(text("  " + e.text))
		case dropped:
			p.long(span{"- " + e.text, removed})
		case put:
			p.long(span{"+ " + e.text, added})
		}
	}
	return p.end()
}
