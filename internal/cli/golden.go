package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/store"
)

func newGolden(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "golden",
		Short:   "The answer of the last run becomes the golden",
		Example: "  llmx golden accept refund-angry",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newGoldenAccept(w))
	return cmd
}

type goldenOptions struct {
	run, suite, model, prompt string
	turns                     []int
	dryRun                    bool
}

func newGoldenAccept(w *World) *cobra.Command {
	o := &goldenOptions{}
	cmd := &cobra.Command{
		Use:   "accept CASE…",
		Short: "Write the answers of the last run into the suite as golden",
		Long: `Take the answer that each case got in a run (default: the last complete test) as its
golden answer, and write it into the suite's file. The rest of the file stays as it is.

The golden answers of a conversation stand at its turns: those are taken anew at which
there is one, or which --turn names.`,
		Example: "  llmx golden accept refund-angry late-fee\n  llmx golden accept refund-angry --suite triage --dry-run\n  llmx golden accept double-charge --turn 3",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, reads, func(ctx context.Context, p *project, s *store.Store) error {
				return runGolden(ctx, p, s, args, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.run, "run", "", "the `RUN` whose answers are taken (default: the last complete test)")
	flags.StringVar(&o.suite, "suite", "", "the suite, where more than one has the case")
	flags.StringVar(&o.model, "model", "", "the model, where more than one was asked")
	flags.IntSliceVar(&o.turns, "turn", nil, "of a conversation: the turns whose answers are taken (default: those that have a golden answer)")
	flags.StringVar(&o.prompt, "prompt", "", promptHelp)
	flags.BoolVar(&o.dryRun, "dry-run", false, "only say what would be written")
	return cmd
}

func runGolden(ctx context.Context, p *project, s *store.Store, cases []string, o *goldenOptions) error {
	id, err := latestTest(ctx, s, o.run)
	if err != nil {
		return err
	}
	run, err := s.Run(ctx, id)
	if err != nil {
		return err
	}
	if o.prompt, err = choosePrompt(run, o.prompt, "a golden answer"); err != nil {
		return err
	}
	results := map[string]map[string]*eval.Result{} // suite → case
	var problems fault.List
	for _, id := range cases {
		result, err := p.answered(ctx, s, run, id, o)
		if err != nil {
			problems.Add(err)
			continue
		}
		if results[result.Suite] == nil {
			results[result.Suite] = map[string]*eval.Result{}
		}
		results[result.Suite][id] = result
	}
	names := slices.Sorted(maps.Keys(results))
	answers := map[string]map[string]any{} // suite → case → golden
	for _, name := range names {
		var err error
		answers[name], err = p.goldensOf(ctx, s, name, results[name], run.ID, o.turns)
		problems.Add(err)
	}
	for _, name := range names { // all are tried before one is written
		_, err := suite.SetGoldens(p.root, suite.Dir+"/"+name+suite.Extension, answers[name], true)
		problems.Add(err)
	}
	if err := distinct(problems).Err(); err != nil {
		return err
	}
	for _, name := range names {
		changes, err := suite.SetGoldens(p.root, suite.Dir+"/"+name+suite.Extension, answers[name], o.dryRun)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if _, err := fmt.Fprintln(p.world.Stdout, change); err != nil {
				return err
			}
		}
	}
	return nil
}

// goldensOf makes golden values of a suite's results, by case, and refuses cases that ask
// something else now than in the run: the answer would be to another question.
func (p *project) goldensOf(ctx context.Context, s *store.Store, name string, results map[string]*eval.Result, run string, turns []int) (map[string]any, error) {
	found, err := p.loadSuites(selection{names: []string{name}})
	if err != nil {
		return nil, err
	}
	goldens := map[string]any{}
	var problems fault.List
	for c, err := range found[0].Cases() {
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, fault.New(fault.Canceled, "interrupted; nothing was written")
		}
		result := results[c.ID]
		if result == nil {
			continue
		}
		switch value, err := any(nil), error(nil); {
		case result.InputHash != c.InputHash:
			problems.Add(fault.At(c.Place, "the case %s asks something else now than in run %s", c.ID, run).WithHint("run it again: llmx test %s", name))
		case len(c.Turns) == 0 && len(turns) > 0:
			problems.Add(fault.New(fault.Usage, "the case %s is no conversation, and has no turns", c.ID).WithHint("leave --turn out"))
		default:
			if len(c.Turns) > 0 {
				value, err = goldensOfTurns(ctx, s, &c, result, turns)
			} else {
				value, err = goldenOf(ctx, s, result)
			}
			if err == nil {
				goldens[c.ID] = value
			}
			problems.Add(err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(results)) {
		if _, there := goldens[id]; !there && len(problems) == 0 {
			goldens[id] = nil // there is no such case any more, as SetGoldens says
		}
	}
	return goldens, problems.Err()
}

// answered finds the one judged answer of a case in a run.
func (p *project) answered(ctx context.Context, s *store.Store, run eval.Run, id string, o *goldenOptions) (*eval.Result, error) {
	var found []eval.Result
	var where []string
	for r, err := range s.Results(ctx, run.ID, store.ResultFilter{Suite: o.suite, Model: o.model, Prompt: o.prompt, Case: id}) {
		if err != nil {
			return nil, err
		}
		if r.Repeat == 0 && r.Status.Judged() {
			found = append(found, r)
			where = append(where, fmt.Sprintf("--suite %s --model %s", r.Suite, r.Model))
		}
	}
	switch len(found) {
	case 0:
		return nil, fault.New(fault.Usage, "the run %s has no answer to a case %q", run.ID, id).WithHint("llmx runs show %s --limit -1 lists its cases", run.ID)
	case 1:
		return &found[0], nil
	}
	return nil, fault.New(fault.Usage, "the case %q has %d answers in the run %s", id, len(found), run.ID).WithHint("say which: %s", strings.Join(where, ", or "))
}

// goldenOf is the answer as a golden value: parsed where the contract says so.
func goldenOf(ctx context.Context, s *store.Store, r *eval.Result) (any, error) {
	if r.Valid == eval.Violated {
		return nil, fault.New(fault.Usage, "the answer to %s breaks the prompt's contract: %s", r.Case, r.Reason()).
			WithHint("only a valid answer can be golden")
	}
	if len(r.ToolCalls) > 0 {
		return nil, fault.New(fault.Usage, "the answer to %s calls %s, and a golden answer cannot", r.Case, r.ToolCalls[0].Name).
			WithHint("expect the call: tool_called, tool_sequence (llmx help checks)")
	}
	if r.Valid == eval.NoContract {
		return r.Answer, nil
	}
	under := eval.Contract{Output: llm.Output{Kind: llm.OutputJSON}} // for want of the call's own contract
	if call, err := s.Call(ctx, r.CallID); err == nil && call.Turn() != nil {
		under.Output = call.Turn().Output
	}
	if under.Output.IsText() {
		return r.Answer, nil
	}
	reading := newAnswerReader()(eval.Said{Answer: r.Answer, Finish: r.Finish}, under)
	if reading.Broken != "" {
		return nil, fault.New(fault.Usage, "the answer to %s cannot be golden: %s", r.Case, reading.Broken)
	}
	return reading.Value, nil
}
