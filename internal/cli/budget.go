package cli

import (
	"context"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/price"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// budgets are those of llmx.yaml, in its order.
func (p *project) budgets() ([]budget.Budget, error) {
	var problems fault.List
	var budgets []budget.Budget
	for _, b := range p.config.Budgets {
		limit, err := price.ParseUSD(string(b.USD))
		if err != nil {
			refusal := fault.As(err)
			refusal.Place = b.Place
			problems.Add(refusal)
			continue
		}
		budgets = append(budgets, budget.Budget{
			Scope: budget.Scope(b.Scope), Per: budget.Per(b.Per), Limit: limit, Alert: b.Alert, Place: b.Place,
		})
	}
	return budgets, problems.Err()
}

// spentOf says how far budgets are spent in the period that is now; of budgets per
// run, in the run that was last.
func spentOf(ctx context.Context, w *World, s *store.Store, budgets []budget.Budget) ([]report.BudgetRow, error) {
	var rows []report.BudgetRow
	for _, b := range budgets {
		row := report.BudgetRow{Scope: string(b.Scope), Per: string(b.Per), Limit: b.Limit}
		balances, err := s.Balances(ctx, b.Scope, b.Per, b.Per.Period(w.Now()))
		if err != nil {
			return nil, err
		}
		if len(balances) == 0 {
			rows = append(rows, row)
		}
		for _, found := range balances {
			row.Value, row.Period = found.Account.Value, found.Account.Period
			row.Spent, row.Held, row.Lost = found.Spent, found.Leased, found.Lost
			rows = append(rows, row)
		}
	}
	return rows, nil
}
