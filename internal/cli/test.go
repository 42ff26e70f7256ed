package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// testOptions are the flags of llmx test.
type testOptions struct {
	selection
	replies repliesFlags
	filter  string
	tags    []string
	sample  int
	only    string              // how the cases came out before
	of      string              // … in which run
	chosen  map[string][]string // … by suite, once they are known
	shard   string
	repeats int
	jobs    int
	// reference names the model or prompt that the others are compared with.
	reference string
	missing   string
	maxCost   string
	reports   []string
	json      bool
	dryRun    bool
	resumed   string // the run that is to go on, "" for a new one
	against   string // the commit to compare with, "" for the baselines
	named     string // … as the run named it that goes on
	drift     bool   // asks baselines afresh
	itself    bool   // holds a prompt against itself
	confirm   int    // how often what flipped is asked anew; 0 for not
	command   string // as typed
	changed   func(flag string) bool
}

const testHelp = `Run golden suites through the full runtime, judge the answers, and compare them
with the suite's baseline.

Replies come from recordings where there are some (fixtures/), else from the
providers; --replay, --record and --live decide.

With --against the prompts, models and routes of a commit are asked beside those of now:
the same cases in turn, so that an edit is told from a model that has moved. Cases,
checks and providers are those of now; suites in which nothing differs are not asked.

Several models or prompts are asked side by side, and compared with one of them: which
are on the frontier of cost and accuracy, and who is shown to be better or worse than the
reference. That is advice: gates compare with the baseline (llmx help side-by-side).

Cases that flipped may do so by chance. Where models are asked live they are asked anew,
in both arms, and accuracy is tested by the new answers alone (--confirm).`

const testExamples = `  llmx test                          every suite
  llmx test triage --filter '^refund-'
  llmx test triage --prompt triage@1.0.0
  llmx test triage --model small,large --reference small
  llmx test triage --prompt triage@1.0.0,triage@draft
  llmx test --only failed            the cases that failed in the newest run
  llmx test --record                 ask for replies that are missing, and keep them
  llmx test --against main           the prompts of main beside those of now, in one run
  llmx test --shard 1/4              a part; llmx runs merge joins the machines' stores
  llmx test --resume                 go on with the run that was cut short
  llmx test --record --dry-run       what that would ask, cost and take; nobody is asked
  llmx test --report junit=out.xml --report markdown=out.md`

func newTest(w *World) *cobra.Command {
	o := &testOptions{}
	cmd := &cobra.Command{
		Use:     "test [SUITE…]",
		Short:   "Run suites, judge the answers, compare with the baseline",
		Long:    testHelp,
		Example: testExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			o.command, o.changed = commandLine(cmd, args), cmd.Flags().Changed
			return runTest(cmd.Context(), w, o)
		},
		ValidArgsFunction: completeSuites(w),
	}
	flags := cmd.Flags()
	o.replies.add(flags)
	flags.StringSliceVar(&o.prompts, "prompt", nil, "test this `NAME[@VERSION]` in place of the suites' prompt; several are asked side by side (repeatable)")
	flags.StringSliceVar(&o.models, "model", nil, "ask these models or routes in place of the suites'; several side by side (repeatable)")
	flags.StringVar(&o.reference, "reference", "", "compare what is asked side by side with this `MODEL|PROMPT@VERSION` (default: the first that is named)")
	flags.StringVar(&o.against, "against", "", "ask the prompts, models and routes of a commit beside those of now, and compare with them: `GITREF`")
	flags.IntVar(&o.confirm, "confirm", 0, fmt.Sprintf("ask cases that flipped so often anew, in both arms, and test only the new answers (default: %d with --live or --against; 0 is not at all; not with several prompts)", defaultConfirm))
	flags.StringVar(&o.filter, "filter", "", "only cases whose id matches the `REGEX`")
	flags.StringSliceVar(&o.tags, "tag", nil, "only cases with one of these tags")
	flags.IntVar(&o.sample, "sample", 0, "only so many cases of each suite, the same ones every time, of each set of tags its share")
	flags.StringVar(&o.only, "only", "", "only cases that came out so before: `failed|errored|flaky|flipped`; in the newest run, or in that of --of")
	flags.StringVar(&o.of, "of", "", "the `RUN` that --only speaks of")
	flags.StringVar(&o.shard, "shard", "", "only a `PART` of all cases, 1/4 to 4/4, to be joined by llmx runs merge")
	flags.IntVar(&o.repeats, "repeats", 0, "ask every case so often (default: as the suite says)")
	flags.IntVar(&o.jobs, "jobs", 0, "cases under way at once (default: test.jobs of llmx.yaml)")
	flags.StringVar(&o.missing, "missing", "error", "what a missing reply does: `error|neutral` (exit 4, or exit 0 and the word unjudged)")
	flags.StringVar(&o.maxCost, "max-cost", "", "stop asking before more than so many `USD` are spent (exit 4)")
	flags.StringArrayVar(&o.reports, "report", nil, "write a report, `KIND=FILE`: json, junit or markdown (repeatable)")
	flags.StringVar(&o.resumed, "resume", "", "go on with the `RUN` that was cut short (default: the newest such), or that could not judge all; only what it has not is asked for")
	flags.Lookup("resume").NoOptDefVal = newestCut
	flags.BoolVar(&o.json, "json", false, "print the run as JSON")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what the run would ask, cost and take; no model is called, nothing is written")
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(onlyKinds, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("model", completeModels(w))
	_ = cmd.RegisterFlagCompletionFunc("prompt", completePrompts(w))
	_ = cmd.RegisterFlagCompletionFunc("reference", completeReferences(w))
	return cmd
}

// given reports whether a flag stands on the command line.
func (o *testOptions) given(flag string) bool { return o.changed != nil && o.changed(flag) }

// check refuses wrong flags before anything is read.
func (o *testOptions) check(w *World) (pick, []reportFile, error) {
	chosen, err := newPick(o.filter, o.tags)
	if err != nil {
		return pick{}, nil, err
	}
	if o.sample < 1 && o.given("sample") {
		return pick{}, nil, fault.New(fault.Usage, "--sample %d is no number of cases", o.sample).WithHint("--sample 100 takes a hundred of each suite")
	}
	chosen.sample = o.sample
	if err := o.checkOnly(); err != nil {
		return pick{}, nil, err
	}
	if chosen.shard, err = parseShard(o.shard); err != nil {
		return pick{}, nil, err
	}
	if o.missing != "error" && o.missing != "neutral" {
		return pick{}, nil, fault.New(fault.Usage, "--missing %s is not known", o.missing).WithHint("allowed: error, neutral")
	}
	if o.jobs < 1 && o.given("jobs") || o.jobs > maxJobs {
		return pick{}, nil, fault.New(fault.Usage, "--jobs %d is out of range", o.jobs).WithHint("allowed: 1 to %d", maxJobs)
	}
	if o.repeats < 1 && o.given("repeats") || o.repeats > maxRepeats {
		return pick{}, nil, fault.New(fault.Usage, "--repeats %d is out of range", o.repeats).WithHint("allowed: 1 to %d", maxRepeats)
	}
	if o.dryRun && len(o.reports) > 0 {
		return pick{}, nil, fault.New(fault.Usage, "--report is of a run, and --dry-run makes none").WithHint("--dry-run --json prints the plan")
	}
	if o.confirm < 0 || o.confirm > maxRepeats || o.confirm > 0 && o.shard != "" {
		return pick{}, nil, o.wrongConfirm()
	}
	if err := o.checkSideBySide(); err != nil {
		return pick{}, nil, err
	}
	reports, err := parseReports(w, o.reports)
	return chosen, reports, err
}

const (
	maxJobs    = 10_000
	maxRepeats = 1_000
)

func runTest(ctx context.Context, w *World, o *testOptions) error {
	old, err := o.resume(ctx, w)
	if err != nil {
		return err
	}
	chosen, reports, err := o.check(w)
	if err != nil {
		return err
	}
	p, err := openProjectBeside(w, reports)
	if err != nil {
		return err
	}
	mode, err := o.replies.mode(p.config.Test.Replies)
	if err != nil {
		return err
	}
	limit, err := parseMaxCost(o.maxCost)
	if err != nil {
		return err
	}
	if chosen.only, err = o.choose(ctx, p); err != nil {
		return err
	}
	suites, err := p.loadSuites(o.selection)
	if err != nil {
		return err
	}
	then, err := o.openPast(ctx, p)
	if err != nil {
		return err
	}
	if then != nil {
		defer then.close()
		mode = o.afresh(mode)
	}
	if err := o.settleConfirm(mode); err != nil {
		return err
	}
	planned, err := planner{project: p, pick: chosen, repeats: o.repeats, read: newAnswerReader(), past: then, models: o.models, confirms: o.confirm > 0}.plan(ctx, suites)
	if err != nil {
		return err
	}
	if then != nil {
		then.close() // what is asked of it has been read
	}
	if err := planned.priced(p, limit); err != nil {
		return err
	}
	if then == nil {
		if err := planned.putSideBySide(p, o.reference); err != nil {
			return err
		}
	}
	run := &testRun{
		project: p, options: o, mode: mode, plan: planned, limit: limit, reports: reports, filtered: chosen.active(), shard: chosen.shard,
		jobs: firstOf(o.jobs, p.config.Test.Jobs), old: old,
	}
	switch {
	case planned.empty:
		return run.emptyPart(ctx)
	case len(planned.groups) == 0:
		return run.unchanged(ctx)
	}
	if o.dryRun {
		return newDryRun(run).execute(ctx)
	}
	return run.execute(ctx)
}

func firstOf(values ...int) int {
	for _, v := range values {
		if v > 0 {
			return v
		}
	}
	return 0
}

// asksProviders reports whether a mode needs every key from the start.
func asksProviders(mode replay.Mode) bool { return mode == replay.Record || mode == replay.Live }
