package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
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

	replies repliesFlags // of a judge that is a model
	maxCost string
	jobs    int
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

A judge that is a model is asked as in llmx test: its replies come from the suite's
recordings where they have them, and --record keeps what is asked. Of preferred, which is
asked in both orders, it is said how often the verdict changes with the order.

With --rate or --run the pass rate that the check found is corrected by its errors
(Rogan and Gladen 1978), and stands beside the raw one with its interval (Lang and
Reiczigel 2014). Of a run it is the mean over the cases, each with all its repeats and
turns: what is answered to one case is no evidence of its own. A run whose cases had
another golden answer or other checks is refused.`

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
	flags.StringVar(&o.rate, "rate", "", "correct this pass rate that the check found over N answers: `RATE/N` with a point, 0.83/200, or PASSES/N, 166/200")
	flags.StringVar(&o.run, "run", "", "correct the pass rate that the check found in this `RUN`; last is the last complete test")
	o.replies.addModes(flags)
	flags.BoolVar(&o.replies.freshJudges, "fresh-judges", false, "with --record or --live: ask the judge anew")
	flags.StringVar(&o.maxCost, "max-cost", "", "stop asking before more than so many `USD` are spent")
	flags.IntVar(&o.jobs, "jobs", 0, "answers under way at once (default: test.jobs of llmx.yaml)")
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
	rate, err := parseRate(o.rate)
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
		if rate, err = p.rateOf(ctx, o.run, suites[0].Name, found); err != nil {
			return err
		}
	}
	c := report.Calibration{Schema: report.CalibrationSchema, Suite: suites[0].Name, Check: found.name, Labels: o.labels}
	held := calibration{
		project: p, options: o, suite: suites[0], rows: rows, jobs: firstOf(o.jobs, p.config.Test.Jobs), found: &c,
		id: "calibrate-" + newRunID(p.world.Now()),
	}
	if err := held.run(ctx); err != nil {
		return err
	}
	c.Conclude(rate)
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
