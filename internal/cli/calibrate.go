package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

// suiteCalibrateOptions are the flags of llmx calibrate.
type suiteCalibrateOptions struct {
	test        testOptions
	prompt      string // over the suite's
	draws       int
	comparisons int
}

// Bounds of what one calibration asks and holds.
const (
	leastDraws     = 10
	maxDraws       = 100_000 // answers of all cases on one model
	maxComparisons = 100_000
	patienceFrom   = 500 // cases from which on the figures take a while
)

const suiteCalibrateHelp = `Judge a prompt against itself: how often would this suite cry wolf, and how small a drop
does it see?

Every case is asked many times (--draws), afresh. Then the answers are split at random into
a baseline and a candidate, each with the repeats that the suite has, and put to the suite's
own gates, a thousand times. Nothing has changed between the two: where max_drop or max_rise
fails it is a false alarm, and where min or max does, the prompt is not what the suite asks
for. What the suite sees is found by breaking more and more cases, until the gate calls it
regressed in four comparisons of five.

The figures are kept in suites/NAME.calibration.json, beside the baseline: in git, so that
every later verdict of the suite, on every machine, says how small a drop it sees.`

func newCalibrate(w *World) *cobra.Command {
	o := &suiteCalibrateOptions{}
	cmd := &cobra.Command{
		Use:   "calibrate SUITE",
		Short: "A prompt against itself: false alarms, noise, and the least drop that shows",
		Long:  suiteCalibrateHelp,
		Example: `  llmx calibrate triage --dry-run      what it would ask, cost and take
  llmx calibrate triage                10 answers a case, or twice the suite's repeats
  llmx calibrate triage --draws 30 --max-cost 2
  llmx calibrate triage --replay       from recorded replies: nobody is asked`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.test.names, o.test.itself, o.test.prompts = args, true, onePrompt(o.prompt)
			o.test.command, o.test.changed = commandLine(cmd, args), cmd.Flags().Changed
			return runSuiteCalibrate(cmd.Context(), w, o)
		},
		ValidArgsFunction: completeSuites(w),
	}
	flags := cmd.Flags()
	flags.IntVar(&o.draws, "draws", 0, "ask every case so often (default: twice the suite's repeats, at least 10)")
	flags.IntVar(&o.comparisons, "comparisons", 1000, "judge the prompt against itself so often; fewer where the suite is large")
	flags.StringVar(&o.prompt, "prompt", "", "calibrate with this `NAME[@VERSION]` in place of the suite's prompt")
	flags.StringSliceVar(&o.test.models, "model", nil, "ask these models or routes in place of the suite's (repeatable)")
	flags.BoolVar(&o.test.replies.replay, "replay", false, "only recorded replies: no key, no network")
	flags.BoolVar(&o.test.replies.record, "record", false, "ask for everything anew, and record it")
	flags.IntVar(&o.test.jobs, "jobs", 0, "cases under way at once (default: test.jobs of llmx.yaml)")
	flags.StringVar(&o.test.maxCost, "max-cost", "", "stop asking before more than so many `USD` are spent (exit 4)")
	flags.BoolVar(&o.test.json, "json", false, "print one JSON document")
	flags.BoolVar(&o.test.dryRun, "dry-run", false, "say what it would ask, cost and take; no model is called, nothing is written")
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	_ = cmd.RegisterFlagCompletionFunc("prompt", completePrompts(w))
	return cmd
}

// check refuses wrong flags, and settles what else a test would be asked.
func (o *suiteCalibrateOptions) check(w *World) (pick, error) {
	if o.draws < 2 && o.test.given("draws") || o.draws > maxRepeats {
		return pick{}, fault.New(fault.Usage, "--draws %d is out of range", o.draws).WithHint("allowed: 2 to %d; two are split into a baseline and a candidate", maxRepeats)
	}
	if o.comparisons < 1 || o.comparisons > maxComparisons {
		return pick{}, fault.New(fault.Usage, "--comparisons %d is out of range", o.comparisons).WithHint("allowed: 1 to %d", maxComparisons)
	}
	o.test.missing = "error"
	if !o.test.replies.replay {
		o.test.replies.live, o.test.replies.fresh = !o.test.replies.record, true
	}
	chosen, _, err := o.test.check(w)
	return chosen, err
}

func runSuiteCalibrate(ctx context.Context, w *World, o *suiteCalibrateOptions) error {
	chosen, err := o.check(w)
	if err != nil {
		return err
	}
	p, err := openProject(w)
	if err != nil {
		return err
	}
	mode, err := o.test.replies.mode(string(replay.Live))
	if err != nil {
		return err
	}
	limit, err := parseMaxCost(o.test.maxCost)
	if err != nil {
		return err
	}
	suites, err := p.loadSuites(o.test.selection)
	if err != nil {
		return err
	}
	repeats, err := repeatsOf(suites[0])
	if err != nil {
		return err
	}
	if o.draws, err = repeats.draws(o.draws, suites[0]); err != nil {
		return err
	}
	o.test.repeats = o.draws
	build := planner{project: p, pick: chosen, repeats: o.draws, read: newAnswerReader()}
	planned, err := build.plan(ctx, suites)
	if err != nil {
		return err
	}
	if err := p.priced(limit, planned.models()); err != nil {
		return err
	}
	// The run is one as any other, but for its report: what it would say is not asked.
	quiet := *w
	quiet.Stdout = io.Discard
	p.world = &quiet
	run := &testRun{project: p, options: &o.test, mode: mode, plan: planned, limit: limit, jobs: firstOf(o.test.jobs, p.config.Test.Jobs)}
	if o.test.dryRun {
		p.world = w
		return newDryRun(run).execute(ctx)
	}
	if err := run.execute(ctx); err != nil && !cameToEnd(err) {
		return err
	}
	p.world = w
	if err := report.Warnings(w.Stderr, run.run.Warnings, w.errorStyle()); err != nil {
		return err
	}
	c := &suiteCalibration{project: p, options: o, suite: suites[0], repeats: repeats, settings: build.gates(suites[0])}
	ctx, release := w.cancelable(ctx)
	defer release()
	return c.finish(ctx, run.run)
}

// cameToEnd reports whether a run came to its end: whatever its gates said, its answers
// are there. What is missing is found where they are read.
func cameToEnd(err error) bool {
	_, ok := errors.AsType[exitCode](err)
	return ok
}

// caseRepeats are the repeats that a test has: of most cases the suite's.
type caseRepeats struct {
	most  int
	cases int
	of    map[string]int // where a case has others
	suite int
}

func repeatsOf(one *loaded) (caseRepeats, error) {
	r := caseRepeats{of: map[string]int{}, suite: max(1, one.Repeats)}
	for c, err := range one.Cases() {
		if err != nil {
			return r, err
		}
		r.cases++
		n := max(1, c.Repeats)
		if n != r.suite {
			r.of[c.ID] = n
		}
		r.most = max(r.most, n)
	}
	return r, nil
}

func (r caseRepeats) ofCase(id string) int {
	if n, other := r.of[id]; other {
		return n
	}
	return r.suite
}

// draws settles how often a case is asked: enough for both arms.
func (r caseRepeats) draws(wanted int, one *loaded) (int, error) {
	if wanted == 0 {
		wanted = max(leastDraws, 2*r.most)
	}
	if wanted < 2*r.most {
		return 0, fault.New(fault.Usage, "--draws %d is too few: the suite %s asks a case %d times, and both arms need so many", wanted, one.Name, r.most).
			WithHint("--draws %d or more", 2*r.most)
	}
	if wanted > maxRepeats {
		return 0, fault.New(fault.Usage, "the suite %s asks a case %d times: two arms would need %d draws, at most %d are made", one.Name, r.most, wanted, maxRepeats)
	}
	if all := wanted * r.cases; all > maxDraws {
		return 0, fault.New(fault.Usage, "%d draws of %d cases are more than %d answers", wanted, r.cases, maxDraws).
			WithHint("--draws %d, or a smaller suite", max(2, maxDraws/max(1, r.cases)))
	}
	return wanted, nil
}

// suiteCalibration makes the figures of a run's answers.
type suiteCalibration struct {
	project  *project
	options  *suiteCalibrateOptions
	suite    *loaded
	repeats  caseRepeats
	settings verdict.Settings
}

func (c *suiteCalibration) finish(ctx context.Context, run eval.Run) error {
	s, err := c.project.openStore(ctx, reads)
	if err != nil {
		return err
	}
	defer s.Close()
	cases := map[string]*eval.Case{}
	for one, err := range c.suite.Cases() {
		if err != nil {
			return err
		}
		one.Repeats = c.repeats.ofCase(one.ID)
		if !one.Quarantined() {
			cases[one.ID] = &one
		}
	}
	if len(cases) == 0 {
		return fault.New(fault.Unjudged, "every case of the suite %s is in quarantine: nothing is gated", c.suite.Name)
	}
	if len(cases) >= patienceFrom {
		fmt.Fprintf(c.project.world.Stderr, "note: the answers are there; judging %d cases against themselves takes some seconds\n", len(cases))
	}
	var made []eval.Calibration
	for _, group := range run.Groups {
		draws, err := c.drawsOf(ctx, s, run, group, cases)
		if err != nil {
			return err
		}
		one, err := verdict.Calibrate(ctx, group, c.settings, draws, verdict.CalibrateOptions{
			Comparisons: c.options.comparisons, Workers: runtime.GOMAXPROCS(0),
		})
		if err != nil {
			return err
		}
		one.Date, one.Run, one.Draws = run.Started.UTC().Format("2006-01-02"), run.ID, c.options.draws
		made = append(made, one)
	}
	return c.tell(made)
}

// drawsOf reads a group's answers, without their texts. Every draw must have been judged.
func (c *suiteCalibration) drawsOf(ctx context.Context, s *store.Store, run eval.Run, group eval.Group, cases map[string]*eval.Case) ([]verdict.Draws, error) {
	var draws []verdict.Draws
	lost := 0
	var why string
	for r, err := range s.Results(ctx, run.ID, store.ResultFilter{Suite: group.Suite, Model: group.Model}) {
		if err != nil {
			return nil, err
		}
		one := cases[r.Case]
		if one == nil {
			continue
		}
		if !r.Status.Judged() {
			if lost++; why == "" {
				why = r.Reason()
			}
			continue
		}
		if n := len(draws); n == 0 || draws[n-1].Case != one {
			draws = append(draws, verdict.Draws{Case: one})
		}
		// What a verdict does not look at is let go of.
		r.Answer, r.ToolCalls, r.Steps, r.Tags = "", nil, nil, nil
		last := &draws[len(draws)-1]
		last.Results = append(last.Results, &r)
	}
	if lost > 0 || len(draws) != len(cases) {
		return nil, fault.New(fault.Unjudged, "%d of %d draws of %s on %s were not judged: %s", lost, group.Planned, group.Suite, group.Model, why).
			WithHint("llmx runs show %s lists them; every draw has to be judged: recorded in replay (--record), within --max-cost, without an error that stays", run.ID)
	}
	return draws, nil
}

// tell keeps the figures beside the baseline, and writes them.
func (c *suiteCalibration) tell(made []eval.Calibration) error {
	p := c.project
	file := baseline.CalibrationPath(c.suite.File)
	old, err := baseline.ReadCalibration(p.fs, file)
	if err != nil {
		old = nil // it is made anew
	}
	if err := baseline.WriteCalibration(p.root, file, old, c.suite.Name, made); err != nil {
		return err
	}
	if c.options.test.json {
		return report.SuiteCalibrationJSON(p.world.Stdout, c.suite.Name, made)
	}
	if err := report.SuiteCalibrationPage(p.world.Stdout, c.suite.Name, made, p.world.outputStyle()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.world.Stderr, "note: kept in %s: commit it, and every verdict says what the suite sees\n", file)
	return err
}
