package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/store"
)

func newJudge(w *World) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "judge",
		Short:   "Hold a check against what people say",
		Example: "  llmx judge calibrate triage --metric tone --labels labels/tone.jsonl",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlySubcommands,
	}
	cmd.AddCommand(newJudgeCalibrate(w))
	return cmd
}

type calibrateOptions struct {
	suite, metric, labels, rate, run string
	json                             bool
}

const calibrateHelp = `Run one check of a suite over answers that people have judged, and say how far it can
be trusted: its accuracy, Cohen's kappa, what it passes of what people fail (false
passes) and fails of what they pass (false fails), each with its 95 % interval.

The file of labels has one answer a line, as JSON lines or CSV:

  answer   the text that is judged
  pass     what people say: true or false (or pass, fail, yes, no, 1, 0)
  case     a case of the suite, whose inputs, golden answer and checks apply; may be
           left out where the check needs none of them
  golden   in place of the case's
  any other column is an input, in place of the case's

With --rate or --run the pass rate that the check found is corrected by its errors
(Rogan and Gladen 1978), and stands beside the raw one with its interval.`

func newJudgeCalibrate(w *World) *cobra.Command {
	o := &calibrateOptions{}
	cmd := &cobra.Command{
		Use:   "calibrate SUITE --labels FILE",
		Short: "A check against human labels: accuracy, kappa, false passes and false fails",
		Long:  calibrateHelp,
		Example: `  llmx judge calibrate triage --metric tone --labels labels/tone.jsonl
  llmx judge calibrate triage --metric tone --labels labels/tone.jsonl --run last
  llmx judge calibrate triage --metric tone --labels labels/tone.jsonl --rate 0.83/200`,
		Args: takes(1, 1),
		RunE: inProject(w, func(cmd *cobra.Command, p *project, args []string) error {
			o.suite = args[0]
			ctx, release := w.cancelable(cmd.Context())
			defer release()
			return runCalibrate(ctx, p, o)
		}),
		ValidArgsFunction: completeSuites(w),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.labels, "labels", "", "the `FILE` of answers that people have judged, .jsonl or .csv")
	flags.StringVar(&o.metric, "metric", "", "the check, by its metric or its `NAME` (default: the suite's one check that asks a model or runs a program)")
	flags.StringVar(&o.rate, "rate", "", "correct this pass rate, `RATE/N` or PASSES/N, that the check found over N answers")
	flags.StringVar(&o.run, "run", "", "correct the pass rate that the check found in this `RUN`; last is the last complete one")
	flags.BoolVar(&o.json, "json", false, "print the figures as JSON")
	return cmd
}

func runCalibrate(ctx context.Context, p *project, o *calibrateOptions) error {
	if o.labels == "" {
		return fault.New(fault.Usage, "--labels is missing").WithHint("it names the file of answers that people have judged; see llmx judge calibrate --help")
	}
	if o.rate != "" && o.run != "" {
		return fault.New(fault.Usage, "--rate and --run exclude each other").WithHint("give one of them")
	}
	rate, n, err := parseRate(o.rate)
	if err != nil {
		return err
	}
	suites, err := p.loadSuites(selection{names: []string{o.suite}})
	if err != nil {
		return err
	}
	found, err := findJudge(suites[0], o.metric)
	if err != nil {
		return err
	}
	rows, err := p.readHumanLabels(o.labels, found)
	if err != nil {
		return err
	}
	if o.run != "" {
		if rate, n, err = p.rateOf(ctx, o.run, suites[0].Name, found.name); err != nil {
			return err
		}
	}
	c := report.Calibration{Schema: report.CalibrationSchema, Suite: suites[0].Name, Check: found.name, Labels: o.labels}
	if err := calibrate(ctx, rows, firstOf(p.config.Test.Jobs), newAnswerParser(), suites[0].prompt.Output, &c); err != nil {
		return err
	}
	c.Conclude(rate, n)
	if o.json {
		err = report.CalibrationJSON(p.world.Stdout, c)
	} else {
		err = report.CalibrationTerminal(p.world.Stdout, c, p.world.outputStyle())
	}
	if err == nil && c.Errors > 0 {
		return fault.New(fault.Unjudged, "%d of %d answers could not be judged: the figures are of the others", c.Errors, len(rows))
	}
	return err
}

// calibrate scores every labelled answer. One that the check cannot judge is left out,
// and counted.
func calibrate(ctx context.Context, rows []humanLabel, jobs int, parse func(string, llm.Output) (any, string), output llm.Output, c *report.Calibration) error {
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(max(1, jobs))
	var turn sync.Mutex
	problems := make([]string, len(rows))
	for i := range rows {
		workers.Go(func() error {
			row := &rows[i]
			subject := eval.Subject{
				Answer: row.answer, Output: output, Golden: row.golden, Vars: row.vars, Finish: llm.FinishStop, Stored: true,
				Origin: llm.Origin{Suite: c.Suite, Case: row.id},
			}
			subject.Value, subject.Broken = parse(row.answer, output)
			score, err := row.check.Score(working, subject)
			if working.Err() != nil {
				return fault.New(fault.Canceled, "interrupted")
			}
			turn.Lock()
			defer turn.Unlock()
			if err != nil {
				problems[i] = fmt.Sprintf("%s: %s", row.place, fault.As(err).Message)
				return nil
			}
			c.Agreement.Add(row.pass, score.Pass)
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	for _, problem := range problems {
		if problem != "" {
			c.Errors++
			c.Problems = append(c.Problems, problem)
		}
	}
	c.Problems = c.Problems[:min(len(c.Problems), report.MaxProblems)]
	return nil
}

// judged is the check that is calibrated, with the cases that have it.
type judged struct {
	name  string // its metric, or its name
	check eval.Check
	cases map[string]*eval.Case
	own   map[string]eval.Check // the check as each case has it
}

// findJudge picks a check by its metric or name.
func findJudge(one *loaded, name string) (*judged, error) {
	j := &judged{cases: map[string]*eval.Case{}, own: map[string]eval.Check{}}
	var known, chosen []string
	checks := map[string]eval.Check{}
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		j.cases[c.ID] = &c
		for _, check := range c.Checks {
			called := check.Metric()
			if called == "" || check.Name() == name {
				called = check.Name()
			}
			if !slices.Contains(known, called) {
				known = append(known, called)
				checks[called] = check
				if !check.Deterministic() || check.Name() == "program" {
					chosen = append(chosen, called)
				}
			}
			if called == name && j.own[c.ID] == nil {
				j.own[c.ID] = check
			}
		}
	}
	switch {
	case name == "" && len(chosen) == 1:
		return findJudge(one, chosen[0])
	case name == "":
		return nil, fault.New(fault.Usage, "--metric is missing: which check of %s is calibrated?", one.Name).WithHint("%s", fault.Allowed("", known))
	case checks[name] == nil:
		return nil, fault.New(fault.Usage, "no check of %s has the metric or the name %q", one.Name, name).WithHint("%s", fault.Allowed(name, known))
	case checks[name].Operational():
		return nil, fault.New(fault.Usage, "%s bounds cost or time: nothing that people could say of an answer", name)
	}
	j.name, j.check = name, checks[name]
	return j, nil
}

// parseRate reads 0.83/200 or 166/200; n is 0 for none.
func parseRate(text string) (rate float64, n int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	share, of, _ := strings.Cut(text, "/")
	n, err = strconv.Atoi(of)
	rate, bad := strconv.ParseFloat(share, 64)
	if err == nil && bad == nil && rate > 1 && rate == float64(int(rate)) && n > 0 {
		rate /= float64(n)
	}
	if err != nil || bad != nil || n < 1 || !(rate >= 0 && rate <= 1) {
		return 0, 0, fault.New(fault.Usage, "--rate %s is no rate", text).WithHint("write the share of passes and the number of answers, 0.83/200, or both counts, 166/200")
	}
	return rate, n, nil
}

// rateOf is the share of a run's answers that a check passed.
func (p *project) rateOf(ctx context.Context, run, suite, name string) (rate float64, n int, err error) {
	if run == "last" {
		run = store.LatestComplete
	}
	s, err := p.openStore(ctx, reads)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	found, err := s.Run(ctx, run)
	if err != nil {
		return 0, 0, err
	}
	passes := 0
	for result, err := range s.Results(ctx, found.ID, store.ResultFilter{Suite: suite}) {
		if err != nil {
			return 0, 0, err
		}
		for _, score := range result.Scores {
			if result.Status.Judged() && (score.Metric == name || score.Check == name) {
				n++
				if score.Pass {
					passes++
				}
				break
			}
		}
	}
	if n == 0 {
		return 0, 0, fault.New(fault.Usage, "the run %s has no score of %s in the suite %s", found.ID, name, suite).WithHint("llmx runs lists the runs")
	}
	return float64(passes) / float64(n), n, nil
}
