package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/store"
)

const explainHelp = `Tell the whole story of one call: by its id or the beginning of it, or by the id of a
case, which means the case's result in the last run. Each attempt stands beside the time
since the call began, with the pauses and the turns to other models between them, and
with the models that were not asked, and why.

With --json the call is one JSON document, "schema": "llmx.call/1": call (as a line of
llmx calls --json), content (false where contents are not stored), prompt_hash, vars, turns,
answer, feedback (at, key, score, correction, comment) and result (status, reason and scores of the case, and of a conversation the turn
that the call answers and all steps; null outside of runs). A turn
has kind, messages, options, output, attempts, answer and violation (why the answer was
not accepted). An attempt has asked (a provider was asked, now), model, provider, wire,
answered, response_id, started, queue_ms, service_ms, first_token_ms, usage, cost_nano_usd,
paid_nano_usd (null for unknown), finish, failure, skipped, stored_by and origin.`

type explainOptions struct {
	id, run string
	filter  store.ResultFilter
	json    bool
}

func newExplain(w *World) *cobra.Command {
	o := &explainOptions{}
	cmd := &cobra.Command{
		Use:     "explain CALL|CASE",
		Short:   "Why did the model say this: prompt, messages, attempts, cost, checks",
		Long:    explainHelp,
		Example: "  llmx explain 4f2a9c1d-17\n  llmx explain refund-angry\n  llmx explain refund-angry --run 20261121-1800\n  llmx explain 4f2a9c1d-17 --json | jq .turns[].attempts[].failure",
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				return runExplain(ctx, p, s, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.run, "run", store.Latest, "the run in which the case is looked for")
	flags.StringVar(&o.filter.Suite, "suite", "", "the suite, where more than one has the case")
	flags.StringVar(&o.filter.Model, "model", "", "the model, where more than one was asked")
	flags.BoolVar(&o.json, "json", false, "print the whole call as one JSON document")
	return cmd
}

func runExplain(ctx context.Context, p *project, s *store.Store, o *explainOptions) error {
	w := p.world
	call, results, err := o.find(ctx, s)
	if err != nil {
		return err
	}
	if o.json {
		return report.CallJSON(w.Stdout, call, first(results))
	}
	if call, err = withKeyName(ctx, s, call); err != nil {
		return err
	}
	if err := report.Explain(w.Stdout, call, first(results), p.suiteOf(call.Prompt.Name), w.outputStyle()); err != nil || len(results) < 2 {
		return err
	}
	for _, other := range results[1:] {
		group := eval.Group{Suite: other.Suite, Model: other.Model, Prompt: other.Prompt, ByPrompt: other.Prompt.String() != results[0].Prompt.String()}
		fmt.Fprintf(w.Stderr, "another answer to the case, %s in draw %d of %s: llmx explain %s\n",
			other.Status, other.Repeat+1, group.Name(), other.CallID)
	}
	return nil
}

// find looks for a call of that id, a case of that id, and a call whose id begins
// so. The results are those of the call's case, its own first.
func (o *explainOptions) find(ctx context.Context, s *store.Store) (*llm.Call, []eval.Result, error) {
	call, err := s.Call(ctx, server.CallID(o.id))
	if err == nil {
		return withResult(ctx, s, call)
	}
	if fault.ClassOf(err) != fault.Usage {
		return nil, nil, err
	}
	filter := o.filter
	filter.Case = o.id
	results, caseErr := resultsOf(ctx, s, o.run, filter, "")
	switch {
	case caseErr != nil && fault.ClassOf(caseErr) != fault.Usage:
		return nil, nil, caseErr
	case len(results) > 0:
		call, err := s.Call(ctx, results[0].CallID)
		return call, results, err
	}
	ids, beginErr := s.CallsBeginning(ctx, server.CallID(o.id))
	switch {
	case beginErr != nil:
		return nil, nil, beginErr
	case len(ids) > 1:
		return nil, nil, fault.New(fault.Usage, "more than one call begins with %q", o.id).WithHint("%s", fault.Allowed("", ids))
	case len(ids) == 0 && o.filter != (store.ResultFilter{}):
		results, err := resultsOf(ctx, s, o.run, store.ResultFilter{Case: o.id}, "")
		if err == nil && len(results) > 0 {
			return nil, nil, fault.New(fault.Usage, "the case %q is in the run %s, and not of the suite or the model that was asked for", o.id, o.run).
				WithHint("it is of %s on %s", results[0].Suite, results[0].Model)
		}
		fallthrough
	case len(ids) == 0:
		return nil, nil, fault.New(fault.Usage, "neither a call nor a case of the run %s is called %q", o.run, o.id).
			WithHint("llmx calls lists the newest calls, llmx runs show the cases of the last run").Because(errors.Join(err, caseErr))
	}
	if call, err = s.Call(ctx, ids[0]); err != nil {
		return nil, nil, err
	}
	return withResult(ctx, s, call)
}

// withResult adds the result that a call belongs to, if there is one.
func withResult(ctx context.Context, s *store.Store, call *llm.Call) (*llm.Call, []eval.Result, error) {
	results, err := resultsOf(ctx, s, call.Origin.Run, store.ResultFilter{Case: call.Origin.Case}, call.ID)
	return call, results, err
}

func first(results []eval.Result) *eval.Result {
	if len(results) == 0 {
		return nil
	}
	return &results[0]
}

// gave reports whether a call gave a result, or a part of it.
func gave(r *eval.Result, callID string) bool {
	return r.CallID == callID || slices.ContainsFunc(r.Steps, func(s eval.Step) bool { return s.Call == callID })
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
		if r.CallID != "" && (callID == "" || gave(&r, callID)) {
			if found = append(found, r); len(found) == most {
				break
			}
		}
	}
	return found, nil
}
