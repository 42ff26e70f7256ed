package replay

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Recording is one reply that is kept, a line of a suite's file. Key says what
// it answers; Case, Check, Suite and Prompt are for readers.
type Recording struct {
	Key        string // as Key gives it: 64 hex digits
	Case       string
	Check      string // that asked; "" for the answer to the case
	Suite      string // where it is another than the file's
	Prompt     string // name@version
	Model      string // resolved, "openai/gpt-4o-mini"
	Repeat     int
	Answered   string // the model that answered, in the provider's words
	ResponseID string
	Origin     string    // who answered: a provider's name, or "written" by a person
	Date       time.Time // the day of the answer, UTC
	Finish     llm.FinishReason
	Usage      llm.Usage
	Service    time.Duration // 0 where nobody knows
	FirstToken time.Duration // likewise
	Text       string
	ToolCalls  []llm.ToolCall
}

// events gives the reply as it was: text, tool calls, end.
func (r Recording) events(yield func(llm.Event, error) bool) {
	if r.Text != "" && !yield(llm.Event{Text: r.Text}, nil) {
		return
	}
	for i, call := range r.ToolCalls {
		delta := llm.ToolCallDelta{Index: i, ID: call.ID, Name: call.Name, Arguments: call.Arguments}
		if !yield(llm.Event{ToolCall: &delta}, nil) {
			return
		}
	}
	yield(llm.Event{End: &llm.End{
		Finish: r.Finish, Usage: r.Usage, Model: r.Answered, ResponseID: r.ResponseID,
		Stored: &llm.Stored{By: "recording", At: r.Date, Service: r.Service, FirstToken: r.FirstToken, Origin: r.Origin},
	}}, nil)
}
