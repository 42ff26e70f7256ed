package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newDiff(w *World) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "Two runs side by side, texts diffed",
		Long: `Compare two stored runs case by case. Without arguments: the last run against the
one before it. With one: that run against the last.`,
		Example: "  llmx diff\n  llmx diff 20261121-1800 latest",
		Args:    takes(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				return runDiff(ctx, w, s, args, limit)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "list so many differences (-1: all)")
	return cmd
}

func runDiff(ctx context.Context, w *World, s *store.Store, args []string, limit int) error {
	a, b, err := twoRuns(ctx, s, args)
	if err != nil {
		return err
	}
	runA, err := s.Run(ctx, a)
	if err != nil {
		return err
	}
	runB, err := s.Run(ctx, b)
	if err != nil {
		return err
	}
	style := w.outputStyle()
	style.Limit = limit
	return report.DiffRuns(w.Stdout, runA, runB,
		s.Results(ctx, runA.ID, store.ResultFilter{}), s.Results(ctx, runB.ID, store.ResultFilter{}), style)
}

func twoRuns(ctx context.Context, s *store.Store, args []string) (a, b string, err error) {
	switch len(args) {
	case 2:
		return args[0], args[1], nil
	case 1:
		return args[0], store.Latest, nil
	}
	runs, err := s.Runs(ctx, 2)
	if err != nil {
		return "", "", err
	}
	if len(runs) < 2 {
		return "", "", fault.New(fault.Usage, "there are not two runs to compare yet").WithHint("llmx test makes one")
	}
	return runs[1].ID, runs[0].ID, nil
}
