package cli

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// testRun is one execution of llmx test, after everything was found valid.
type testRun struct {
	project  *project
	options  *testOptions
	mode     replay.Mode
	plan     *plan
	reports  []reportFile
	filtered bool
	shard    shard
	jobs     int
	limit    *llm.Money                                           // of --max-cost
	old      *eval.Run                                            // the one that goes on; nil for a new one
	sum      func([]*verdict.Tally, verdict.Options) eval.Verdict // nil: by the gates

	store    *store.Store
	book     *budget.Book
	servers  *servers
	files    map[string]*replay.Recordings // by suite
	beside   eval.Beside                   // what was asked at the commit of --against
	again    eval.Beside                   // what was asked to confirm flips, in both arms
	alerts   alerts
	troubles troubles
	run      eval.Run
}

func (t *testRun) execute(ctx context.Context) error {
	servers := newServers(t.project, t.jobs)
	defer servers.close()
	if err := t.checkKeys(servers); err != nil {
		return err
	}
	files, err := t.openRecordings()
	if err != nil {
		return err
	}
	if t.store, err = t.project.openStore(ctx, adds); err != nil {
		return joined(err, closeAll(files))
	}
	if t.book, err = t.project.openBook(t.store, t.limit, &t.alerts); err == nil {
		err = t.record(ctx, servers, files)
		err = joined(err, closeBook(t.book)) // once more, for a run that did not come to its end
	}
	if lost := closeAll(files); lost != nil { // whatever the verdict: what was paid for is gone
		err = lost
	}
	if closeErr := t.store.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (t *testRun) openRecordings() (map[string]*replay.Recordings, error) {
	files := map[string]*replay.Recordings{}
	if t.mode == replay.Live {
		return files, nil
	}
	var problems fault.List
	for _, one := range t.plan.suites {
		if files[one.Name] != nil {
			continue // it is asked with another prompt, too
		}
		file, err := t.project.openRecordings(one.Name)
		if err != nil {
			problems.Add(err)
			continue
		}
		files[one.Name] = file
		t.run.Warnings = append(t.run.Warnings, file.Warnings()...)
	}
	if err := problems.Err(); err != nil {
		return nil, joined(err, closeAll(files))
	}
	return files, nil
}

func closeAll(files map[string]*replay.Recordings) error {
	var problems fault.List
	for _, file := range files {
		problems.Add(file.Close())
	}
	return problems.Err()
}

// record runs the plan with a store: begin, judge, end, report.
func (t *testRun) record(ctx context.Context, s *servers, files map[string]*replay.Recordings) error {
	model, err := t.engine(t.project, s, files, t.plan.prompts(), t.plan.models())
	if err != nil {
		return err
	}
	if err := t.askArms(s, files); err != nil {
		return err
	}
	now := t.project.world.Now()
	t.servers, t.files = s, files
	t.run = eval.Run{
		ID: newRunID(now), Started: now, State: eval.Running, Command: t.options.command,
		Replies: string(t.mode), Version: Version(), Filtered: t.filtered || t.shard.of > 1, Groups: t.plan.evalGroups(), Warnings: t.run.Warnings,
		Selection: t.options.asked(t.plan),
	}
	if t.options.only != "" {
		t.run.Warnings = append(t.run.Warnings, "the cases were chosen by how they came out before: some come out otherwise by chance alone, and the figures are not the suite's; llmx test asks all of it")
	}
	if t.old != nil {
		if err := t.goesOn(ctx, t.old); err != nil {
			return err
		}
	}
	lock, err := t.project.holdRun(t.run.ID)
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, one := range t.plan.suites {
		for _, warning := range one.prompt.Warnings {
			t.run.Warnings = append(t.run.Warnings, warning.Error())
		}
	}
	if err := t.savePrompts(t.plan.prompts()); err != nil {
		return err
	}
	if err := t.savePrompts(promptsOf(t.plan.arms)); err != nil {
		return err
	}
	if err := t.store.BeginRun(ctx, t.run); err != nil {
		return err
	}
	// Until the end is written Ctrl-C is ours: it ends the asking, not the writing.
	asking, stop, release := t.project.world.interruptible(ctx)
	defer release()
	return t.finish(ctx, t.judge(asking, stop, model))
}

// engine is the runtime over the models of a project, that of now or that at a commit.
func (t *testRun) engine(p *project, s *servers, files map[string]*replay.Recordings, prompts map[llm.PromptRef]*prompt.Prompt, models []string) (llm.Model, error) {
	return p.newEngine(engineParts{
		store: t.store, book: t.book, servers: s, prompts: prompts, models: models,
		wrap:   s.recorded(recordingMode{mode: t.mode, fresh: t.options.replies.fresh, files: files}),
		cached: t.mode == replay.Live, jobs: t.jobs, troubles: &t.troubles,
	})
}

// savePrompts keeps what was asked.
func (t *testRun) savePrompts(prompts map[llm.PromptRef]*prompt.Prompt) error {
	for _, ref := range refsOf(prompts) {
		if err := t.store.SavePrompt(ref, prompts[ref].Flat()); err != nil {
			return err
		}
	}
	return nil
}

// judge carries the cases through the engine until they are done or stop is closed.
func (t *testRun) judge(ctx context.Context, stop <-chan struct{}, model llm.Model) error {
	watch := newWatch(t.project.world, t.plan.planned)
	plan := runner.Plan{Run: t.run.ID, Groups: t.plan.groups, Jobs: t.jobs, Stop: stop, Reuse: t.options.replies.reuse(), Judges: t.options.replies.judging(t.mode)}
	see := func(group int, c *eval.Case, r *eval.Result) error {
		t.plan.add(group, c, r)
		watch.see(r)
		return t.tellAlerts(watch)
	}
	if t.old != nil {
		plan.Kept, plan.KeptSink, plan.Round = t.kept(t.old), see, t.run.Selection.Resumed
	}
	err := runner.Run(ctx, plan, model, func(group int, c *eval.Case, r *eval.Result) error {
		if err := see(group, c, r); err != nil {
			return err
		}
		return t.store.AddResult(*r)
	})
	if err == nil && t.plan.past != nil {
		err = t.compareArms(ctx)
	}
	if err == nil && t.options.confirm > 0 {
		err = t.confirm(ctx, stop, watch)
	}
	t.run.Spent = watch.spent
	if t.old != nil && err == nil {
		t.run.Spent, err = t.spentInAll(ctx)
	}
	t.run.Warnings = append(t.run.Warnings, t.troubles.notes()...)
	watch.clear()
	if settled := closeBook(t.book); err == nil {
		err = settled
	}
	return joined(err, t.tellAlerts(watch))
}

// tellAlerts says at once which budgets are nearly spent, and keeps it with the run.
func (t *testRun) tellAlerts(watch *watch) error {
	told := t.alerts.take()
	if len(told) == 0 {
		return nil
	}
	watch.clear()
	t.run.Warnings = append(t.run.Warnings, told...)
	return report.Warnings(t.project.world.Stderr, told, t.project.world.errorStyle())
}

// finish writes the end of the run, then the reports.
func (t *testRun) finish(ctx context.Context, failure error) error {
	t.run.Ended = t.project.world.Now()
	if failure != nil {
		return t.abandon(ctx, failure)
	}
	sum := verdict.Judge
	if t.sum != nil {
		sum = t.sum
	}
	judged := sum(t.plan.tallies, verdict.Options{Filtered: t.filtered || t.shard.of > 1, MissingNeutral: t.options.missing == "neutral"})
	t.shard.partly(&judged, t.wasJudged)
	t.tellAgainst(&judged)
	t.tellSideBySide(&judged)
	t.tellCommits(ctx, &judged)
	if t.again.Planned > 0 {
		judged.Confirming = &t.again
	}
	t.run.State, t.run.Verdict, t.run.Word, t.run.Exit = eval.Complete, &judged, judged.Word, judged.Exit
	for i := range judged.Groups {
		t.run.Groups[i] = judged.Groups[i].Group
	}
	if err := t.store.EndRun(ctx, t.run); err != nil {
		return err
	}
	if err := t.writeReports(ctx); err != nil {
		return err
	}
	if keep := t.project.config.Store.Keep; keep > 0 {
		if _, err := t.store.PruneCalls(ctx, t.run.Ended.Add(-keep)); err != nil {
			return err
		}
		if _, _, err := t.store.PruneRuns(ctx, 1, t.run.Ended.Add(-keep)); err != nil {
			return err
		}
	}
	if judged.Exit != fault.ExitOK {
		return exitCode(judged.Exit)
	}
	return nil
}

// wasJudged reports a group of which no more is missing than the run may lack, nor of what
// was asked beside it.
func (t *testRun) wasJudged(g *eval.GroupVerdict) bool {
	one := t.plan.suiteOf(g.Group)
	at := slices.IndexFunc(t.plan.groups, func(one runner.Group) bool { return one.Group.Same(g.Group) })
	if one == nil || at < 0 {
		return false
	}
	may := func(errors, unjudged int) bool {
		return errors <= one.MaxErrors && (unjudged == 0 || t.options.missing == "neutral")
	}
	beside := g.Against == nil || may(g.Against.MissingErrors, g.Against.MissingUnjudged)
	return g.Settled() && may(t.plan.tallies[at].Missing()) && beside
}

// abandon keeps what was finished, says so, and gives the reason back.
func (t *testRun) abandon(ctx context.Context, failure error) error {
	t.run.State, t.run.Failure = eval.Interrupted, llm.FailureOf(failure)
	t.run.Exit = fault.ClassOf(failure).ExitCode()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch err := t.store.EndRun(ctx, t.run); {
	case fault.ClassOf(failure) == fault.Store:
		return failure // the store that failed cannot say more
	case err != nil:
		return errors.Join(failure, err)
	}
	if fault.ClassOf(failure) == fault.Canceled {
		n, err := t.store.ResultCount(ctx, t.run.ID, store.ResultFilter{})
		if err == nil && t.plan.past != nil {
			var beside int
			beside, err = t.store.ResultCount(ctx, t.run.ID, store.ResultFilter{Arm: eval.Against})
			n += beside
		}
		if err != nil {
			return err
		}
		stopped := fault.New(fault.Canceled, "interrupted: %d of %d results are stored as run %s", n, t.plan.planned, t.run.ID)
		if t.options.drift {
			return stopped.WithHint("whether a model has moved is asked at one time: llmx drift asks anew; see what there is with llmx runs show %s", t.run.ID)
		}
		if t.options.itself {
			return stopped.WithHint("go on with llmx calibrate %s --resume %s", t.plan.suites[0].Name, t.run.ID)
		}
		return stopped.
			WithHint("go on with llmx test --resume %s; see what there is with llmx runs show %[1]s", t.run.ID)
	}
	return failure
}

func (t *testRun) writeReports(ctx context.Context) error {
	return t.report(t.store.Results(ctx, t.run.ID, store.ResultFilter{}))
}

func (t *testRun) report(results iter.Seq2[eval.Result, error]) error {
	for _, file := range t.reports {
		if err := file.write(t.project.world, t.run, results); err != nil {
			return err
		}
	}
	if t.options.json {
		return report.JSON(t.project.world.Stdout, t.run)
	}
	return report.Terminal(t.project.world.Stdout, t.run, t.project.world.outputStyle())
}
