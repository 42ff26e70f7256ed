package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/telemetry"
)

// newTelemetry counts for /metrics, and pushes to a collector where the standard
// variables of OpenTelemetry name one.
func newTelemetry(ctx context.Context, w *World, s *serving) (*telemetry.Telemetry, error) {
	return telemetry.New(ctx, telemetry.Options{
		Version: Version(), KeyName: s.keys.name, OTLP: collectorOf(w),
		Trouble: func(err error) { s.log.Warn("traces or metrics could not be pushed", "error", err.Error()) },
		Gauges: telemetry.Gauges{
			Budgets:   s.budgetShares,
			Recording: func() (bool, int64) { return s.store.Recording().Why == nil, s.store.Dropped() },
			Reloaded:  func() bool { return s.files.told.Load().reloads.failed == nil }, // nobody reads before there are files
		},
	})
}

// collectorOf finds the collector in the environment; nil where none is named.
func collectorOf(w *World) *telemetry.OTLP {
	if off, _ := w.LookupEnv("OTEL_SDK_DISABLED"); off == "true" {
		return nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"} {
		if value, ok := w.LookupEnv(name); ok && value != "" {
			service, _ := w.LookupEnv("OTEL_SERVICE_NAME")
			if service == "" {
				service = "llmx"
			}
			return &telemetry.OTLP{Service: service}
		}
	}
	return nil
}

// observe counts a request.
func (s *serving) observe() func(server.Observed) {
	done := s.told.Begin()
	return func(o server.Observed) { done(telemetry.Request(o)) }
}

// endTelemetry pushes what is left.
func (s *serving) endTelemetry() {
	if s.told == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.told.Close(ctx); err != nil {
		s.log.Warn("not all traces and metrics could be pushed", "error", err.Error())
	}
}

// mostBudgets bounds the budgets that metrics show: the ones that are spent most.
const mostBudgets = 200

// budgetShares reads how far the budgets of llmx.yaml and those of keys are spent now.
func (s *serving) budgetShares() []telemetry.Budget {
	budgets, err := s.project.budgets()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rows, err := spentOf(ctx, s.project.world, s.store, budgets)
	if err != nil {
		return nil
	}
	if all, err := withKeyBudgets(ctx, s.project.world, s.store, rows); err == nil {
		rows = all
	}
	return mostSpent(rows)
}

// mostSpent gives the shares of budgets, the largest first. Of those that have the same
// names, as a key that was revoked and the one in its place, the largest counts.
func mostSpent(rows []report.BudgetRow) []telemetry.Budget {
	var shares []telemetry.Budget
	for _, row := range rows {
		if row.Limit > 0 {
			shares = append(shares, telemetry.Budget{Scope: row.Scope, Value: row.Value, Per: row.Per, Share: float64(row.Spent+row.Held) / float64(row.Limit)})
		}
	}
	slices.SortStableFunc(shares, func(a, b telemetry.Budget) int { return cmp.Compare(b.Share, a.Share) })
	seen := map[telemetry.Budget]bool{}
	shares = slices.DeleteFunc(shares, func(b telemetry.Budget) bool {
		b.Share = 0
		again := seen[b]
		seen[b] = true
		return again
	})
	return shares[:min(len(shares), mostBudgets)]
}
