package cli

import (
	"io"

	"github.com/spf13/cobra"
)

const gatesHelp = `Gates stand in a suite, under the metric that they hold:

  gates:
    accuracy:        {min: 0.95, max_drop: 0.02}
    schema_validity: {min: 1}
    cost_per_case:   {max: 0.002, max_rise: 0.10}
    latency_p95:     {max: 3s}
    tone:            {max_drop: 0.05}     # a metric that a check names

min and max are specifications, and speak of this run: met, or gate missed. max_drop and
max_rise compare with the baseline, case by case, and are tests:

  regressed     worse, by more than chance (p ≤ 0.05 after Holm over the run's gates),
                and by at least the margin
  held          the loss is below the margin, with 95 % confidence
  improved      better, by more than chance
  unchanged     no case came out otherwise
  inconclusive  neither could be shown. The line ends with the drop that could have been
                seen, and what would settle it. on_inconclusive: pass, fail or
                fail_if_worse (the default: worse is a loss beyond the margin;
                but pass for accuracy where what flipped was asked anew, see --confirm)

Without a gate on accuracy the rule is max_drop: 0, and min: 1 as long as there is no
baseline. A case of the baseline that is gone fails the run until the baseline is accepted
anew. p95 needs 59 calls that were made now. More errors than max_errors (0): could not
judge, exit 4; or exit 1 where a gate would fail even if they had all been passes.

Two tags mean something:

  critical      every judged repeat of the case must pass, whatever the other gates leave.
                The gate critical is there where a case is; it needs no baseline
  quarantine    the case is asked, judged, stored and shown, and is in no metric and no
                gate, critical neither. The report says how many there are

cluster: NAME at a case (or a column of that name) says which cases depend on each other,
such as questions about one document. They count as one observation in intervals, tests
and bounds; cases that ask the same are one cluster anyway.

Under "Look at" stand tags and single cases that got worse by more than chance, corrected
for all that were looked at (Benjamini and Hochberg). They are advice, and gate nothing.

llmx calibrate SUITE says how often the gates fail where nothing has changed, how small a
drop they see, and which margins the suite can hold to.
`

// newGatesTopic is the help topic on what decides a verdict.
func newGatesTopic() *cobra.Command {
	topic := &cobra.Command{Use: "gates", Short: "What decides a verdict: gates, words, and the tags critical and quarantine"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), gatesHelp) // output remembers a write that fails
	})
	return topic
}
