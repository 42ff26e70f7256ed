package cli

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// withKeyBudgets adds what keys may spend by themselves to the rows of budgets, and
// names keys as people do. Where a budget of llmx.yaml counts the same, the lower is shown.
func withKeyBudgets(ctx context.Context, w *World, s *store.Store, rows []report.BudgetRow) ([]report.BudgetRow, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	type account struct{ per, id string }
	shown := map[account]int{}
	for i, row := range rows {
		if row.Scope == string(budget.ScopeKey) && row.Value != "" {
			shown[account{row.Per, row.Value}] = i
		}
	}
	for _, key := range keys {
		if key.Limit == 0 {
			continue
		}
		if i, ok := shown[account{string(key.Per), key.ID}]; ok {
			rows[i].Limit = min(rows[i].Limit, key.Limit)
			continue
		}
		row := report.BudgetRow{Scope: string(budget.ScopeKey), Value: key.ID, Per: string(key.Per), Period: key.Per.Period(w.Now()), Limit: key.Limit}
		balances, err := s.Balances(ctx, budget.ScopeKey, key.Per, row.Period)
		if err != nil {
			return nil, err
		}
		for _, found := range balances {
			if found.Account.Value == key.ID {
				row.Spent, row.Held, row.Lost = found.Spent, found.Leased, found.Lost
			}
		}
		if key.Revoked.IsZero() || row.Spent > 0 {
			rows = append(rows, row)
		}
	}
	for i := range rows {
		for _, key := range keys {
			if rows[i].Scope == string(budget.ScopeKey) && rows[i].Value == key.ID {
				rows[i].Value = key.Name
			}
		}
	}
	return rows, nil
}

// byKeyName gives calls with the names of their keys, as people know them, in place of
// the ids.
func byKeyName(calls iter.Seq2[*llm.Call, error], names map[string]string) iter.Seq2[*llm.Call, error] {
	if len(names) == 0 {
		return calls
	}
	return func(yield func(*llm.Call, error) bool) {
		for call, err := range calls {
			if call != nil {
				if name, ok := names[call.Key]; ok {
					named := *call
					named.Key = name
					call = &named
				}
			}
			if !yield(call, err) {
				return
			}
		}
	}
}

// withKeyName is a call with the names of its key, and of those that say something of
// it, in place of the ids.
func withKeyName(ctx context.Context, s *store.Store, call *llm.Call) (*llm.Call, error) {
	if call.Key == "" {
		return call, nil
	}
	names, err := s.KeyNames(ctx)
	if err != nil {
		return nil, err
	}
	named := *call
	named.Key = cmp.Or(names[call.Key], call.Key)
	named.Feedback = slices.Clone(call.Feedback)
	for i := range named.Feedback {
		said := &named.Feedback[i]
		said.Key = cmp.Or(names[said.Key], said.Key)
	}
	return &named, nil
}
