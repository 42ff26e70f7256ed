package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/report"
)

// Run executes one command line in a world and returns the exit code.
func Run(ctx context.Context, args []string, w *World) int {
	root := newRoot(w)
	root.SetArgs(args)
	root.SetIn(w.Stdin)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	err := root.ExecuteContext(ctx)
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

// exitCode ends a command whose output has said everything already.
type exitCode int

func (e exitCode) Error() string { return "the output has said why" }

// misused gives cobra's refusals our form: its hint on a line of its own.
func misused(err error) error {
	message, hint, _ := strings.Cut(err.Error(), "\n")
	hint = strings.Join(strings.Fields(strings.ReplaceAll(hint, "Did you mean this?", "did you mean")), " ")
	if hint == "" {
		hint = "see llmx help"
	}
	return fault.New(fault.Usage, "%s", message).WithHint("%s", hint)
}

const rootHelp = `llmx answers one question: did this change make my prompts worse?

Prompts and golden suites are files in your repository, runs are rows in an
embedded SQLite file, the verdict is an exit code:

  0    judged, all gates hold (or nothing that decides an answer differs)
  1    judged: a gate fails
  2    wrong usage
  3    a file is invalid, a release has drifted, a suite is empty
  4    could not judge: provider down, key refused, reply missing, no match
  130  interrupted (what was finished is stored)`

func newRoot(w *World) *cobra.Command {
	root := &cobra.Command{
		Use:           "llmx",
		Short:         "Test prompts, and serve them, through one runtime",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&w.Dir, "dir", "C", w.Dir, "work in this directory of the project")
	root.PersistentFlags().Lookup("dir").DefValue = "."
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.New(fault.Usage, "%v", err).WithHint("see %s --help", cmd.CommandPath())
	})
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(
		newInit(w), newTest(w), newLint(w), newAsk(w),
		newRuns(w), newDiff(w), newBaseline(w), newRescore(w),
		newPrompt(w), newExplain(w), newFixtures(w), newSchema(w), newVersion(w),
	)
	return root
}
