package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newExplain(w *World) *cobra.Command {
	var run, model, suite string
	cmd := &cobra.Command{
		Use:   "explain CALL|CASE",
		Short: "Why did the model say this: prompt, messages, attempts, cost, checks",
		Long: `Tell the whole story of one call: by its id, or by the id of a case, which means
the case's result in the last run.`,
		Example: "  llmx explain 4f2a9c1d-17\n  llmx explain refund-angry\n  llmx explain refund-angry --run 20261121-1800",
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				return runExplain(ctx, w, s, args[0], run, store.ResultFilter{Suite: suite, Model: model})
			})
		},
	}
	cmd.Flags().StringVar(&run, "run", store.Latest, "the run in which the case is looked for")
	cmd.Flags().StringVar(&suite, "suite", "", "the suite, where more than one has the case")
	cmd.Flags().StringVar(&model, "model", "", "the model, where more than one was asked")
	return cmd
}

func runExplain(ctx context.Context, w *World, s *store.Store, id, run string, of store.ResultFilter) error {
	call, err := s.Call(ctx, id)
	if err == nil {
		results, err := resultsOf(ctx, s, call.Origin.Run, store.ResultFilter{Case: call.Origin.Case}, id)
		if err != nil {
			return err
		}
		return report.Explain(w.Stdout, call, first(results), w.outputStyle())
	}
	if fault.ClassOf(err) != fault.Usage {
		return err
	}
	results, caseErr := resultsOf(ctx, s, run, store.ResultFilter{Case: id, Model: of.Model, Suite: of.Suite}, "")
	switch {
	case caseErr != nil && fault.ClassOf(caseErr) != fault.Usage:
		return caseErr
	case caseErr != nil || len(results) == 0:
		return fault.New(fault.Usage, "neither a call nor a case of the run %s is called %q", run, id).
			WithHint("llmx runs show lists the cases of the last run").Because(errors.Join(err, caseErr))
	}
	if call, err = s.Call(ctx, results[0].CallID); err != nil {
		return err
	}
	if err := report.Explain(w.Stdout, call, &results[0], w.outputStyle()); err != nil {
		return err
	}
	for _, other := range results[1:] {
		fmt.Fprintf(w.Stderr, "another answer to the case, %s in draw %d of %s on %s: llmx explain %s\n",
			other.Status, other.Repeat+1, other.Suite, other.Model, other.CallID)
	}
	return nil
}

func first(results []eval.Result) *eval.Result {
	if len(results) == 0 {
		return nil
	}
	return &results[0]
}

// resultsOf finds the results of a case in a run, or the one of a call; none where
// there is no case to look for.
func resultsOf(ctx context.Context, s *store.Store, run string, of store.ResultFilter, callID string) ([]eval.Result, error) {
	if run == "" || of.Case == "" {
		return nil, nil
	}
	const most = 20
	var found []eval.Result
	for r, err := range s.Results(ctx, run, of) {
		if err != nil {
			return nil, err
		}
		if r.CallID != "" && (callID == "" || r.CallID == callID) {
			if found = append(found, r); len(found) == most {
				break
			}
		}
	}
	return found, nil
}
