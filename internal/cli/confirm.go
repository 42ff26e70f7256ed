package cli

import (
	"context"
	"iter"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// defaultConfirm is how often a case that flipped is asked anew where nobody says.
const defaultConfirm = 5

func (o *testOptions) wrongConfirm() error {
	if o.shard != "" {
		return fault.New(fault.Usage, "--shard and --confirm do not go together: what flipped is known once all parts are merged").
			WithHint("leave --confirm out; once they are merged, llmx test --only flipped asks anew what flipped")
	}
	return fault.New(fault.Usage, "--confirm %d is out of range", o.confirm).WithHint("allowed: 0 to %d", maxRepeats)
}

// settleConfirm decides whether flips are confirmed: recordings say the same again.
func (o *testOptions) settleConfirm(mode replay.Mode) error {
	switch {
	case o.confirm > 0 && mode != replay.Live && mode != replay.Record:
		return fault.New(fault.Usage, "--confirm asks anew, and replies come from recordings here").WithHint("say --live --confirm %d", o.confirm)
	case len(o.prompts) > 1: // which have one baseline between them
	case (o.against != "" && mode != replay.Replay || mode == replay.Live) && o.shard == "" && o.resumed == "" && !o.given("confirm"):
		o.confirm = defaultConfirm
	}
	return nil
}

// confirm asks the cases that flipped anew, as they are and as what they are compared
// with was, and lets their accuracy be tested by the new answers.
func (t *testRun) confirm(ctx context.Context, stop <-chan struct{}, watch *watch) error {
	again, of, err := t.planAnew(ctx)
	if err != nil {
		return err
	}
	if len(again.groups) == 0 {
		return nil
	}
	if err := t.askAnew(ctx, stop, again, watch); err != nil {
		return err
	}
	for n, i := range of {
		if err := t.confirmBy(ctx, again, 2*n, i); err != nil {
			return err
		}
	}
	return nil
}

// planAnew is what is to be asked anew, two groups for every one in which something
// flipped, and which these are.
func (t *testRun) planAnew(ctx context.Context) (again *plan, of []int, err error) {
	found := &baselines{project: t.project}
	defer found.close()
	again = &plan{suites: t.plan.suites, past: t.plan.past}
	for i := range t.plan.tallies {
		flipped := t.plan.tallies[i].Flipped()
		if len(flipped) == 0 {
			continue
		}
		a, why, err := t.comparedWith(ctx, found, i)
		if err == nil && a != nil {
			why, err = t.cannotAsk(ctx, a, onlyCases(t.plan.groups[i].Cases, flipped, 1))
		}
		if err != nil {
			return nil, nil, err
		}
		if why != "" {
			t.run.Warnings = append(t.run.Warnings, t.plan.groups[i].Name()+": what flipped was not confirmed: "+why)
			continue
		}
		again.groups, again.arms, of = append(again.groups, t.anew(i, flipped)), append(again.arms, nil), append(of, i)
		again.putAnewBeside(a)
	}
	return again, of, nil
}

// comparedWith is how what a group is compared with was asked: at the commit, or when its
// baseline was made. Nil where that is not to be had, and why.
func (t *testRun) comparedWith(ctx context.Context, found *baselines, group int) (a *arm, why string, err error) {
	g := &t.plan.groups[group]
	if g.Beside > 0 {
		return t.plan.arms[g.Beside], "", nil
	}
	one := t.plan.suiteOf(g.Group)
	accepted, err := baseline.Read(t.project.fs, baseline.Path(one.File))
	if err != nil {
		return nil, "", err
	}
	return found.find(ctx, one, baseline.HeaderOf(accepted, g.Model))
}

// cannotAsk says why the cases cannot be asked as they were: a run that has come so far
// does without.
func (t *testRun) cannotAsk(ctx context.Context, a *arm, cases iter.Seq2[eval.Case, error]) (why string, err error) {
	if err := t.servers.of(a.project).checkKeys([]string{a.model}); err != nil {
		return fault.As(err).Message, nil
	}
	_, err = measure(ctx, cases, a, 0)
	if err == nil || fault.ClassOf(err) == fault.Canceled {
		return "", err
	}
	return fault.As(err).Message, nil
}

// anew is the group with nothing but what flipped.
func (t *testRun) anew(group int, flipped map[string]bool) runner.Group {
	again := t.plan.groups[group]
	times := t.options.confirm
	again.Arm, again.Cases, again.FirstRepeat, again.Along = eval.Confirm, onlyCases(again.Cases, flipped, times), maxRepeats, nil
	again.Group.Cases, again.Planned = len(flipped), len(flipped)*times
	return again
}

// putAnewBeside adds the group that is asked beside the last one.
func (p *plan) putAnewBeside(a *arm) {
	last := &p.groups[len(p.groups)-1]
	beside := last.Group
	beside.Arm, beside.Model, beside.Prompt, beside.Treatment = eval.ConfirmAgainst, a.model, a.prompt.Ref(), a.treatment
	last.Beside = len(p.groups)
	p.groups, p.arms = append(p.groups, runner.Group{Group: beside}), append(p.arms, a)
	p.planned += 2 * beside.Planned
}

// onlyCases streams some of the cases, each to be asked so many times.
func onlyCases(cases iter.Seq2[eval.Case, error], ids map[string]bool, times int) iter.Seq2[eval.Case, error] {
	return func(yield func(eval.Case, error) bool) {
		for c, err := range cases {
			if err == nil && !ids[c.ID] {
				continue
			}
			c.Repeats = times
			if !yield(c, err) {
				return
			}
		}
	}
}

// over is the same run, over another plan, and past all recordings.
func (t *testRun) over(p *plan) *testRun {
	made := &testRun{project: t.project, options: t.options, mode: replay.Live, plan: p, jobs: t.jobs, store: t.store, book: t.book}
	made.run.ID = t.run.ID
	return made
}

// askAnew asks for repeats that no first answer has the number of, past all recordings.
// As of first answers the cache has a say unless --fresh is given: who runs the same
// again does not pay again.
func (t *testRun) askAnew(ctx context.Context, stop <-chan struct{}, again *plan, watch *watch) error {
	asking := t.over(again)
	model, err := asking.engine(t.project, t.servers, t.files, t.plan.prompts(), t.plan.models())
	if err != nil {
		return err
	}
	if err := asking.askArms(t.servers, t.files); err != nil {
		return err
	}
	if err := t.savePrompts(promptsOf(again.arms)); err != nil {
		return err
	}
	see := func(_ int, _ *eval.Case, r *eval.Result) error {
		watch.see(r)
		return t.tellAlerts(watch)
	}
	watch.planned += again.planned
	plan := runner.Plan{Run: t.run.ID, Groups: again.groups, Jobs: t.jobs, Stop: stop, Reuse: t.options.replies.reuse(), Judges: t.options.replies.judging(t.mode)}
	if t.old != nil {
		plan.Kept, plan.KeptSink = asking.kept(t.old), see
	}
	return runner.Run(ctx, plan, model, func(group int, c *eval.Case, r *eval.Result) error {
		if err := see(group, c, r); err != nil {
			return err
		}
		return t.store.AddResult(*r)
	})
}

// confirmBy judges the new answers of a group.
func (t *testRun) confirmBy(ctx context.Context, again *plan, at, group int) error {
	if err := t.store.Flush(ctx); err != nil {
		return err
	}
	asking := t.over(again)
	settings, err := planner{project: t.project, read: newAnswerReader()}.settings(again.suiteOf(again.groups[at].Group), again.groups[at].Model)
	if err != nil {
		return err
	}
	beside := again.groups[at+1].Group
	then := verdict.NewTally(beside, verdict.Settings{Gates: settings.Gates, MaxErrors: settings.MaxErrors, Contract: contractOf(again.arms[at+1].prompt), Read: settings.Read})
	if err := asking.tallyStored(ctx, at, at+1, then); err != nil {
		return err
	}
	results := t.store.Results(ctx, t.run.ID, resultsOfGroup(beside, ""))
	settings.Baseline, err = baseline.Beside(results, beside, again.groups[at].Model, t.run)
	if err != nil {
		return err
	}
	settings.Shares = true
	settings.Against = &eval.Comparison{Ref: "what it is compared with", Asked: then.Counts()}
	settings.Against.MissingErrors, settings.Against.MissingUnjudged = then.Missing()
	now := verdict.NewTally(again.groups[at].Group, settings)
	if err := asking.tallyStored(ctx, at, at, now); err != nil {
		return err
	}
	t.again = t.again.Plus(then.Beside()).Plus(now.Beside())
	t.plan.tallies[group].ConfirmBy(now, t.options.confirm)
	return nil
}
