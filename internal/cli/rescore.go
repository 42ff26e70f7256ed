package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/store"
)

func newRescore(w *World) *cobra.Command {
	o := &testOptions{missing: "error"}
	cmd := &cobra.Command{
		Use:   "rescore [RUN]",
		Short: "Run the checks again over stored answers, without a call",
		Long: `Run the suites' checks as they are now over the answers of a run (default: the last
complete test). The result is a new run with a verdict of its own.`,
		Example: "  llmx rescore\n  llmx rescore 20261122-0215",
		Args:    takes(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd.Context(), w, changes, func(ctx context.Context, p *project, s *store.Store) error {
				id, err := latestTest(ctx, s, firstArg(args, ""))
				if err != nil {
					return err
				}
				return runRescore(ctx, p, s, id, o)
			})
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print the run as JSON")
	cmd.Flags().StringArrayVar(&o.reports, "report", nil, "write a report, `KIND=FILE`: json, junit or markdown (repeatable)")
	return cmd
}

func runRescore(ctx context.Context, p *project, s *store.Store, id string, o *testOptions) error {
	reports, err := parseReports(p.world, o.reports)
	if err == nil {
		err = p.refuseOver(reports)
	}
	if err != nil {
		return err
	}
	old, err := s.Run(ctx, id)
	if err != nil {
		return err
	}
	if old.State != eval.Complete {
		return fault.New(fault.Usage, "the run %s is not complete", old.ID).WithHint("llmx runs lists those that are")
	}
	now := p.world.Now()
	t := &testRun{project: p, options: o, reports: reports, store: s, filtered: old.Filtered, plan: &plan{}}
	t.run = eval.Run{
		ID: newRunID(now), Started: now, State: eval.Running, Command: "llmx rescore " + old.ID, Replies: "stored",
		Version: Version(), Filtered: old.Filtered, Groups: old.Groups, Spent: llm.KnownCost(0),
	}
	t.run.Selection = old.Selection
	t.run.Selection.Against, t.run.Selection.Commit, t.run.Selection.Confirm, t.run.Selection.Drift = "", "", 0, false
	if against := old.Selection.Against; against != "" {
		t.run.Warnings = append(t.run.Warnings, "the run was compared with "+against+"; its answers are compared with the baseline now")
	}
	if old.Selection.Drift {
		t.run.Warnings = append(t.run.Warnings, "the run asked whether the models have moved; its answers are put to the suites' gates now")
	}
	if old.Verdict != nil && old.Verdict.Confirming != nil {
		t.run.Warnings = append(t.run.Warnings, "what flipped was asked anew in that run, and decided; its first answers alone are judged now")
	}
	again := rescorer{run: t, old: old, read: newAnswerReader()}
	if err := again.prepare(ctx); err != nil {
		return err
	}
	if err := s.BeginRun(ctx, t.run); err != nil {
		return err
	}
	return t.finish(ctx, again.judge(ctx))
}

// rescorer puts a run's answers to the checks of today.
type rescorer struct {
	run    *testRun
	old    eval.Run
	suites map[suiteAsked]*loaded
	read   eval.Read
	pick   pick // of the cases that the run has
	scored int
}

// suiteAsked is a suite with the prompt that it was run with.
type suiteAsked struct{ suite, prompt string }

func askedOf(g eval.Group) suiteAsked { return suiteAsked{g.Suite, g.Prompt.String()} }

// prepare loads the suites of the run, each with the prompt it was run with.
func (r *rescorer) prepare(ctx context.Context) error {
	r.suites = map[suiteAsked]*loaded{}
	p := r.run.project
	var problems fault.List
	for _, group := range r.old.Groups {
		if r.suites[askedOf(group)] == nil {
			found, err := p.loadSuites(selection{names: []string{group.Suite}, prompts: []string{group.Prompt.String()}})
			if err != nil {
				problems.Add(err)
				continue
			}
			r.suites[askedOf(group)] = found[0]
			if found[0].prompt.Hash != group.Prompt.Hash {
				r.run.run.Warnings = append(r.run.run.Warnings,
					group.Prompt.String()+" has changed since that run: its answers are judged under the contract of today")
			}
			r.run.plan.suites = append(r.run.plan.suites, found[0])
			problems.Add(rescorable(found[0]))
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if err := r.choose(ctx); err != nil {
		return err
	}
	planned, err := planner{project: p, pick: r.pick, repeats: r.old.Selection.Repeats, read: r.read}.tallies(ctx, r.old.Groups, r.suites)
	if err != nil {
		return err
	}
	r.run.plan.tallies = planned
	for _, group := range r.old.Groups {
		r.run.plan.planned += group.Planned
		r.run.plan.groups = append(r.run.plan.groups, runner.Group{Group: group})
	}
	return r.run.plan.putSideBySide(p, r.old.Selection.Reference)
}

// choose finds the cases of a run that had not all of its suites: what others ask or
// share must not count.
func (r *rescorer) choose(ctx context.Context) error {
	if !r.old.Filtered {
		return nil
	}
	found := &earlier{cases: map[string]map[string]bool{}}
	for result, err := range r.run.store.Results(ctx, r.old.ID, store.ResultFilter{}) {
		if err != nil {
			return err
		}
		found.add(result.Suite, result.Case)
	}
	r.pick.only = found
	return nil
}

// rescorable refuses a suite with checks that may score otherwise another time: before
// the run is begun.
func rescorable(one *loaded) error {
	for c, err := range one.Cases() {
		if err != nil {
			return err
		}
		for check := range c.AllChecks() {
			if !check.Deterministic() {
				return fault.New(fault.Invalid, "the check %s of case %s of suite %s asks a model, or says that it may score otherwise another time: it is not run again", check.Name(), c.ID, one.Name).
					WithHint("run the suite again: llmx test %s; recorded replies cost nothing", one.Name)
			}
		}
	}
	return nil
}

// judge streams every suite's cases beside the results of its groups. Results are
// looked up by case, so that neither has to be held whole.
func (r *rescorer) judge(ctx context.Context) error {
	for index, group := range r.old.Groups {
		one := r.suites[askedOf(group)]
		for c, err := range r.pick.in(one.Name).from(one.Cases(), r.old.Selection.Repeats) {
			if err != nil {
				return err
			}
			if err := r.rescoreCase(ctx, index, group, one.prompt, &c); err != nil {
				return err
			}
		}
	}
	return r.complete()
}

func (r *rescorer) rescoreCase(ctx context.Context, index int, group eval.Group, p *prompt.Prompt, c *eval.Case) error {
	for result, err := range r.run.store.Results(ctx, r.old.ID, resultsOfGroup(group, c.ID)) {
		if err != nil {
			return err
		}
		again, err := runner.Rescore(ctx, c, result, contractOf(p), r.read)
		if err != nil {
			return err
		}
		again.Run = r.run.run.ID
		r.run.plan.add(index, c, &again)
		r.scored++
		if err := r.run.store.AddResult(again); err != nil {
			return err
		}
	}
	return nil
}

// complete refuses a run whose cases are not all in the suites any more.
func (r *rescorer) complete() error {
	if r.scored == r.run.plan.planned {
		return nil
	}
	return fault.New(fault.Invalid, "%d of the run's %d results have no case in the suites any more", r.run.plan.planned-r.scored, r.run.plan.planned).
		WithHint("run the suites again: llmx test")
}

// tallies makes one for every group of a run that is judged again.
func (b planner) tallies(ctx context.Context, groups []eval.Group, suites map[suiteAsked]*loaded) ([]*verdict.Tally, error) {
	var made []*verdict.Tally
	for _, one := range suites {
		if _, err := b.survey(ctx, one); err != nil {
			return nil, err
		}
	}
	for _, group := range groups {
		tally, err := b.tally(group, suites[askedOf(group)])
		if err != nil {
			return nil, err
		}
		made = append(made, tally)
	}
	return made, nil
}
