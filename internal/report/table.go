package report

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand on the right
	give  bool // may be narrowed where the page is too narrow
}

// table writes rows of cells, each column as wide as its widest cell. Where the
// page is too narrow, the columns that may give are narrowed, the widest first;
// what still stands over is cut by the page.
func (p *page) table(indent string, columns []column, rows [][]span) {
	widths := widthsOf(columns, rows)
	shrink(widths, columns, p.width-len(indent)-2*(len(columns)-1))
	p.titles(indent, columns, widths)
	for _, row := range rows {
		p.row(indent, columns, widths, row)
	}
}

func (p *page) titles(indent string, columns []column, widths []int) {
	cells := make([]span, len(columns))
	for i, c := range columns {
		cells[i] = span{c.title, faint}
	}
	p.row(indent, columns, widths, cells)
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

const narrowest = 8

func shrink(widths []int, columns []column, room int) {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for sum > room {
		widest := -1
		for i, c := range columns {
			if c.give && widths[i] > narrowest && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
		sum--
	}
}

func (p *page) row(indent string, columns []column, widths []int, cells []span) {
	line := make([]span, 0, 2*len(cells)+1)
	line = append(line, text(indent))
	for i, cell := range cells {
		if i > 0 {
			line = append(line, text("  "))
		}
		cell.text = pad(cut(clean(clip(cell.text, oneLineBytes(maxWidth))), widths[i]), widths[i], columns[i].right)
		line = append(line, cell)
	}
	p.line(line...)
}
