package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// mayBeLost is the share of draws that a calibration does without. What a suite sees is
// measured in whole cases and points: a draw in twenty moves neither.
const mayBeLost = 0.05

// drawsOf reads a group's answers, without their texts. Those that were not judged are
// left out, and so is a case of which too few are left for two arms.
func (c *suiteCalibration) drawsOf(ctx context.Context, s *store.Store, run eval.Run, group eval.Group, cases map[string]*eval.Case) ([]verdict.Draws, *eval.LostDraws, error) {
	var read []verdict.Draws
	judged := 0
	lost := &eval.LostDraws{}
	for r, err := range s.Results(ctx, run.ID, store.ResultFilter{Suite: group.Suite, Model: group.Model}) {
		if err != nil {
			return nil, nil, err
		}
		one := cases[r.Case]
		if one == nil {
			continue
		}
		if !r.Status.Judged() {
			if lost.Why == "" {
				lost.Why = r.Reason()
			}
			continue
		}
		judged++
		if n := len(read); n == 0 || read[n-1].Case != one {
			read = append(read, verdict.Draws{Case: one})
		}
		// What a verdict does not look at is let go of.
		r.Answer, r.ToolCalls, r.Steps, r.Tags = "", nil, nil, nil
		last := &read[len(read)-1]
		last.Results = append(last.Results, &r)
	}
	planned := len(cases) * c.options.draws
	lost.Draws, lost.Cases = planned-judged, len(cases)
	for _, one := range cases {
		lost.Results += one.Repeats
	}
	var draws []verdict.Draws
	for _, one := range read {
		if len(one.Results) >= 2*one.Case.Repeats {
			draws = append(draws, one)
			lost.Cases, lost.Results = lost.Cases-1, lost.Results-one.Case.Repeats
		}
	}
	switch {
	case lost.Draws == 0:
		return draws, nil, nil
	case float64(lost.Draws) > mayBeLost*float64(planned) || len(draws) == 0:
		failure := fault.New(fault.Unjudged, "%d of %d draws of %s on %s were not judged: %s", lost.Draws, planned, group.Suite, group.Model, lost.Why)
		if run.Replies == string(replay.Replay) { // going on would find the same ones missing
			return nil, nil, failure.WithHint("at most %.0f %% of them may be left out; llmx calibrate %s --record asks for what is not recorded, and keeps it",
				100*mayBeLost, report.ShellWord(group.Suite))
		}
		return nil, nil, failure.
			WithHint("at most %.0f %% of them may be left out; llmx calibrate %s --resume %s asks for these again; llmx runs show %[3]s lists them",
				100*mayBeLost, report.ShellWord(group.Suite), run.ID)
	}
	return draws, lost, nil
}

// readOld reads the calibration that is there, and says what of it stays whatever is made.
func (c *suiteCalibration) readOld(planned *plan) error {
	c.file = baseline.CalibrationPath(c.suite.File)
	stderr := c.project.world.Stderr
	old, err := baseline.ReadCalibration(c.project.fs, c.file)
	if err != nil {
		_, err = fmt.Fprintf(stderr, "note: %s: %s; it is made anew, without what it had of other models\n", c.file, fault.As(err).Message)
		return err
	}
	c.old = old
	for i := range planned.groups {
		g := &planned.groups[i]
		one := old.Of(g.Model)
		if one == nil || c.options.replace || one.Draws <= c.options.draws || one.Treatment != g.Treatment || !one.MadeOf(c.suite.gated.cases, c.repeats.gated) {
			continue
		}
		c.stays = append(c.stays, g.Model)
		if _, err := fmt.Fprintf(stderr, "note: %s has the same of %s by %d draws a case, and keeps it: this one, of %d, takes its place with --replace\n", c.file, g.Model, one.Draws, c.options.draws); err != nil {
			return err
		}
	}
	return nil
}

// tell keeps the figures beside the baseline, but for those that stand there by more
// draws, and writes them.
func (c *suiteCalibration) tell(made []eval.Calibration) error {
	p := c.project
	kept := slices.DeleteFunc(slices.Clone(made), func(one eval.Calibration) bool { return slices.Contains(c.stays, one.Model) })
	if len(kept) > 0 {
		if err := baseline.WriteCalibration(p.root, c.file, c.old, c.suite.Name, kept); err != nil {
			return err
		}
	}
	if c.options.test.json {
		return report.SuiteCalibrationJSON(p.world.Stdout, c.suite.Name, made)
	}
	if err := report.SuiteCalibrationPage(p.world.Stdout, c.suite.Name, made, p.world.outputStyle()); err != nil {
		return err
	}
	if len(kept) == 0 {
		_, err := fmt.Fprintf(p.world.Stderr, "note: not kept: %s has more draws\n", c.file)
		return err
	}
	_, err := fmt.Fprintf(p.world.Stderr, "note: kept in %s: commit it, and every verdict says what the suite sees\n", c.file)
	return err
}
