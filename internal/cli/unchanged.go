package cli

import (
	"context"
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// unchanged reports a run in which nothing is asked, as nothing differs that decides an
// answer. It is not stored, as there is nothing of it to read again, but where it is a
// part: who merges looks for one of every machine.
func (t *testRun) unchanged(ctx context.Context) error {
	return t.askedNobody(ctx, eval.Unchanged, fmt.Sprintf("unchanged: nothing that decides an answer differs from %s; no model was asked", t.plan.past.commit))
}

// emptyPart reports a part of a run that has no case, as there are more parts than cases.
func (t *testRun) emptyPart(ctx context.Context) error {
	return t.askedNobody(ctx, eval.NotGated, fmt.Sprintf("part %s of a run: it has no case; llmx runs merge judges all parts together", t.shard))
}

// askedNobody reports a run in which there is nothing to ask.
func (t *testRun) askedNobody(ctx context.Context, word eval.Word, sentence string) error {
	now := t.project.world.Now()
	v := eval.Verdict{Word: word, Exit: fault.ExitOK, Groups: []eval.GroupVerdict{}, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Sentence: sentence}
	t.tellAgainst(&v)
	t.run = eval.Run{
		Started: now, Ended: now, State: eval.Complete, Command: t.options.command, Replies: string(t.mode), Version: Version(),
		Verdict: &v, Word: v.Word, Exit: v.Exit, Spent: llm.KnownCost(0), Groups: []eval.Group{}, Selection: t.options.asked(t.plan),
	}
	if t.shard.of > 1 && !t.options.dryRun {
		if err := t.keepPart(ctx); err != nil {
			return err
		}
	}
	return t.report(func(yield func(eval.Result, error) bool) {})
}

// keepPart stores a part in which nothing was asked.
func (t *testRun) keepPart(ctx context.Context) error {
	s, err := t.project.openStore(ctx, adds)
	if err != nil {
		return err
	}
	t.run.ID, t.run.Filtered = newRunID(t.run.Started), true
	err = s.BeginRun(ctx, t.run)
	if err == nil {
		err = s.EndRun(ctx, t.run)
	}
	return joined(err, s.Close())
}
