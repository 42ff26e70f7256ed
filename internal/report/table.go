package report

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand on the right
	least int  // may be narrowed to so many columns where the page is too narrow; 0 for never
}

// layout is a table's columns as they fit onto a page.
type layout struct {
	indent  string
	gap     string // between two columns
	columns []column
	widths  []int
}

// table writes rows of cells under their titles.
func (p *page) table(indent string, columns []column, rows [][]span) {
	l := p.lay(indent, columns, rows)
	p.titles(l)
	for _, row := range rows {
		p.line(l.line(row)...)
	}
}

// lay makes each column as wide as its widest cell. Where the page is too narrow,
// the gaps go first; then the columns that may are narrowed, the widest first;
// what still stands over is cut by the page.
func (p *page) lay(indent string, columns []column, rows [][]span) layout {
	l := layout{indent, "  ", columns, widthsOf(columns, rows)}
	if l.width() > p.width {
		l.gap = " "
	}
	for over := l.width() - p.width; over > 0; over-- {
		widest := -1
		for i, c := range columns {
			if c.least > 0 && l.widths[i] > c.least && (widest < 0 || l.widths[i] > l.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		l.widths[widest]--
	}
	return l
}

func widthsOf(columns []column, rows [][]span) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = width(c.title)
	}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(clean(clip(cell.text, oneLineBytes(maxWidth)))))
		}
	}
	return widths
}

// narrowest is the least of a column of names, which may be of any length.
const narrowest = 8

// width is that of a whole row.
func (l layout) width() int {
	sum := len(l.indent) + len(l.gap)*(len(l.columns)-1)
	for _, w := range l.widths {
		sum += w
	}
	return sum
}

// line puts a row's cells under each other.
func (l layout) line(cells []span) []span {
	line := make([]span, 0, 2*len(cells)+2)
	line = append(line, text(l.indent))
	for i, cell := range cells {
		if i > 0 {
			line = append(line, text(l.gap))
		}
		cell.text = pad(cut(clean(clip(cell.text, oneLineBytes(maxWidth))), l.widths[i]), l.widths[i], l.columns[i].right)
		line = append(line, cell)
	}
	return line
}

func (p *page) titles(l layout) {
	cells := make([]span, len(l.columns))
	for i, c := range l.columns {
		cells[i] = span{c.title, faint}
	}
	p.line(l.line(cells)...)
}
