package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Progress is one line on a terminal that is drawn over and over. It is made only
// where there is a terminal; a nil Progress draws nothing. It belongs to one
// goroutine at a time.
type Progress struct {
	w     io.Writer
	width int
	drawn bool
}

// NewProgress makes a progress line of the style's width.
func NewProgress(w io.Writer, s Style) *Progress {
	return &Progress{w: w, width: s.width()}
}

// toStart goes to the first column and clears the line.
const toStart = "\r\x1b[K"

// Update draws the line anew, in one write: how far, how fast, how long still, at
// what price. Done counts all that is settled, the errors included.
func (p *Progress) Update(done, planned, errors int, spent llm.Cost, elapsed time.Duration) error {
	if p == nil {
		return nil
	}
	p.drawn = true
	line := cut(progressLine(done, planned, errors, spent, elapsed), p.width-1)
	_, err := io.WriteString(p.w, toStart+line)
	return err
}

// Clear takes the line away.
func (p *Progress) Clear() error {
	if p == nil || !p.drawn {
		return nil
	}
	p.drawn = false
	_, err := io.WriteString(p.w, toStart)
	return err
}

func progressLine(done, planned, errors int, spent llm.Cost, elapsed time.Duration) string {
	parts := []string{number(done) + " cases"}
	if planned > 0 {
		parts[0] = fmt.Sprintf("%3d %%  %s of %s", min(done, planned)*100/planned, number(done), number(planned))
	}
	if errors > 0 {
		parts = append(parts, count(errors, "error", "errors"))
	}
	if rate := float64(done) / elapsed.Seconds(); done > 0 && elapsed > 0 {
		parts = append(parts, speed(rate))
		if left := planned - done; left > 0 {
			parts = append(parts, "ETA "+roughly(time.Duration(float64(left)/rate*float64(time.Second))))
		}
	}
	parts = append(parts, "spent "+spent.String())
	return strings.Join(parts, "  ")
}

// speed prints a rate in cases a second, or a minute where it is slow.
func speed(perSecond float64) string {
	switch {
	case perSecond >= 10:
		return number(int(perSecond+0.5)) + "/s"
	case perSecond >= 1:
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return fmt.Sprintf("%.1f/min", perSecond*60)
}

// roughly prints a time that is only an estimate.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "<1 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	}
	return lasting(d)
}
