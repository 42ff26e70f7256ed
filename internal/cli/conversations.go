package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// conversationExample is a case as it stands in cases: of a suite.
const conversationExample = `  - id: double-charge
    turns:
      - {user: "I was charged twice", expect: [{tool_called: {name: lookup_invoice}}]}
      - {tool: {name: lookup_invoice, result: {invoices: 2}}}
      - {user: "so refund me", expect: [{contains: refund}], golden: {label: billing}}
`

const conversationsHelp = `A conversation is the value of an input of kind thread: a list of messages in the
field's chat format, of user, assistant and tool. It stands in the prompt as a line of
its own, {{ history }}. In a suite it is written out, or named:

  vars: {history: [{role: user, content: "I was charged twice"}]}
  vars: {history: {file: threads/refund.json}}     a list, or an object with "messages"
  vars: {history: {file: threads/refund.jsonl}}    one message a line

A path counts from the file that names it; a file has at most 8 MB. Rows of JSON lines
and YAML have the same, a CSV cell has it as JSON, and llmx ask -v history=@refund.jsonl.

A case that is a conversation has turns, each with all that was said before:

` + conversationExample + `
A turn is exactly one of

  user: TEXT                    or a list of parts, as in a message
  tool: {name, result, id}      the result of a call that the reply before proposes: of
                                the call with this id, else of the first one of the tool
                                that has no result. What is no text is written as JSON
  assistant: TEXT               or {content, tool_calls}: what the case itself lets the
                                assistant say

The model is asked after every turn of the user, and after the last of tools' results
that follow each other, but not where a turn of the assistant follows. What it says
becomes part of the conversation. expect, golden and golden_match stand at a turn that
is answered (llmx golden accept CASE --turn N writes what was); the suite's expect
holds for every reply. Checks of cost, time, tokens and
attempts look at the whole case: they stand in expect of the suite or of the case. The
prompt must have exactly one input of kind thread; the case's vars give the others, and
may give the beginning.

The case passes when all its turns do. A reply that breaks the contract, or is cut,
ends the conversation; so does a reply that does not propose the call that the case has
a result for, or one that it has none for. The turns after it are not asked, and have
failed. A failed check ends nothing. In the figures the case is one: its cost and its
latency are the sums over its replies, a metric is the mean over its turns.
`

// newConversationsTopic is the help topic on threads and turns.
func newConversationsTopic() *cobra.Command {
	topic := &cobra.Command{Use: "conversations", Short: "Threads as inputs, and cases that are conversations"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), conversationsHelp) // output remembers a write that fails
	})
	return topic
}
