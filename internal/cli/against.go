package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/store"
)

// openPast reads the project at the commit of --against; nil without one.
func (o *testOptions) openPast(ctx context.Context, p *project) (*past, error) {
	return p.pastOf(ctx, o.against, o.named)
}

// pastOf is the project at a commit, called as people did who named it before; "" for as
// it is named now. Nil for no commit.
func (p *project) pastOf(ctx context.Context, ref, named string) (*past, error) {
	if ref == "" {
		return nil, nil
	}
	g, err := p.openGit(ctx)
	if err != nil {
		return nil, err
	}
	at, err := g.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	at.ref = cmp.Or(named, at.ref)
	return p.openPast(ctx, g, at)
}

// afresh is the mode of a run that compares: a kept answer on one side would compare
// then with now. Replay alone gives what was recorded, on both.
func (o *testOptions) afresh(mode replay.Mode) replay.Mode {
	if mode == replay.Replay {
		return mode
	}
	o.replies.fresh = true
	if mode == replay.Auto {
		return replay.Live
	}
	return mode
}

// priced refuses a limit in dollars on a model whose price nobody knows.
func (p *plan) priced(now *project, limit *llm.Money) error {
	if err := now.priced(limit, p.models()); err != nil || p.past == nil {
		return err
	}
	if err := p.past.priced(limit, modelsOf(p.armsOf(p.past.project))); err != nil {
		return p.past.at(err)
	}
	return nil
}

// compareArms makes the tallies that judge the groups of now by what was asked beside
// them. Both arms are read from the store: neither has to be held whole.
func (t *testRun) compareArms(ctx context.Context) error {
	if err := t.store.Flush(ctx); err != nil {
		return err
	}
	read := planner{project: t.project, read: newAnswerReader(), confirms: t.options.confirm > 0}
	for i := range t.plan.tallies {
		settings, err := read.settings(t.plan.suiteOf(t.plan.groups[i].Group), t.plan.groups[i].Model)
		if err != nil {
			return err
		}
		if beside := t.plan.groups[i].Beside; beside > 0 {
			if err := t.putAgainst(ctx, i, beside, &settings); err != nil {
				return err
			}
		}
		t.plan.tallies[i] = verdict.NewTally(t.plan.groups[i].Group, settings)
		if err := t.tallyStored(ctx, i, i, t.plan.tallies[i]); err != nil {
			return err
		}
	}
	return nil
}

// putAgainst makes what was asked beside a group its baseline, and says how far that is
// from the one that was accepted.
func (t *testRun) putAgainst(ctx context.Context, group, beside int, settings *verdict.Settings) error {
	asked := t.plan.groups[beside].Group
	c := &eval.Comparison{Ref: t.plan.past.commit.String(), Commit: t.plan.past.commit.hash}
	then := verdict.Settings{
		Gates: settings.Gates, MaxErrors: settings.MaxErrors, Clusters: settings.Clusters,
		Contract: contractOf(t.plan.arms[beside].prompt), Read: settings.Read,
	}
	then.Baseline, c.Since, c.Unknown = t.sameTreatment(settings.Baseline, asked)
	tally := verdict.NewTally(asked, then)
	if err := t.tallyStored(ctx, group, beside, tally); err != nil {
		return err
	}
	if c.Unknown == "" {
		if c.Model = tally.Drift(); c.Model == nil {
			c.Unknown = tally.NoDrift("both there and in the baseline")
		}
	}
	c.MissingErrors, c.MissingUnjudged = tally.Missing()
	c.MissingWhy = tally.FirstError()
	c.Asked, t.beside = tally.Counts(), t.beside.Plus(tally.Beside())
	results := t.store.Results(ctx, t.run.ID, resultsOfGroup(asked, ""))
	var err error
	settings.Baseline, err = baseline.Beside(results, asked, t.plan.groups[group].Model, t.run)
	settings.Against = c
	return err
}

// sameTreatment gives the accepted baseline where it was made as the arm was asked, and
// its date; else why it says nothing of whether the model has moved.
func (t *testRun) sameTreatment(accepted *eval.Baseline, asked eval.Group) (b *eval.Baseline, since, unknown string) {
	if accepted == nil {
		return nil, "", "there is no baseline of before"
	}
	header := baseline.HeaderOf(accepted, asked.Model)
	switch {
	case header == nil:
		return nil, "", "the baseline has nothing of the model " + asked.Model
	case header.Treatment != asked.Treatment && header.Prompt.Hash != asked.Prompt.Hash:
		return nil, header.Date, fmt.Sprintf("the baseline of %s was made by another prompt than that at %s", header.Date, t.plan.past.commit)
	case header.Treatment != asked.Treatment:
		return nil, header.Date, fmt.Sprintf("the baseline of %s was made by another model than %s at %s", header.Date, asked.Model, t.plan.past.commit)
	case t.mode == replay.Replay:
		return nil, header.Date, "replies that were recorded say nothing of the model of now"
	}
	return accepted, header.Date, ""
}

// resultsOfGroup selects what the store has of a group, of one case or of all for "".
func resultsOfGroup(g eval.Group, id string) store.ResultFilter {
	f := store.ResultFilter{Arm: g.Arm, Suite: g.Suite, Model: g.Model, Case: id}
	if g.ByPrompt {
		f.Prompt = g.Prompt.String()
	}
	return f
}

// tallyStored counts what the store has of an arm, case by case.
func (t *testRun) tallyStored(ctx context.Context, group, arm int, tally *verdict.Tally) error {
	g := t.plan.groups[arm].Group
	of, err := t.store.ByCase(ctx, t.run.ID, resultsOfGroup(g, ""))
	if err != nil {
		return err
	}
	for c, err := range t.plan.groups[group].Cases {
		if err != nil {
			return err
		}
		for r, err := range of(c.ID) {
			if err != nil {
				return err
			}
			tally.Add(&c, &r)
		}
	}
	return nil
}

// tellAgainst says of a verdict what it is against, and what was not asked.
func (t *testRun) tellAgainst(v *eval.Verdict) {
	if t.plan.past == nil {
		return
	}
	v.Against, v.Unchanged = t.plan.past.commit.String(), t.plan.unchanged
	if t.beside.Planned > 0 {
		v.Beside = &t.beside
	}
}
