package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// costBy are the ways to put calls together, the default first.
var costBy = []string{"prompt", "project", "model", "day", "suite", "run", "key"}

func newCost(w *World) *cobra.Command {
	by, since, asJSON := costBy[0], "", false
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "What calls have cost, by project, prompt, model, day, suite, run or key",
		Long: `Sum up what the stored calls have cost: at list price, as if every answer had been
asked for, and what was paid. A stored answer, from the cache or a recording, is paid
nothing. A cost that nobody knows is told as unknown, and is in no sum. Days are those of
UTC.

Where llmx.yaml or a key of llmx serve has a budget, it is shown with what is spent of
it in the day, month or run that is now.

Calls go with the runs that are pruned (llmx runs prune), and so does what they have
cost here. Budgets keep a count of their own, from which nothing goes.`,
		Example: "  llmx cost\n  llmx cost --by day --since 7d\n  llmx cost --by model --since 2026-11-01\n  llmx cost --json | jq .total.paid.usd",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(costBy, by) {
				return fault.New(fault.Usage, "--by %s is not known", by).WithHint("%s", fault.Allowed(by, costBy))
			}
			from, err := parseTime("--since", since, w.Now())
			if err != nil {
				return err
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				costs, err := p.costs(ctx, s, by, from)
				if err != nil {
					return err
				}
				if asJSON {
					return report.CostJSON(w.Stdout, costs)
				}
				return report.CostPage(w.Stdout, costs, w.outputStyle())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&by, "by", by, "put calls together by `project|prompt|model|day|suite|run|key`")
	flags.StringVar(&since, "since", "", "only calls since a `time`: 7d, 12h, or a day like 2026-11-01 (default: all)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// parseTime reads how long ago, or a day of UTC; zero for "".
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fault.New(fault.Usage, "%s %s is no time", flag, text).WithHint("write 7d, 12h, or a day like 2026-11-01")
}

func (p *project) costs(ctx context.Context, s *store.Store, by string, since time.Time) (report.Costs, error) {
	spends, total, err := s.Spends(ctx, store.SpendFilter{By: store.SpendBy(by), Since: since})
	if err != nil {
		return report.Costs{}, err
	}
	costs := report.Costs{By: by, Since: since, Total: costRow(total)}
	names, err := s.KeyNames(ctx)
	if err != nil {
		return report.Costs{}, err
	}
	for _, spend := range spends {
		row := costRow(spend)
		if name, ok := names[row.Name]; ok && by == "key" {
			row.Name = name
		}
		if by == "project" {
			row.Name = p.config.Project
		}
		costs.Rows = append(costs.Rows, row)
	}
	budgets, err := p.budgets()
	if err != nil {
		return report.Costs{}, err
	}
	if costs.Budgets, err = spentOf(ctx, p.world, s, budgets); err != nil {
		return costs, err
	}
	costs.Budgets, err = withKeyBudgets(ctx, p.world, s, costs.Budgets)
	return costs, err
}

func costRow(s store.Spend) report.CostRow {
	return report.CostRow{
		Name: s.Name, Calls: s.Calls, Asked: s.Asked, Stored: s.Stored, Usage: s.Usage,
		Cost: s.Cost, Unpriced: s.CostUnknown, Paid: s.Paid, Untold: s.PaidUnknown,
	}
}
