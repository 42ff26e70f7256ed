package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newExplain(w *World) *cobra.Command {
	var run string
	cmd := &cobra.Command{
		Use:   "explain CALL|CASE",
		Short: "Why did the model say this: prompt, messages, attempts, cost, checks",
		Long: `Tell the whole story of one call: by its id, or by the id of a case, which means
the case's result in the last run.`,
		Example: "  llmx explain 4f2a9c1d-17\n  llmx explain refund-angry\n  llmx explain refund-angry --run 20261121-1800",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				return runExplain(ctx, w, s, args[0], run)
			})
		},
	}
	cmd.Flags().StringVar(&run, "run", store.Latest, "the run in which the case is looked for")
	return cmd
}

func runExplain(ctx context.Context, w *World, s *store.Store, id, run string) error {
	call, err := s.Call(ctx, id)
	if err == nil {
		result, err := resultOf(ctx, s, call.Origin.Run, call.Origin.Case, id)
		if err != nil {
			return err
		}
		return report.Explain(w.Stdout, call, result, w.outputStyle())
	}
	if fault.ClassOf(err) != fault.Usage {
		return err
	}
	result, caseErr := resultOf(ctx, s, run, id, "")
	switch {
	case caseErr != nil && fault.ClassOf(caseErr) != fault.Usage:
		return caseErr
	case caseErr != nil || result == nil:
		return fault.New(fault.Usage, "neither a call nor a case of the run %s is called %q", run, id).
			WithHint("llmx runs show lists the cases of the last run").Because(errors.Join(err, caseErr))
	}
	if call, err = s.Call(ctx, result.CallID); err != nil {
		return err
	}
	return report.Explain(w.Stdout, call, result, w.outputStyle())
}

// resultOf finds the result of a case in a run: that of the call, or the first;
// nil where there is none.
func resultOf(ctx context.Context, s *store.Store, run, caseID, callID string) (*eval.Result, error) {
	if run == "" || caseID == "" {
		return nil, nil
	}
	for r, err := range s.Results(ctx, run, store.ResultFilter{Case: caseID}) {
		if err != nil {
			return nil, err
		}
		if r.CallID != "" && (callID == "" || r.CallID == callID) {
			return &r, nil
		}
	}
	return nil, nil
}
