// Package report turns runs, results and calls into what people and CI read:
// terminal, JSON, JUnit and Markdown. A format is a function from data to text.
// It never reads the environment, the terminal or the clock: width, colour and
// time are passed in. It may import eval, llm and fault; it alone imports lipgloss
// (with its termenv) and go-diff.
package report

import (
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

// Style says how text for people is laid out. The zero value is plain text of
// 80 columns, with times in UTC.
type Style struct {
	Width int       // columns of the terminal; 0 means 80, and at most 140 are used
	Color bool      // write ANSI colours
	Now   time.Time // times are shown in its zone, ages are counted from it
	Limit int       // flips, failed cases or rows that are listed; 0 means 20, below 0 all
}

// The widths that a layout is made for.
const (
	defaultWidth = 80
	minWidth     = 40
	maxWidth     = 140
)

const defaultLimit = 20

func (s Style) width() int {
	if s.Width == 0 {
		return defaultWidth
	}
	return min(max(s.Width, minWidth), maxWidth)
}

func (s Style) limit() int {
	switch {
	case s.Limit == 0:
		return defaultLimit
	case s.Limit < 0:
		return eval.MaxFlips * 1000
	}
	return s.Limit
}

// zone is where times are shown: that of Now.
func (s Style) zone() *time.Location {
	if s.Now.IsZero() {
		return time.UTC
	}
	return s.Now.Location()
}
