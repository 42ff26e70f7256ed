package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

const callsHelp = `List stored calls, the newest first: who was asked and who answered, what came of
it, how many attempts that took, how long, and what was paid. llmx explain CALL tells
the whole story of one.

--status takes what came of a call: ok, failed, cached, recorded, shared, retried (a
model was asked again), fallback (another one was), re-asked (the answer broke its
contract), cascaded, repaired, cut-short (at the token limit); or the class of its
failure: contract, rate_limited, timeout_total, …

--grep takes a text as it stands, not a pattern: a dot is a dot. It looks through
inputs, messages and answers, for at most a minute.

With --json every call is a line of JSON: id, started, run, suite, case, repeat, key, user,
prompt, model (asked), answered_by (its alias) and answered (in the provider's words),
outcome (answered, cached, recorded, shared or a class of failure), failure, feedback
(good, bad or ""), finish, turns, attempts, input_tokens, output_tokens, cost_nano_usd and paid_nano_usd (null for unknown),
queue_ms, service_ms, first_token_ms, total_ms and stored_by.`

const callsExamples = `  llmx calls
  llmx calls --failed --since 1h
  llmx calls --prompt triage --since 1h --status fallback
  llmx calls --user u-381 --grep "charged twice"
  llmx calls --run latest --case refund-angry
  llmx calls --model large --limit 0 --json | jq -s 'map(.paid_nano_usd) | add'`

type callsOptions struct {
	which callFlags
	json  bool
}

func newCalls(w *World) *cobra.Command {
	o := &callsOptions{}
	cmd := &cobra.Command{
		Use:     "calls",
		Short:   "Find calls: the newest first, of applications, of tests and of ask",
		Long:    callsHelp,
		Example: callsExamples,
		Args:    unknownSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := o.which.read(w.Now())
			if err != nil {
				return err
			}
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				return p.listCalls(ctx, s, filter, o.json)
			})
		},
	}
	o.which.who(cmd, w)
	o.which.what(cmd, w)
	o.which.runs(cmd, w)
	cmd.Flags().IntVar(&o.which.filter.Limit, "limit", 20, "list so many (0: all)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print every call as a line of JSON")
	cmd.AddCommand(newCallsPurge(w))
	return cmd
}

func (p *project) listCalls(ctx context.Context, s *store.Store, filter store.CallFilter, asJSON bool) error {
	p.blind(filter)
	if err := selectsCalls(ctx, s, filter); err != nil {
		return err
	}
	if asJSON {
		return report.CallLines(p.world.Stdout, s.Calls(ctx, filter))
	}
	return p.callList(ctx, s, filter, p.world.Stdout)
}

// callList lists calls with the names of their keys.
func (p *project) callList(ctx context.Context, s *store.Store, filter store.CallFilter, out io.Writer) error {
	names, err := s.KeyNames(ctx)
	if err != nil {
		return err
	}
	return report.CallList(out, byKeyName(s.Calls(ctx, filter), names), p.world.outputStyle())
}
