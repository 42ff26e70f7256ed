package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// page writes lines of spans. It is the one door to a terminal: every text is
// cleaned here, no line ends in a space, and the first write error is kept.
type page struct {
	w     *bufio.Writer
	width int
	paint map[role]lipgloss.Style // nil without colour
	empty bool                    // nothing was written yet
	gap   bool                    // a blank line is due before the next line
	err   error
}

func newPage(w io.Writer, s Style) *page {
	p := &page{w: bufio.NewWriter(w), width: s.width(), empty: true}
	if s.Color {
		p.paint = paints()
	}
	return p
}

// paints makes the looks from an explicit profile of 16 colours: nothing is read
// from the terminal or the environment, and the user's own palette is kept.
func paints() map[role]lipgloss.Style {
	r := lipgloss.NewRenderer(io.Discard, termenv.WithProfile(termenv.ANSI))
	r.SetColorProfile(termenv.ANSI)
	r.SetHasDarkBackground(true)
	look := func() lipgloss.Style { return r.NewStyle().Inline(true) }
	return map[role]lipgloss.Style{
		strong:   look().Bold(true),
		faint:    look().Faint(true),
		good:     look().Foreground(lipgloss.Color("2")).Bold(true),
		bad:      look().Foreground(lipgloss.Color("1")).Bold(true),
		doubtful: look().Foreground(lipgloss.Color("3")).Bold(true),
		removed:  look().Foreground(lipgloss.Color("1")),
		added:    look().Foreground(lipgloss.Color("2")),
	}
}

// space asks for a blank line before whatever comes next.
func (p *page) space() { p.gap = true }

// line writes spans on one line, cut to the width of the page.
func (p *page) line(spans ...span) { p.write(spans, p.width) }

// long writes spans on one line that is never cut: commands to paste, ids.
func (p *page) long(spans ...span) { p.write(spans, 0) }

// flow writes spans on as many lines as they need, each indented.
func (p *page) flow(indent string, spans ...span) { p.hang(indent, indent, spans...) }

// hang writes the first line after one indent, and the others after another.
func (p *page) hang(first, others string, spans ...span) {
	indent := first
	for _, line := range wrap(spans, p.width-max(len(first), len(others))) {
		p.write(append([]span{text(indent)}, line...), p.width)
		indent = others
	}
}

func (p *page) write(spans []span, columns int) {
	if p.err != nil {
		return
	}
	if p.gap && !p.empty {
		p.w.WriteByte('\n')
	}
	p.gap, p.empty = false, false
	for _, s := range fit(spans, columns) {
		p.put(s)
	}
	p.err = p.w.WriteByte('\n')
}

func (p *page) put(s span) {
	if look, ok := p.paint[s.role]; ok && strings.TrimSpace(s.text) != "" {
		p.w.WriteString(look.Render(s.text))
		return
	}
	p.w.WriteString(s.text)
}

// fit cleans the spans of a line, cuts what stands over (unless columns is 0),
// and takes the spaces off its end.
func fit(spans []span, columns int) []span {
	out := make([]span, 0, len(spans))
	left := columns
	for i, s := range spans {
		if columns > 0 {
			s.text = clip(s.text, oneLineBytes(columns))
		}
		s.text = clean(s.text)
		if columns > 0 {
			w := width(s.text)
			rest := i < len(spans)-1 && !blank(spans[i+1:])
			if w > left || (w == left && rest) {
				s.text = cut(s.text+"…", left)
				out = append(out, s)
				break
			}
			left -= w
		}
		out = append(out, s)
	}
	return trimmed(out)
}

func blank(spans []span) bool {
	for _, s := range spans {
		if strings.TrimSpace(s.text) != "" {
			return false
		}
	}
	return true
}

// end flushes the page and gives the first error.
func (p *page) end() error {
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}
