package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
)

// budgets says which bounds on money the run would meet before it is done. What it
// spends is known by prompt, and of the command line as a whole; a budget of single
// models is left out.
func (d *dryRun) budgets(ctx context.Context) ([]string, error) {
	all := d.found.Total()
	total := all.Asked.Plus(all.Judging)
	var met []string
	if d.limit != nil {
		met = meets(met, total, *d.limit, fmt.Sprintf("--max-cost is %s", *d.limit))
	}
	budgets, err := d.project.budgets()
	if err != nil {
		return nil, err
	}
	for _, b := range budgets {
		spends := map[string]report.Forecast{"": total}
		switch b.Scope {
		case budget.ScopeModel:
			continue
		case budget.ScopePrompt:
			spends = d.byPrompt()
		}
		spent, err := d.spent(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, value := range slices.Sorted(maps.Keys(spends)) {
			left := b.Limit - spent[value]
			met = meets(met, spends[value], left, fmt.Sprintf("%s is left of the budget of %s at %s", max(left, 0), b.Limit, b.Place))
		}
	}
	return met, nil
}

// meets adds a sentence if a forecast is more than what is left.
func meets(met []string, f report.Forecast, left llm.Money, words string) []string {
	switch bound := f.Bound(); {
	case f.Requests == 0:
		return met
	case f.Cost > left:
		return append(met, fmt.Sprintf("the run would stop before it is done, as it is to cost about %s and %s: exit 4", f.Cost, words))
	case bound.Known && bound.Amount > left:
		return append(met, fmt.Sprintf("the run may stop before it is done, as it may cost up to %s and %s: exit 4", bound.Amount, words))
	}
	return met
}

// spent is what a budget has counted in the period that is now, by prompt or key; a
// run begins with nothing.
func (d *dryRun) spent(ctx context.Context, b budget.Budget) (map[string]llm.Money, error) {
	spent := map[string]llm.Money{}
	if d.onlooker.store == nil || b.Per == budget.PerRun || b.Scope == budget.ScopeRun {
		return spent, nil
	}
	balances, err := d.onlooker.store.Balances(ctx, b.Scope, b.Per, b.Per.Period(d.project.world.Now()))
	for _, found := range balances {
		spent[found.Account.Value] = found.Spent + found.Leased + found.Lost
	}
	return spent, err
}

func (d *dryRun) byPrompt() map[string]report.Forecast {
	sums := map[string]report.Forecast{}
	for _, g := range d.found.Groups {
		sums[g.Prompt.Name] = sums[g.Prompt.Name].Plus(g.Asked)
	}
	for name, asked := range d.judged {
		sums[name] = sums[name].Plus(asked)
	}
	return sums
}
