package cli

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
)

// Run executes one command line in a world and returns the exit code.
func Run(ctx context.Context, args []string, outside *World) int {
	inside := *outside
	w := &inside // commands may move it to another directory
	out := &output{w: outside.Stdout}
	w.Stdout = out
	root := newRoot(w)
	root.SetArgs(args)
	root.SetIn(w.Stdin)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	err := root.ExecuteContext(ctx)
	if out.err != nil { // whatever else happened: the output is not whole
		err = fault.New(fault.Store, "the output cannot be written: %s", reason(out.err)).Because(out.err)
	}
	if err == nil {
		return fault.ExitOK
	}
	if judged, ok := errors.AsType[exitCode](err); ok {
		return int(judged)
	}
	if _, ok := errors.AsType[*fault.Error](err); !ok {
		err = misused(err) // cobra's own refusals have no class
	}
	report.Problems(w.Stderr, err, w.errorStyle())
	return fault.ClassOf(err).ExitCode()
}

// output remembers the first write that failed, so that no command has to look.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// exitCode ends a command whose output has said everything already.
type exitCode int

func (e exitCode) Error() string { return "the output has said why" }

// takes refuses a wrong number of arguments with the line of use. most below 0 is
// no bound.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		what := "too many arguments"
		if len(args) < least {
			what = "an argument is missing"
		}
		return fault.New(fault.Usage, "%s", what).WithHint("usage: %s", cmd.UseLine())
	}
}

// misused gives cobra's refusals our form.
func misused(err error) error {
	return fault.New(fault.Usage, "%v", err).WithHint("see llmx help")
}

// onlySubcommands is a command that is nothing but the room of its subcommands:
// alone it shows its help, and a word that it does not know is refused.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return unknownSubcommand(cmd, args)
}

func unknownSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fault.New(fault.Usage, "%s has no command %q", cmd.CommandPath(), args[0]).WithHint("%s", fault.Allowed(args[0], names))
}

const rootHelp = `llmx answers one question: did this change make my prompts worse?

Prompts and golden suites are files in your repository, runs are rows in an
embedded SQLite file, the verdict is an exit code:

  0    judged, all gates hold (or nothing that decides an answer differs)
  1    judged: a gate fails
  2    wrong usage
  3    a file is invalid, a release has drifted, a suite is empty
  4    could not judge: provider down, key missing or refused, reply missing, no match
  130  interrupted (what was finished is stored)`

func newRoot(w *World) *cobra.Command {
	root := &cobra.Command{
		Use:           "llmx",
		Short:         "Test prompts, and serve them, through one runtime",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          onlySubcommands,
		Version:       Version(), // for who asks with --version
	}
	root.SetVersionTemplate(versionLine() + "\n")
	dir := "."
	root.PersistentFlags().StringVarP(&dir, "dir", "C", dir, "work in this directory of the project")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := emptyFlag(cmd); err != nil {
			return err
		}
		if filepath.IsAbs(dir) {
			w.Dir = dir
		} else {
			w.Dir = filepath.Join(w.Dir, dir)
		}
		return nil
	}
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpCommand(newHelp(root))
	root.AddCommand(
		newInit(w), newTest(w), newLint(w), newAsk(w),
		newRuns(w), newDiff(w), newBaseline(w), newGolden(w), newRescore(w), newJudge(w),
		newPrompt(w), newServe(w), newKeys(w), newCalls(w), newExplain(w), newCases(w), newCost(w), newFlaky(w), newCalibrate(w), newDrift(w), newFixtures(w), newCache(w), newSchema(w), newVersion(w),
		newChecksTopic(), newConversationsTopic(), newGatesTopic(), newSideBySideTopic(), newAPITopic(), newSafetyTopic(),
	)
	return root
}
