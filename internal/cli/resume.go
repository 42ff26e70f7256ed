package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/store"
)

// newestCut is what --resume means without a run: the newest that has no end.
const newestCut = "newest"

// ownFlags decide what is asked: a run that goes on has its own.
var ownFlags = []string{"prompt", "model", "reference", "against", "confirm", "filter", "tag", "sample", "only", "of", "shard", "repeats", "missing", "replay", "record", "live", "fresh", "fresh-judges"}

// resume finds the run that is to go on, and takes its selection for what is asked;
// nil for a new run.
func (o *testOptions) resume(ctx context.Context, w *World) (*eval.Run, error) {
	if o.resumed == "" {
		return nil, nil
	}
	if o.dryRun {
		return nil, fault.New(fault.Usage, "--dry-run is of a new run, and --resume goes on with one").WithHint("leave one of them out")
	}
	for _, name := range ownFlags {
		if o.given(name) {
			return nil, fault.New(fault.Usage, "--%s stands beside --resume, and the run has its own", name).WithHint("leave it out, or start a new run")
		}
	}
	if len(o.names) == 1 && o.resumed == newestCut { // --resume RUN, as one writes other flags
		o.names, o.resumed = nil, o.names[0]
	}
	if len(o.names) > 0 {
		return nil, fault.New(fault.Usage, "a suite stands beside --resume, and the run has its own").WithHint("llmx test --resume RUN; llmx runs lists them")
	}
	p, err := openProject(w)
	if err != nil {
		return nil, err
	}
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return nil, err
	}
	old, err := cutRun(ctx, s, o.resumed)
	if err := joined(err, s.Close()); err != nil {
		return nil, err
	}
	mode := replay.Mode(old.Replies)
	o.names, o.prompts, o.models = old.Selection.Suites, promptWords(old.Selection.Prompt), old.Selection.Models
	o.reference = old.Selection.Reference
	o.filter, o.tags, o.repeats, o.missing = old.Selection.Filter, old.Selection.Tags, old.Selection.Repeats, cmp.Or(old.Selection.Missing, o.missing)
	o.confirm = old.Selection.Confirm
	o.against, o.named = old.Selection.Commit, old.Selection.Against // where the name points meanwhile does not matter
	o.sample, o.shard = old.Selection.Sample, old.Selection.Shard
	o.only, o.of, o.chosen = old.Selection.Only, old.Selection.Of, old.Selection.Chosen
	o.replies = repliesFlags{replay: mode == replay.Replay, record: mode == replay.Record, live: mode == replay.Live, fresh: old.Selection.Fresh, freshJudges: old.Selection.FreshJudges}
	return &old, nil
}

// cutRun is the run of that id, or the newest, that came to no end.
func cutRun(ctx context.Context, s *store.Store, id string) (eval.Run, error) {
	if id == newestCut {
		runs, err := s.Runs(ctx, 0)
		if err != nil {
			return eval.Run{}, err
		}
		i := slices.IndexFunc(runs, func(r eval.Run) bool { return r.State != eval.Complete && r.Replies != "stored" && !r.Selection.Drift })
		if i < 0 {
			return eval.Run{}, fault.New(fault.Usage, "no run was cut short: there is nothing to resume").WithHint("llmx test starts one")
		}
		id = runs[i].ID
	}
	run, err := s.Run(ctx, id)
	switch {
	case err != nil:
		return eval.Run{}, err
	case run.State == eval.Complete:
		return eval.Run{}, fault.New(fault.Usage, "run %s is complete: there is nothing to resume", run.ID).WithHint("llmx runs lists all; llmx test starts a new one")
	case run.Selection.Drift:
		return eval.Run{}, fault.New(fault.Usage, "run %s asked whether the models have moved: that is asked at one time", run.ID).WithHint("llmx drift asks anew")
	case run.Replies == "stored":
		return eval.Run{}, fault.New(fault.Usage, "run %s scored stored answers again: there is nothing to ask for", run.ID).WithHint("llmx rescore does it anew")
	}
	return run, nil
}

// asked is the selection, in the words of the command line.
func (o *testOptions) asked(p *plan) eval.Selection {
	selected := eval.Selection{
		Suites: o.names, Prompt: strings.Join(o.prompts, ","), Models: o.models, Reference: o.reference, Filter: o.filter, Tags: o.tags,
		Sample: o.sample, Shard: o.shard, Repeats: o.repeats, Missing: o.missing, Fresh: o.replies.fresh, FreshJudges: o.replies.freshJudges, Cases: p.hashes,
		Confirm: o.confirm, Only: o.only, Of: o.of, Chosen: o.chosen, Drift: o.drift, Calibration: o.itself,
	}
	if p.past != nil {
		selected.Against, selected.Commit = p.past.commit.ref, p.past.commit.hash
	}
	return selected
}

// goesOn makes the run the one of before, if nothing has changed since that decides an
// answer or the plan.
func (t *testRun) goesOn(ctx context.Context, old *eval.Run) error {
	if changes := changedGroups(old.Groups, t.run.Groups); len(changes) > 0 {
		return changedSince(old, strings.Join(changes, "; "))
	}
	for _, one := range t.plan.suites {
		if t.plan.hashes[one.Name] != old.Selection.Cases[one.Name] {
			return t.changedCase(ctx, old, one.Name)
		}
	}
	t.run.ID, t.run.Started, t.run.Command = old.ID, old.Started, old.Command
	return nil
}

func changedSince(old *eval.Run, what string) error {
	return fault.New(fault.Invalid, "run %s cannot go on: %s", old.ID, what).
		WithHint("undo the change and resume again, or start a new run: llmx test")
}

// changedGroups says in which ways two plans differ.
func changedGroups(before, now []eval.Group) (changes []string) {
	for _, g := range now {
		if !slices.ContainsFunc(before, g.Same) {
			changes = append(changes, g.Name()+" is new")
		}
	}
	for _, b := range before {
		i := slices.IndexFunc(now, b.Same)
		switch {
		case i < 0:
			changes = append(changes, b.Name()+" is no more")
		case now[i].Prompt != b.Prompt:
			changes = append(changes, fmt.Sprintf("the prompt %s of the suite %s has changed", b.Prompt, b.Suite))
		case now[i].Treatment != b.Treatment:
			changes = append(changes, fmt.Sprintf("the model or route %s stands for something else", b.Model))
		case now[i].Planned != b.Planned:
			changes = append(changes, fmt.Sprintf("%s had %d results planned, and now has %d", b.Name(), b.Planned, now[i].Planned))
		}
	}
	return changes
}

// changedCase says what has changed of a suite's cases: one that has results by its name.
func (t *testRun) changedCase(ctx context.Context, old *eval.Run, suite string) error {
	for i := range t.plan.groups {
		if t.plan.groups[i].Suite != suite || t.plan.groups[i].Cases == nil {
			continue
		}
		kept := t.kept(old)
		for c, err := range t.plan.groups[i].Cases {
			if err == nil {
				_, err = kept(ctx, i, &c)
			}
			if err != nil {
				return err
			}
		}
	}
	return changedSince(old, "cases of the suite "+suite+" were changed, added or taken out that it had not come to")
}

// kept reads what a run has of a case, and refuses a case that has changed since. What
// was not judged is asked for again.
func (t *testRun) kept(old *eval.Run) func(ctx context.Context, group int, c *eval.Case) ([]eval.Result, error) {
	return func(ctx context.Context, group int, c *eval.Case) ([]eval.Result, error) {
		g := &t.plan.groups[group]
		var judged []eval.Result
		for r, err := range t.store.Results(ctx, old.ID, resultsOfGroup(g.Group, c.ID)) {
			switch {
			case err != nil:
				return nil, err
			case !r.Status.Judged():
				continue
			case r.InputHash != c.InputHash:
				return nil, changedSince(old, fmt.Sprintf("the input of case %s of suite %s has changed", c.ID, g.Suite))
			case r.CriteriaHash != c.CriteriaHash:
				return nil, changedSince(old, fmt.Sprintf("the golden answer or the checks of case %s of suite %s have changed", c.ID, g.Suite))
			}
			judged = append(judged, r)
		}
		return judged, nil
	}
}

// spentInAll is what was paid for every call of the run: also for those of cases that
// were under way when it was cut short, and whose replies came from recordings later.
func (t *testRun) spentInAll(ctx context.Context) (llm.Cost, error) {
	if err := t.store.Flush(ctx); err != nil {
		return llm.Cost{}, err
	}
	spends, _, err := t.store.Spends(ctx, store.SpendFilter{By: store.ByRun, Since: t.run.Started})
	if err != nil {
		return llm.Cost{}, err
	}
	for _, spend := range spends {
		if spend.Name == t.run.ID {
			return llm.Cost{Amount: spend.Paid, Known: spend.PaidUnknown == 0}, nil
		}
	}
	return llm.KnownCost(0), nil
}
