package eval

import (
	"iter"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// CaseTurn is one thing that is said in a case that is a conversation: by the user,
// by a tool, or by the assistant where the case writes its part, too.
type CaseTurn struct {
	Number  int            // in the case, from 1
	Message map[string]any // in the field's chat format, as an input of kind thread takes it; of a result without its call
	Said    llm.Message    // the same, read
	Tool    string         // of a result: the tool that gave it, else ""
	CallID  string         // of a result: the call that it answers, "" for the first open one of the tool
	Asks    bool           // the model is asked after it
	Golden  *Golden        // of the reply; nil where none is known to be right
	Checks  []Check        // of the reply, that of the golden answer included
	Place   fault.Place
}

// Asked counts how often a model is asked for one repeat of the case, if it comes to
// its end.
func (c *Case) Asked() int {
	if len(c.Turns) == 0 {
		return 1
	}
	n := 0
	for i := range c.Turns {
		if c.Turns[i].Asks {
			n++
		}
	}
	return n
}

// AllChecks are the case's own checks, then those of its turns in their order.
func (c *Case) AllChecks() iter.Seq[Check] {
	return func(yield func(Check) bool) {
		for _, check := range c.Checks {
			if !yield(check) {
				return
			}
		}
		for i := range c.Turns {
			for _, check := range c.Turns[i].Checks {
				if !yield(check) {
					return
				}
			}
		}
	}
}

// HasCheck reports whether the case or one of its turns has such a check.
func (c *Case) HasCheck(such func(Check) bool) bool {
	for check := range c.AllChecks() {
		if such(check) {
			return true
		}
	}
	return false
}

// At is the case as the reply to one of its turns is judged: by the golden answer
// and the checks of the turn.
func (c *Case) At(turn *CaseTurn) Case {
	at := *c
	at.Golden, at.Checks, at.Place, at.Turns = turn.Golden, turn.Checks, turn.Place, nil
	return at
}

// OpenCalls are the calls that the last assistant of a thread proposed, and that have
// no result in it.
func OpenCalls(thread []llm.Message) []llm.ToolCall {
	var open []llm.ToolCall
	for _, message := range thread {
		if message.Role == llm.Assistant {
			open = nil
		}
		for _, part := range message.Parts {
			switch {
			case part.ToolCall != nil:
				open = append(open, *part.ToolCall)
			case part.ToolResult != nil:
				open = slices.DeleteFunc(open, func(call llm.ToolCall) bool { return call.ID == part.ToolResult.ID })
			}
		}
	}
	return open
}
