package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// stableFrom is the number of draws from which on a case is called stable if they all
// came out alike. With fewer it is unknown: one that fails every other time looks
// stable over 4 draws in one case of eight.
const stableFrom = 5

func newFlaky(w *World) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "flaky [SUITE]",
		Short: "Cases that passed and failed while nothing had changed",
		Long: `List the cases that passed in some stored runs and failed in others while the prompt, the
model, the input and the checks were those of the newest run. An answer that was recorded or
cached counts once, in however many runs it was judged.

The interval is that of the chance to pass (Clopper and Pearson, 95 %). Nothing is ever
asked again until it passes: a flaky case needs repeats, a prompt that decides it, or
another check. Until then the tag quarantine keeps it in the report and out of every gate.`,
		Example:           "  llmx flaky\n  llmx flaky triage\n  llmx flaky --json | jq '.flaky[].case'",
		Args:              takes(0, 1),
		ValidArgsFunction: completeSuites(w),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				suite := firstArg(args, "")
				if suite != "" {
					if _, err := p.suiteFiles(args); err != nil {
						return err
					}
				}
				found, err := flakyCases(ctx, s, suite)
				if err != nil {
					return err
				}
				if asJSON {
					return report.FlakyJSON(w.Stdout, found)
				}
				return report.FlakyPage(w.Stdout, found, w.outputStyle())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func flakyCases(ctx context.Context, s *store.Store, suite string) (report.Flaky, error) {
	found := report.Flaky{Least: stableFrom}
	histories, err := s.Histories(ctx, suite)
	if err != nil {
		return found, err
	}
	for _, h := range histories {
		switch {
		case h.Passes > 0 && h.Passes < h.Draws:
			low, high := stats.ClopperPearson(h.Passes, h.Draws, 0.95)
			found.Rows = append(found.Rows, report.FlakyRow{
				Suite: h.Suite, Model: h.Model, Case: h.Case, Passes: h.Passes, Draws: h.Draws, Low: low, High: high, Last: h.Last,
			})
		case h.Draws >= stableFrom:
			found.Stable++
		default:
			found.Unknown++
		}
	}
	return found, nil
}
