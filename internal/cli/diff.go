package cli

import (
	"context"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newDiff(w *World) *cobra.Command {
	limit, prompt := 0, ""
	cmd := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "Two runs side by side, texts diffed",
		Long: `Compare two stored runs case by case. Without arguments: the last run against the
one before it. With one: that run against the last. Of a run that asked several prompts
one is compared: --prompt says which.`,
		Example: "  llmx diff\n  llmx diff 20261121-1800 latest",
		Args:    takes(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				return runDiff(ctx, w, s, args, prompt, limit)
			})
		},
	}
	cmd.Flags().StringVar(&prompt, "prompt", "", promptHelp)
	cmd.Flags().IntVar(&limit, "limit", 20, "list so many differences (-1: all)")
	return cmd
}

func runDiff(ctx context.Context, w *World, s *store.Store, args []string, prompt string, limit int) error {
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
	if prompt != "" && len(promptsBeside(slices.Concat(runA.Groups, runB.Groups))) == 0 {
		return fault.New(fault.Usage, "--prompt is of runs that asked several prompts, and neither did").WithHint("leave it out")
	}
	results := func(run *eval.Run) (iter.Seq2[eval.Result, error], error) {
		if len(promptsBeside(run.Groups)) == 0 {
			return s.Results(ctx, run.ID, store.ResultFilter{}), nil // whatever its one prompt was
		}
		chosen, err := choosePrompt(*run, prompt, "one side of a comparison")
		if err == nil {
			*run = ofPrompt(*run, chosen)
		}
		return s.Results(ctx, run.ID, store.ResultFilter{Prompt: chosen}), err
	}
	resultsA, err := results(&runA)
	if err != nil {
		return err
	}
	resultsB, err := results(&runB)
	if err != nil {
		return err
	}
	style := w.outputStyle()
	style.Limit = limit
	return report.DiffRuns(w.Stdout, runA, runB, resultsA, resultsB, style)
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
