package report

import (
	"fmt"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// Of many classes those with the lowest F1 are shown, without a matrix that nobody could read.
func TestManyClassesAreCut(t *testing.T) {
	table := eval.LabelTable{Metric: "team"}
	for i := range 30 {
		table.Classes = append(table.Classes, eval.LabelClass{Class: fmt.Sprintf("class-%02d", i), Support: 1, F1: 1 - float64(i)/30})
	}
	table.Matrix = make([][]int, 30)
	columns, rows, left := labelRows(table)
	if len(columns) != 5 || len(rows) != maxClassRows || left != 10 || rows[0][0] != "class-29" {
		t.Errorf("%d columns, %d rows, %d left, first %v", len(columns), len(rows), left, rows[0])
	}
}
