package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Bounds of a conversation in a report: its lines in a list of cases, and where it
// stands alone, of which the first and the last are shown; the bytes of a line; and
// those of a whole one in Markdown.
const (
	maxTalkLines = 40
	maxTalkAlone = 400
	maxTalkLine  = 600
	maxTalkBytes = 4000
)

// talkLine is one thing that was said, or a check that failed there.
type talkLine struct {
	who    string // "user", "assistant, turn 3", "tool lookup_invoice"; "" for a check
	said   string
	failed bool
}

// talkLines lays a conversation out, each check that failed behind the reply that it
// looks at. One of more lines than most is cut in the middle, with a word.
func talkLines(talk *eval.Talk, most int) []talkLine {
	var all []talkLine
	failed := slices.Clone(talk.Failed)
	behind := func(turn int) {
		failed = slices.DeleteFunc(failed, func(s eval.Score) bool {
			if s.Turn != turn {
				return false
			}
			all = append(all, talkLine{said: strings.TrimSuffix(s.Check+": "+s.Reason, ": "), failed: true})
			return true
		})
	}
	for i := range talk.Steps {
		step := &talk.Steps[i]
		for _, message := range step.Said {
			all = append(all, talkLine{who: speaker(message), said: saidIn(message)})
		}
		if step.Failure == nil || step.Answer != "" || len(step.ToolCalls) > 0 {
			all = append(all, talkLine{who: fmt.Sprintf("assistant, turn %d", step.Turn), said: saidIn(step.Reply())})
		}
		if step.Failure != nil {
			all = append(all, talkLine{said: string(step.Failure.Class) + ": " + step.Failure.Message, failed: true})
		}
		behind(step.Turn)
	}
	for _, score := range failed {
		all = append(all, talkLine{said: score.Why(), failed: true})
	}
	var shown []talkLine
	for i, line := range all {
		if left := leftOut(i, len(all), most); left > 0 {
			shown = append(shown, talkLine{said: "… " + count(left, "line", "lines") + " of the conversation left out"})
		} else if left == 0 {
			line.said = clip(line.said, maxTalkLine)
			shown = append(shown, line)
		}
	}
	return shown
}

// speaker says who speaks; a tool by its name.
func speaker(m llm.Message) string {
	for _, part := range m.Parts {
		if part.ToolResult != nil && part.ToolResult.Name != "" {
			return string(m.Role) + " " + part.ToolResult.Name
		}
	}
	return string(m.Role)
}

// saidIn is the content of a message on one line.
func saidIn(m llm.Message) string {
	var said []string
	for _, part := range m.Parts {
		switch {
		case part.ToolCall != nil:
			said = append(said, part.ToolCall.String())
		case part.ToolResult != nil:
			said = append(said, part.ToolResult.Content)
		case part.Media != nil:
			said = append(said, "["+strings.Join(strings.Fields(string(part.Kind)+" "+part.Media.Name+" "+part.Media.URL), " ")+"]")
		case part.Text == "" && len(m.Parts) == 1:
			said = append(said, "(empty answer)")
		default:
			said = append(said, part.Text)
		}
	}
	return oneLine(strings.Join(said, " "))
}

// text is a line without colour.
func (l talkLine) text() string {
	switch {
	case l.failed:
		return "  ✗ " + l.said
	case l.who == "":
		return l.said
	}
	return l.who + ": " + l.said
}

// talk writes a conversation; nil writes nothing.
func (p *page) talk(indent string, talk *eval.Talk, most int) {
	if talk == nil {
		return
	}
	for _, line := range talkLines(talk, most) {
		switch {
		case line.failed:
			p.hang(indent+"  ", indent+"    ", span{"✗ ", bad}, text(line.said))
		case line.who == "":
			p.flow(indent, span{line.said, faint})
		default:
			p.hang(indent, indent+"  ", span{line.who + ": ", strong}, text(line.said))
		}
	}
}

// mdTalk is a conversation in a code block that nothing in it can end; "" for none.
func mdTalk(talk *eval.Talk) string {
	if talk == nil {
		return ""
	}
	var b strings.Builder
	all := talkLines(talk, maxTalkLines)
	for i, line := range all {
		written := strings.TrimRight(clean(line.text()), " ") + "\n"
		if b.Len()+len(written) > maxTalkBytes {
			b.WriteString("… and " + count(len(all)-i, "more line", "more lines") + "\n")
			break
		}
		b.WriteString(written)
	}
	return fenced("text", b.String())
}

// mdTalkItem is mdTalk within an item of a list.
func mdTalkItem(talk *eval.Talk) string {
	if talk == nil {
		return ""
	}
	block := strings.TrimSuffix(mdTalk(talk), "\n")
	return "\n  " + strings.ReplaceAll(block, "\n", "\n  ") + "\n"
}
