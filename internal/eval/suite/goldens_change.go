package suite

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// goldenChange is what happens to the golden answer of one case.
type goldenChange struct {
	place  fault.Place // of the case
	id     string
	before any
	had    bool // there was a golden answer
	after  any
}

// unchanged reports whether the case has that golden answer already.
func (c *goldenChange) unchanged() bool { return c.had && reflect.DeepEqual(c.before, c.after) }

func (g *goldenEdit) report() []string {
	lines := make([]string, len(g.changes))
	for i, c := range g.changes {
		lines[i] = c.String()
	}
	return lines
}

// String is such as suites/triage.yaml:12: angry: golden "bug" -> "billing".
func (c *goldenChange) String() string {
	before := "none"
	if c.had {
		before = shown(c.before)
	}
	head := fmt.Sprintf("%s:%d: %s: golden %s", printable(c.place.File), c.place.Line, printable(c.id), before)
	if c.unchanged() {
		return head + " unchanged"
	}
	return head + " -> " + shown(c.after)
}

// maxShown bounds how much of a golden answer a line shows, in characters.
const maxShown = 200

func shown(value any) string {
	text := printable(encodeGolden(value, false))
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}

// printable escapes what a terminal would obey or hide.
func printable(text string) string {
	plain := func(r rune) bool { return !strconv.IsPrint(r) }
	if !strings.ContainsFunc(text, plain) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
