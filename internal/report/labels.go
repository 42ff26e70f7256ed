package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
)

// What is shown of labels: the classes with the lowest F1 first where there are more, and
// a matrix where it can be read.
const (
	maxClassRows   = 20
	maxMatrixShown = 10
	maxClassWidth  = 24
)

// noLabel heads the column of answers that are none of the classes.
const noLabel = "(none)"

// labelTables writes a table of classes for each check of labels, with the confusion
// matrix on the right of it where there are few.
func (p *page) labelTables(tables []eval.LabelTable) {
	for _, table := range tables {
		columns, rows, left := labelRows(table)
		cells := make([][]span, len(rows))
		for i, row := range rows {
			for _, cell := range row {
				cells[i] = append(cells[i], text(cell))
			}
		}
		const indent = "    "
		l := p.lay(indent, columns, cells)
		p.titles(l)
		for _, row := range cells {
			p.line(l.line(row)...)
		}
		if left > 0 {
			p.flow(indent, span{"… and " + count(left, "more class", "more classes") + ", with a higher F1; --json has them", faint})
		}
	}
}

// labelRows are the classes with their figures, then what was answered instead.
func labelRows(table eval.LabelTable) (columns []column, rows [][]string, left int) {
	columns = []column{{title: strings.ToUpper(table.Metric)}, {title: "RESULTS", right: true}, {title: "PRECISION", right: true}, {title: "RECALL", right: true}, {title: "F1", right: true}}
	places := make([]int, len(table.Classes))
	for i := range places {
		places[i] = i
	}
	matrix := len(table.Matrix) > 0 && len(table.Classes) <= maxMatrixShown
	if matrix {
		for _, class := range table.Classes {
			columns = append(columns, column{title: "→ " + clip(class.Class, maxClassWidth), right: true})
		}
		columns = append(columns, column{title: "→ " + noLabel, right: true})
	}
	if len(places) > maxClassRows {
		slices.SortStableFunc(places, func(a, b int) int {
			if table.Classes[a].F1 < table.Classes[b].F1 {
				return -1
			}
			return 1
		})
		places, left = places[:maxClassRows], len(places)-maxClassRows
	}
	for _, place := range places {
		class := table.Classes[place]
		row := []string{clip(class.Class, maxClassWidth), number(class.Support), ratio(class.Precision), ratio(class.Recall), ratio(class.F1)}
		if matrix {
			for _, n := range table.Matrix[place] {
				row = append(row, dot(n))
			}
		}
		rows = append(rows, row)
	}
	return columns, rows, left
}

func ratio(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// dot lets the counts of a matrix stand out.
func dot(n int) string {
	if n == 0 {
		return "·"
	}
	return number(n)
}

// labels folds the tables away.
func (m *markdown) labels(v *eval.Verdict) {
	for _, g := range v.Groups {
		for _, table := range g.Labels {
			columns, rows, left := labelRows(table)
			var b strings.Builder
			fmt.Fprintf(&b, "\n<details><summary>%s of %s</summary>\n\n", mdText(table.Metric), mdText(clip(nameOf(g.Group), 120)))
			for i, c := range columns {
				b.WriteString("| " + mdCell(c.title) + " ")
				if i == len(columns)-1 {
					b.WriteString("|\n|---" + strings.Repeat("|--:", i) + "|\n")
				}
			}
			for _, row := range rows {
				for _, cell := range row {
					b.WriteString("| " + mdCell(cell) + " ")
				}
				b.WriteString("|\n")
			}
			if left > 0 {
				b.WriteString("\n… and " + count(left, "more class", "more classes") + "\n")
			}
			b.WriteString("\n</details>\n")
			m.add(b.String())
		}
	}
}
