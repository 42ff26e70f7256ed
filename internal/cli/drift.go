package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

func newDrift(w *World) *cobra.Command {
	o := &testOptions{drift: true, missing: "error", replies: repliesFlags{live: true, fresh: true}}
	cmd := &cobra.Command{
		Use:   "drift [SUITE…]",
		Short: "Has the model moved since the baseline? For nights",
		Long: `Ask every suite's baseline afresh: the prompt that it was made with, of the models that
it was made with, whatever the files say now. Where the answers differ by more than chance,
the model has moved, and not you.

The prompt is that of prompts/ where it is still there, else of git, as the baseline's file
was committed, else of the store. A release that was edited is named without any call.

  0  no drift shown: steady, or inconclusive where a drop of the suite's max_drop could
     not have been seen, which the verdict says with the drop that could
  1  a model has moved, in either direction
  4  it could not be judged: a key that is missing, a prompt that is not to be had`,
		Example:           "  llmx drift\n  llmx drift triage --repeats 3 --max-cost 2\n  llmx drift --model small\n  llmx drift --json | jq '.groups[].model_drift'",
		ValidArgsFunction: completeSuites(w),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			o.command, o.changed = commandLine(cmd, args), cmd.Flags().Changed
			return runDriftOf(cmd.Context(), w, o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.models, "model", nil, "only these models or routes of the baselines (repeatable)")
	flags.StringVar(&o.filter, "filter", "", "only cases whose id matches the `REGEX`")
	flags.StringSliceVar(&o.tags, "tag", nil, "only cases with one of these tags")
	flags.IntVar(&o.sample, "sample", 0, "only so many cases of each suite, the same ones every time, of each set of tags its share")
	flags.IntVar(&o.repeats, "repeats", 0, "ask every case so often (default: as the suite says)")
	flags.IntVar(&o.jobs, "jobs", 0, "cases under way at once (default: test.jobs of llmx.yaml)")
	flags.StringVar(&o.maxCost, "max-cost", "", "stop asking before more than so many `USD` are spent (exit 4)")
	flags.StringArrayVar(&o.reports, "report", nil, "write a report, `KIND=FILE`: json, junit or markdown (repeatable)")
	flags.BoolVar(&o.json, "json", false, "print the run as JSON")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what it would ask, cost and take; no model is called, nothing is written")
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	return cmd
}

func runDriftOf(ctx context.Context, w *World, o *testOptions) error {
	chosen, reports, err := o.check(w)
	if err != nil {
		return err
	}
	p, err := openProjectBeside(w, reports)
	if err != nil {
		return err
	}
	limit, err := parseMaxCost(o.maxCost)
	if err != nil {
		return err
	}
	suites, err := p.loadSuites(selection{names: o.names}) // whatever models they ask now
	if err != nil {
		return err
	}
	suites, left, err := p.withBaselines(suites, len(o.names) > 0)
	if err != nil {
		return err
	}
	found := &baselines{project: p}
	d := drifting{planner{project: p, pick: chosen, repeats: o.repeats, read: newAnswerReader(), models: o.models}, found}
	planned, untold, err := d.plan(ctx, suites)
	found.close() // what is asked has been read
	if err != nil {
		return err
	}
	for _, asks := range planned.askers() {
		if err := asks.priced(limit, modelsOf(planned.armsOf(asks))); err != nil {
			return err
		}
	}
	run := &testRun{
		project: p, options: o, mode: replay.Live, plan: planned, limit: limit, reports: reports, filtered: chosen.active(),
		jobs: firstOf(o.jobs, p.config.Test.Jobs),
		sum: func(tallies []*verdict.Tally, options verdict.Options) eval.Verdict {
			v := verdict.JudgeDrift(tallies, options)
			if len(untold) > 0 && v.Exit == fault.ExitOK {
				v.Word, v.Exit, v.Sentence = eval.NotGated, fault.ExitUnjudged, "unjudged: "+untold[0]
			}
			return v
		},
	}
	run.run.Warnings = append(left, untold...)
	if o.dryRun {
		return newDryRun(run).execute(ctx)
	}
	return run.execute(ctx)
}

// withBaselines leaves out suites that have nothing to ask afresh, and says so; those that
// were named must have it.
func (p *project) withBaselines(suites []*loaded, named bool) (with []*loaded, left []string, err error) {
	var problems fault.List
	for _, one := range suites {
		accepted, err := baseline.Read(p.fs, baseline.Path(one.File))
		problems.Add(err)
		switch without := fmt.Sprintf("the suite %s has no baseline to ask afresh", one.Name); {
		case err != nil:
		case accepted != nil:
			with = append(with, one)
		case named:
			problems.Add(fault.New(fault.Unjudged, "%s", without).WithHint("llmx test, then llmx baseline accept"))
		default:
			left = append(left, without)
		}
	}
	if len(problems) == 0 && len(with) == 0 {
		return nil, nil, fault.New(fault.Unjudged, "no suite has a baseline to ask afresh").WithHint("llmx test, then llmx baseline accept")
	}
	return with, left, problems.Err()
}

// drifting plans to ask what baselines were made with.
type drifting struct {
	planner
	found *baselines
}

// plan makes a group of every model of every baseline. Those that cannot be asked as they
// were are told, and where that is all of them, refused.
func (d drifting) plan(ctx context.Context, suites []*loaded) (made *plan, untold []string, err error) {
	if err := d.knowModels(suites); err != nil {
		return nil, nil, err
	}
	made = &plan{hashes: map[string]string{}}
	var problems fault.List
	for _, one := range suites {
		why, err := d.add(ctx, made, one)
		problems.Add(err)
		untold = append(untold, why...)
	}
	if err := problems.Err(); err != nil {
		return nil, nil, err
	}
	switch {
	case len(made.groups) > 0:
		return made, untold, nil
	case len(untold) > 0:
		return nil, nil, fault.New(fault.Unjudged, "%s", untold[0]).WithHint("a baseline of now: llmx test, then llmx baseline accept; once its file is committed, the prompt is found in git")
	}
	return nil, nil, fault.New(fault.NoMatch, "no case is selected by %s", d.pick).WithHint("llmx lint counts the cases of every suite")
}

// knowModels refuses a model of --model that no baseline was made with.
func (d drifting) knowModels(suites []*loaded) error {
	var known []string
	for _, one := range suites {
		accepted, err := baseline.Read(d.project.fs, baseline.Path(one.File))
		if err != nil {
			return err
		}
		for i := range accepted.Headers {
			known = append(known, accepted.Headers[i].Model)
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	var problems fault.List
	for _, name := range d.models {
		if !slices.Contains(known, name) {
			problems.Add(fault.New(fault.Usage, "no baseline was made with a model or route %q", name).WithHint("%s", fault.Allowed(name, known)))
		}
	}
	return problems.Err()
}

func (d drifting) add(ctx context.Context, made *plan, one *loaded) (untold []string, err error) {
	accepted, err := baseline.Read(d.project.fs, baseline.Path(one.File))
	if err != nil {
		return nil, err
	}
	size, err := d.survey(ctx, one)
	if err != nil || size.cases == 0 {
		return nil, err
	}
	for i := range accepted.Headers {
		header := &accepted.Headers[i]
		if len(d.models) > 0 && !slices.Contains(d.models, header.Model) {
			continue
		}
		a, why, err := d.found.find(ctx, one, header)
		if err != nil {
			return nil, err
		}
		if a == nil {
			untold = append(untold, fmt.Sprintf("%s on %s: %s", one.Name, header.Model, why))
			continue
		}
		if err := d.fits(ctx, one, a); err != nil {
			return nil, err
		}
		settings, err := d.settings(one, header.Model)
		if err != nil {
			return nil, err
		}
		settings.Contract = contractOf(a.prompt)
		group := eval.Group{
			Suite: one.Name, Model: header.Model, Prompt: a.prompt.Ref(), Treatment: a.treatment, Planned: size.results, Cases: size.cases,
		}
		made.planned += size.results
		made.arms = append(made.arms, a)
		made.groups = append(made.groups, runner.Group{Group: group, Cases: d.pick.from(one.Cases(), d.repeats)})
		made.tallies = append(made.tallies, verdict.NewTally(group, settings))
		if made.hashes[one.Name] == "" {
			made.hashes[one.Name], made.suites = size.hash, append(made.suites, one)
		}
	}
	return untold, nil
}
