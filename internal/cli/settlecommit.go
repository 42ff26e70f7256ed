package cli

import (
	"context"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
)

// tellCommits names the commit that has the prompt and the models of a baseline, where an
// open gate wants more repeats of both and no release can be asked again: --against asks
// them beside those of now. Where none has them there is no such command, and nothing fails.
func (t *testRun) tellCommits(ctx context.Context, v *eval.Verdict) {
	found := &baselines{project: t.project}
	defer found.close()
	for i := range v.Groups {
		g := &v.Groups[i]
		if g.Against != nil || g.BaselinePrompt != "" || g.SameTreatment || !wantsBoth(g) {
			continue
		}
		one := t.plan.suiteOf(g.Group)
		if one == nil {
			continue
		}
		accepted, err := baseline.Read(t.project.fs, baseline.Path(one.File))
		if err != nil || accepted == nil {
			continue
		}
		header := baseline.HeaderOf(accepted, g.Model)
		if header == nil {
			continue
		}
		if a, _, err := found.find(ctx, one, header); err == nil && a != nil {
			g.BaselineCommit = found.commitOf(a)
		}
	}
}

// wantsBoth reports a gate that more repeats settle, if the baseline has them, too.
func wantsBoth(g *eval.GroupVerdict) bool {
	for i := range g.Gates {
		if s := g.Gates[i].Settle; s != nil && s.Both && s.Repeats != nil {
			return true
		}
	}
	return false
}

// commitOf is the commit whose files an arm is asked by, "" for none.
func (b *baselines) commitOf(a *arm) string {
	for _, one := range b.opened {
		if one.project == a.project {
			return one.commit.short
		}
	}
	return ""
}
