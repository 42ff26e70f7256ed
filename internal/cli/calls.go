package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

const callsHelp = `List stored calls, the newest first: who was asked and who answered, what came of
it, how many attempts that took, how long, and what was paid. llmx explain CALL tells
the whole story of one.

With --json every call is a line of JSON: id, started, run, suite, case, repeat, prompt,
model (asked), answered_by (its alias) and answered (in the provider's words), outcome
(answered, cached, recorded, shared or a class of failure), failure, finish, turns,
attempts, input_tokens, output_tokens, cost_nano_usd and paid_nano_usd (null for unknown),
queue_ms, service_ms, first_token_ms, total_ms and stored_by.`

const callsExamples = `  llmx calls
  llmx calls --failed --since 1h
  llmx calls --run latest --case refund-angry
  llmx calls --model large --limit 0 --json | jq -s 'map(.paid_nano_usd) | add'`

type callsOptions struct {
	filter store.CallFilter
	since  string
	json   bool
}

func newCalls(w *World) *cobra.Command {
	o := &callsOptions{filter: store.CallFilter{Limit: 20}}
	cmd := &cobra.Command{
		Use:     "calls",
		Short:   "Find calls: the newest first, of tests and of ask",
		Long:    callsHelp,
		Example: callsExamples,
		Args:    takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.filter.Limit < 0 {
				return fault.New(fault.Usage, "--limit %d is negative", o.filter.Limit).WithHint("0 lists all")
			}
			var err error
			if o.filter.Since, err = parseSince(o.since, w.Now()); err != nil {
				return err
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, _ *project, s *store.Store) error {
				return runCalls(ctx, w, s, o)
			})
		},
	}
	flags, filter := cmd.Flags(), &o.filter
	flags.StringVar(&filter.Run, "run", "", "only calls of this run")
	flags.StringVar(&filter.Suite, "suite", "", "only calls of this suite")
	flags.StringVar(&filter.Case, "case", "", "only calls of this case")
	flags.StringVar(&filter.Prompt, "prompt", "", "only calls of this prompt, `NAME or NAME@VERSION`")
	flags.StringVar(&filter.Model, "model", "", "only calls that asked this model or route, also as a fallback")
	flags.BoolVar(&filter.Failed, "failed", false, "only calls that failed")
	flags.StringVar(&o.since, "since", "", "only calls since a `time`: 7d, 12h, or a day like 2026-11-01")
	flags.IntVar(&filter.Limit, "limit", filter.Limit, "list so many (0: all)")
	flags.BoolVar(&o.json, "json", false, "print every call as a line of JSON")
	_ = cmd.RegisterFlagCompletionFunc("suite", completeSuites(w))
	_ = cmd.RegisterFlagCompletionFunc("prompt", completePrompts(w))
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	return cmd
}

func runCalls(ctx context.Context, w *World, s *store.Store, o *callsOptions) error {
	filter := o.filter
	filter.Prompt, filter.Version, _ = strings.Cut(filter.Prompt, "@")
	if err := selectsCalls(ctx, s, filter); err != nil {
		return err
	}
	if o.json {
		return report.CallLines(w.Stdout, s.Calls(ctx, filter))
	}
	names, err := s.KeyNames(ctx)
	if err != nil {
		return err
	}
	return report.CallList(w.Stdout, byKeyName(s.Calls(ctx, filter), names), w.outputStyle())
}

// selectsCalls refuses a name that no stored call has, with those that there are.
// That no call of a name failed, or none is young enough, is an answer.
func selectsCalls(ctx context.Context, s *store.Store, f store.CallFilter) error {
	f.Limit = 1
	for _, err := range s.Calls(ctx, f) {
		return err
	}
	names, err := s.CallNames(ctx)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		what, name string
		known      []string
	}{{"suite", f.Suite, names.Suites}, {"prompt", f.Prompt, names.Prompts}, {"model or route", f.Model, names.Models}} {
		if one.name != "" && !slices.Contains(one.known, one.name) {
			return fault.New(fault.NoMatch, "no stored call is of a %s %q", one.what, one.name).WithHint("%s", fault.Allowed(one.name, one.known))
		}
	}
	return nil
}
