package cli

import (
	"io"

	"github.com/spf13/cobra"
)

const sideBySideHelp = `Several models, prompts, or both are asked side by side in one run: each case of each in
turn, in an order that is drawn for every case, so that a slow minute is slow for all.

  llmx test triage --model small,large,think --reference small
  llmx test triage --prompt triage@1.0.0,triage@draft
  llmx test triage --prompt triage@1.0.0,triage@draft --model small,large --reference triage@1.0.0,small

A suite that lists several models: is asked so without a flag. Above the counts the report
has, for every suite that was asked more than once:

  the figures     accuracy with its 95 % interval, cost per case at list price, median and
                  p95 of latency. Accuracy and cost are of the cases that all have a judged
                  result of: who lacks the hard ones must not look better for it
  the frontier    yes where no other is as accurate for less, or more accurate for as much,
                  by these figures; else who is. Who has no price, or no result, has no place
  the comparison  each with the reference: accuracy (stratified exact and sign-flip test),
                  schema validity and scores where they differ, cost (paired log-ratios, as the ratio of
                  the typical case); with a 95 % interval each, and the words of llmx help
                  gates. Tests look to both sides, and Holm's correction runs over all
                  comparisons of the run

The reference is the first that is named, or what --reference says: MODEL,
PROMPT@VERSION, or both with a comma. What is held may lose as much as the suite's
max_drop or max_rise lets it, and nothing without one.

It is advice, and changes no exit code: the reference is not what was before. Gates go on
comparing each model, by each prompt, with the baseline. A baseline is of one prompt:
llmx baseline accept --prompt NAME@VERSION says which.

With --replay, --dry-run, --resume and runs merge it works as any run; a part of a run
(--shard) says nothing side by side, as it has not the cases to. --confirm asks anew what
flipped against the baseline, and leaves this comparison as it is; with several prompts
it is refused, and so is --against with several prompts or with --reference. Beside
--against several models are each compared with the commit, and not with each other.

In JSON it is verdict.side_by_side: a list, one a suite, of candidates with accuracy, low,
high, cost_per_case, latency_p50, latency_p95, frontier, dominated_by or outside, and
comparisons (metric, word, value, reference, change, low, high, p, p_adjusted, n, worse,
better). A change of 0.1 is 10 points, and of cost 10 %.
`

// newSideBySideTopic is the help topic on several models and prompts in one run.
func newSideBySideTopic() *cobra.Command {
	topic := &cobra.Command{Use: "side-by-side", Short: "Several models and prompts in one run: the frontier, and each against a reference"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), sideBySideHelp) // output remembers a write that fails
	})
	return topic
}
