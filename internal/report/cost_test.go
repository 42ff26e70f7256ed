package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

func someCosts() Costs {
	return Costs{
		By: "prompt", Since: noon,
		Rows: []CostRow{
			{Name: "triage", Calls: 12_345, Asked: 12_000, Stored: 400, Usage: llm.Usage{Input: 2_592_450, Output: 382_695}, Cost: 620_000_000, Paid: 602_000_000},
			{Name: "invoice", Calls: 10, Asked: 12, Usage: llm.Usage{Input: 100, Output: 20, Estimated: true}, Cost: 7000, Paid: 6000, Unpriced: 3, Untold: 2},
			{Name: "", Calls: 2, Asked: 2, Unpriced: 2, Untold: 2},
			{Name: "b\x1b[2Jd", Calls: 1},
		},
		Total: CostRow{Calls: 12_358, Asked: 12_014, Stored: 400, Usage: llm.Usage{Input: 2_592_550, Output: 382_715, Estimated: true}, Cost: 620_007_000, Paid: 602_006_000, Unpriced: 5, Untold: 4},
		Budgets: []BudgetRow{
			{Scope: "project", Per: "month", Period: "2026-11", Limit: 20 * llm.USD, Spent: 12 * llm.USD, Held: 200_000_000, Lost: 60_000_000},
			{Scope: "prompt", Value: "triage", Per: "day", Period: "2026-11-12", Limit: llm.USD / 2, Spent: llm.USD / 2},
			{Scope: "key", Per: "day", Period: "2026-11-12", Limit: llm.USD, Spent: 1},
			{Scope: "run", Per: "run", Limit: llm.USD},
		},
	}
}

func TestCostPageGolden(t *testing.T) {
	s := Style{Now: now}
	goldenPage(t, "cost.txt", func(w *bytes.Buffer) error { return CostPage(w, someCosts(), s) })
	one := someCosts()
	one.Rows, one.Budgets = one.Rows[:1], nil
	one.Total = one.Rows[0]
	goldenPage(t, "cost.one.txt", func(w *bytes.Buffer) error { return CostPage(w, one, s) })
	for _, columns := range []int{40, 80, 140} {
		page := render(t, func(w *bytes.Buffer) error { return CostPage(w, someCosts(), Style{Now: now, Width: columns}) })
		checkPage(t, page, columns)
		if columns >= 80 && strings.Contains(page, "…") {
			t.Errorf("a figure is cut:\n%s", page)
		}
	}
	for want, c := range map[string]Costs{"no call is stored yet\n": {By: "day"}, "no call is stored since 2026-11-12 12:00\n": {By: "day", Since: noon}} {
		if got := render(t, func(w *bytes.Buffer) error { return CostPage(w, c, s) }); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCostJSON(t *testing.T) {
	text := render(t, func(w *bytes.Buffer) error { return CostJSON(w, someCosts()) })
	golden(t, "cost.json", text)
	if !json.Valid([]byte(text)) || strings.Contains(text, "\x1b") {
		t.Errorf("got %s", text)
	}
	if empty := render(t, func(w *bytes.Buffer) error { return CostJSON(w, Costs{By: "day"}) }); !strings.Contains(empty, `"rows": []`) || !strings.Contains(empty, `"budgets": []`) {
		t.Errorf("got %s", empty)
	}
}
