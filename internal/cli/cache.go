package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/store"
)

func newCache(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Answers that are kept to be given again: stats, clear",
		Long: `The exact cache keeps whole answers to --live runs and to ask for the time that
cache.exact.ttl says. A request is answered from it only if nothing that can change
the answer differs.`,
		Example: "  llmx cache stats\n  llmx cache clear",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newCacheStats(w), newCacheClear(w))
	return cmd
}

func newCacheStats(w *World) *cobra.Command {
	return &cobra.Command{
		Use:     "stats",
		Short:   "How many answers are kept, how large, how old",
		Example: "  llmx cache stats",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				size, err := s.CacheStats(ctx)
				if err != nil {
					return err
				}
				oldest := ""
				if !size.Oldest.IsZero() {
					oldest = ", the oldest of " + size.Oldest.In(w.Now().Location()).Format("2006-01-02 15:04")
				}
				_, err = fmt.Fprintf(w.Stdout, "%s (%d expired), %.1f MB%s\n", counted(size.Entries, "answer"), size.Expired, float64(size.Bytes)/1e6, oldest)
				return err
			})
		},
	}
}

func newCacheClear(w *World) *cobra.Command {
	return &cobra.Command{
		Use:     "clear",
		Short:   "Forget all kept answers",
		Example: "  llmx cache clear",
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), w, changes, func(ctx context.Context, _ *project, s *store.Store) error {
				n, err := s.CacheClear(ctx)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(w.Stdout, "forgot %s\n", counted(n, "answer"))
				return err
			})
		},
	}
}
