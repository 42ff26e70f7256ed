package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval/scorer"
)

const checksHelp = `A check is an entry of expect, in a suite or a case: a name, or a name with its
arguments. Every check may have

  metric: NAME     its scores are averaged under this name, which gates may use. In a
                   suite a metric is the mean of one kind of check
  weight: 2        how much it counts in the mean of its metric, or of its all_of; default 1

and where a check holds by degrees, from 0 to 1,

  threshold: 0.8   the score from which on it passes; accuracy counts passes, the metric
                   is the mean of the scores. 0 only measures

Most look at a part of the answer with

  extract: final_number                       the last number
  extract: {regex: 'A: (.*)', drop: ','}      the last match, its first group if it has one,
                                              without the characters to drop
  extract: {path: customer.name}              a field of a JSON answer

Some ask a model: judge: MODEL in the check, or at the top of the suite for all of its
checks, names it, and prompts/judge-… has the prompts (llmx init --judges adds those that a
project lacks). What they say is kept by what is asked, for every repeat with the same answer:
--fresh asks for answers anew, and --fresh-judges asks the judges. It costs apart from the
answers, and counts for budgets and --max-cost. A judge that says what is no verdict makes
an error, and never a score.

Strings in a check may use the case's row: {{ row.name }}.
`

// newChecksTopic is the help topic on the checks that a suite may have.
func newChecksTopic() *cobra.Command {
	topic := &cobra.Command{Use: "checks", Short: "What a suite may expect of an answer: every check, with an example"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) { // written only where it is read
		_, _ = io.WriteString(cmd.OutOrStdout(), checksText(scorer.Docs())) // output remembers a write that fails
	})
	return topic
}

func checksText(docs []scorer.Doc) string {
	var b strings.Builder
	b.WriteString(checksHelp)
	topic := ""
	for _, doc := range docs {
		if doc.Topic != topic {
			topic = doc.Topic
			b.WriteString("\n" + topic + "\n")
		}
		b.WriteString("\n  " + doc.Name + "\n")
		wrapTo(&b, doc.Holds+".", "      ")
		wrapTo(&b, "Arguments: "+doc.Arguments+".", "      ")
		b.WriteString("      - " + doc.Example + "\n")
	}
	return b.String()
}

// helpWidth is how many characters a line of a help topic has at most.
const helpWidth = 92

// wrapTo writes a text in indented lines.
func wrapTo(b *strings.Builder, text, indent string) {
	length := 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		switch {
		case length == 0:
			b.WriteString(indent)
			length = len(indent)
		case length+1+n > helpWidth:
			b.WriteString("\n" + indent)
			length = len(indent)
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	b.WriteByte('\n')
}
