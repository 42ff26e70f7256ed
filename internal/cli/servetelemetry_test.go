package cli

import (
	"fmt"
	"testing"

	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/telemetry"
)

// A key that was revoked and the one in its place have one name, and a metric has one
// value for it: two would be an error of the whole scrape.
func TestBudgetsOfMetrics(t *testing.T) {
	rows := []report.BudgetRow{
		{Scope: "key", Value: "shop", Per: "day", Limit: 100, Spent: 10}, {Scope: "key", Value: "shop", Per: "day", Limit: 100, Spent: 60, Held: 20},
		{Scope: "key", Value: "shop", Per: "month", Limit: 100, Spent: 1}, {Scope: "project", Per: "day"},
	}
	got := mostSpent(rows)
	if len(got) != 2 || got[0] != (telemetry.Budget{Scope: "key", Value: "shop", Per: "day", Share: 0.8}) || got[1].Per != "month" {
		t.Errorf("%+v", got)
	}
	for i := range 500 {
		rows = append(rows, report.BudgetRow{Scope: "key", Value: fmt.Sprint(i), Per: "day", Limit: 100, Spent: 1})
	}
	if got := mostSpent(rows); len(got) != mostBudgets || got[0].Share != 0.8 {
		t.Errorf("%d: %+v", len(got), got[0])
	}
}
