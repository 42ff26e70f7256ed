package cli

import (
	"context"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
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

// openBook opens the budgets of llmx.yaml, and one for the run where limit is set.
// closeBook must be called before the store is closed.
func (p *project) openBook(s *store.Store, limit *llm.Money, told *alerts) (*budget.Book, error) {
	budgets, err := p.budgets()
	if err != nil {
		return nil, err
	}
	if limit != nil {
		budgets = append(budgets, budget.Budget{
			Scope: budget.ScopeRun, Per: budget.PerRun, Limit: *limit, Place: fault.Place{File: "--max-cost"},
		})
	}
	return budget.Open(budget.Options{
		Budgets: budgets, Ledger: s, Owner: randomHex(8), Now: p.world.Now, Alert: told.add,
	}), nil
}

// closeBook settles what was spent. Where Ctrl-C has ended the asking there is
// nothing to wait for, so its time is its own.
func closeBook(b *budget.Book) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return b.Close(ctx)
}

// alerts gathers what is told of budgets, from any goroutine.
type alerts struct {
	mu   sync.Mutex
	told []string
}

func (a *alerts) add(alert budget.Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, alert.String())
}

// take gives what was told since the last time.
func (a *alerts) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := a.told
	a.told = nil
	return told
}

// parseMaxCost reads the dollars of --max-cost; nil where it was not given.
func parseMaxCost(text string) (*llm.Money, error) {
	if text == "" {
		return nil, nil
	}
	limit, err := price.ParseUSD(text)
	switch {
	case err != nil:
		return nil, fault.New(fault.Usage, "--max-cost %s is no amount in dollars", text).WithHint("write it like 0.50 or 20")
	case limit == 0:
		return nil, fault.New(fault.Usage, "--max-cost 0 forbids every call").WithHint("use --replay to spend nothing")
	}
	return &limit, nil
}

// priced refuses models whose price nobody knows, where what they cost is bounded:
// all of the file under a budget, those that are asked under --max-cost.
func (p *project) priced(limit *llm.Money, names []string) error {
	var problems fault.List
	problems.Add(p.pricedBudgets())
	if limit == nil || len(problems) > 0 {
		return problems.Err()
	}
	for _, name := range names {
		found, _ := p.config.Lookup(name)
		for _, alias := range found.Models() {
			known, err := p.priceOf(alias)
			problems.Add(err)
			if err == nil && !known.Known {
				problems.Add(config.Unpriced(alias, p.config.Models[alias], "--max-cost bounds what is spent"))
			}
		}
	}
	return problems.Err()
}
