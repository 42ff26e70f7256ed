package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Talk is a conversation as reports show it: what was said, and which checks failed at
// which turn. A long text is cut in its place.
type Talk struct {
	Steps  []Step  `json:"steps"`
	Failed []Score `json:"failed"`
}

// maxSaid bounds one text of a Talk, in bytes, and MaxTalks how many cases of a group's
// verdict carry theirs; the store has the rest.
const (
	maxSaid  = 4 << 10
	MaxTalks = 100
)

// told reports a conversation whose content was kept: something was said in it.
func (r *Result) told() bool { return len(r.Steps) > 0 && len(r.Steps[0].Said) > 0 }

// Talk is what was said in a conversation; nil for the result of another case, and
// where it was not kept.
func (r *Result) Talk() *Talk {
	if !r.told() {
		return nil
	}
	t := &Talk{Steps: slices.Clone(r.Steps), Failed: []Score{}}
	for i := range t.Steps {
		step := &t.Steps[i]
		step.Answer = cutSaid(step.Answer)
		step.Said = slices.Clone(step.Said)
		for j := range step.Said {
			step.Said[j] = shortened(step.Said[j])
		}
	}
	for _, score := range r.Scores {
		if !score.Pass {
			t.Failed = append(t.Failed, score)
		}
	}
	return t
}

func shortened(m llm.Message) llm.Message {
	m.Parts = slices.Clone(m.Parts)
	for i := range m.Parts {
		part := &m.Parts[i]
		part.Text = cutSaid(part.Text)
		if part.ToolResult != nil {
			result := *part.ToolResult
			result.Content = cutSaid(result.Content)
			part.ToolResult = &result
		}
	}
	return m
}

func cutSaid(text string) string {
	if len(text) <= maxSaid {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(text[:maxSaid], ""), len(text)-maxSaid)
}

// Transcript is what a reader compares with other results of the case: the answer, or
// of a conversation all that was said, one line for each speaker.
func (r *Result) Transcript() string {
	if !r.told() {
		return r.Shown()
	}
	var lines []string
	for i := range r.Steps {
		step := &r.Steps[i]
		for _, message := range step.Said {
			lines = append(lines, spoken(message))
		}
		lines = append(lines, spoken(step.Reply()))
	}
	return strings.Join(lines, "\n")
}

// Reply is what the model said in a step.
func (s *Step) Reply() llm.Message {
	reply := llm.Message{Role: llm.Assistant}
	if s.Answer != "" || len(s.ToolCalls) == 0 {
		reply = llm.Text(llm.Assistant, s.Answer)
	}
	for i := range s.ToolCalls {
		reply.Parts = append(reply.Parts, llm.Part{Kind: llm.PartToolCall, ToolCall: &s.ToolCalls[i]})
	}
	return reply
}

// spoken is a message as one paragraph: further lines stand behind its first.
func spoken(m llm.Message) string {
	who := string(m.Role)
	var said []string
	for _, part := range m.Parts {
		switch {
		case part.ToolCall != nil:
			said = append(said, part.ToolCall.String())
		case part.ToolResult != nil:
			if part.ToolResult.Name != "" {
				who += " " + part.ToolResult.Name
			}
			said = append(said, part.ToolResult.Content)
		case part.Media != nil:
			said = append(said, "["+string(part.Kind)+" "+strings.TrimSpace(part.Media.Name+" "+part.Media.URL)+"]")
		default:
			said = append(said, part.Text)
		}
	}
	return who + ": " + strings.ReplaceAll(strings.Join(said, "\n"), "\n", "\n  ")
}
