// Package turns walks through the turns of a case that is a conversation. Whoever
// judges it, asks for it or counts what it asks goes by this walk. It imports the words
// alone.
package turns

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Walk goes through the turns of a case. Whoever asks the model gives each
// reply back; nothing is asked here.
type Walk struct {
	c      *eval.Case
	thread []any          // all that was said, in the field's chat format
	said   []llm.Message  // since the last reply
	open   []llm.ToolCall // proposed, and without a result
	next   int            // index of the turn that comes next
	asked  *eval.CaseTurn // the turn that waits for its reply
}

// Begin begins a conversation. It does not change the case.
func Begin(c *eval.Case) *Walk {
	begun, _ := c.Vars[c.Thread].([]any)
	w := &Walk{c: c, thread: slices.Clone(begun), said: slices.Clone(c.Begun)}
	if n := len(c.Begun); n > 0 {
		w.open = eval.OpenCalls(c.Begun)
	}
	return w
}

// Stuck says at which turn a conversation cannot go on, by the model's doing.
type Stuck struct {
	Turn   int
	Reason string
}

// Next says turns until the model is to be asked, and gives the case as that reply is
// judged, its inputs with all that was said. It is false at the end, and where a
// result answers no open call, or a call has no result: that is Stuck.
func (w *Walk) Next() (eval.Case, *Stuck, bool) {
	w.asked = nil
	for w.next < len(w.c.Turns) {
		turn := &w.c.Turns[w.next]
		if stuck := w.say(turn); stuck != nil {
			return eval.Case{}, stuck, false
		}
		w.next++
		if turn.Asks {
			w.asked = turn
			at := w.c.At(turn)
			at.Vars = maps.Clone(w.c.Vars)
			at.Vars[w.c.Thread] = slices.Clip(w.thread)
			return at, nil, true
		}
	}
	return eval.Case{}, nil, false
}

// Turn is the turn that waits for its reply.
func (w *Walk) Turn() *eval.CaseTurn { return w.asked }

// Said is what was said since the reply before.
func (w *Walk) Said() []llm.Message { return w.said }

// Rest are the turns that would have been asked after the last reply.
func (w *Walk) Rest() []eval.CaseTurn {
	return slices.DeleteFunc(slices.Clone(w.c.Turns[w.next:]), func(t eval.CaseTurn) bool { return !t.Asks })
}

func (w *Walk) say(turn *eval.CaseTurn) *Stuck {
	message, said := turn.Message, turn.Said
	if turn.Tool != "" {
		call, ok := w.take(turn)
		if !ok {
			return &Stuck{turn.Number, "this answers a call of " + calledBy(turn) + ", which the model did not propose: " + w.proposed()}
		}
		message = maps.Clone(message)
		message["tool_call_id"] = call.ID
		result := *said.Parts[0].ToolResult
		result.ID = call.ID
		said.Parts = []llm.Part{{Kind: llm.PartToolResult, ToolResult: &result}}
	}
	if len(w.open) > 0 && (turn.Tool == "" || turn.Asks) {
		return &Stuck{turn.Number, "the model proposed " + callsOf(w.open) + ", and the case has no result of it"}
	}
	w.thread = append(w.thread, message)
	w.said = append(w.said, withoutBytes(said))
	if said.Role == llm.Assistant {
		w.open = eval.OpenCalls([]llm.Message{said})
	}
	return nil
}

// take finds the open call that a result answers: by its id, else the first of the tool.
func (w *Walk) take(turn *eval.CaseTurn) (llm.ToolCall, bool) {
	i := slices.IndexFunc(w.open, func(call llm.ToolCall) bool {
		return call.Name == turn.Tool && (turn.CallID == "" || call.ID == turn.CallID)
	})
	if i < 0 {
		return llm.ToolCall{}, false
	}
	call := w.open[i]
	w.open = slices.Delete(slices.Clone(w.open), i, i+1)
	return call, true
}

func calledBy(turn *eval.CaseTurn) string {
	if turn.CallID != "" {
		return fmt.Sprintf("%s with the id %s", turn.Tool, turn.CallID)
	}
	return turn.Tool
}

func (w *Walk) proposed() string {
	if len(w.open) == 0 {
		return "it proposed no other call"
	}
	return "it proposed " + callsOf(w.open)
}

func callsOf(calls []llm.ToolCall) string {
	names := make([]string, len(calls))
	for i, call := range calls {
		names[i] = call.Name
	}
	return strings.Join(names, ", ")
}

// Reply takes what the model said.
func (w *Walk) Reply(text string, calls []llm.ToolCall) {
	message := map[string]any{"role": string(llm.Assistant)}
	if text != "" || len(calls) == 0 {
		message["content"] = text
	}
	w.said, w.open = nil, slices.Clone(calls)
	var written []any
	for i := range w.open {
		call := &w.open[i]
		if call.ID == "" { // a result must name its call
			call.ID = fmt.Sprintf("call-%d-%d", w.asked.Number, i+1)
		}
		if call.Arguments == "" { // vendors do not take back what some of them give
			call.Arguments = "{}"
		}
		written = append(written, map[string]any{
			"id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": call.Arguments},
		})
	}
	if len(written) > 0 {
		message["tool_calls"] = written
	}
	w.thread = append(w.thread, message)
}

// Assumed is a reply with which the conversation could go on, where nobody knows the
// true one: the golden answer, and the calls that the results after it answer.
func (w *Walk) Assumed() (text string, calls []llm.ToolCall) {
	for i := w.next; i < len(w.c.Turns) && w.c.Turns[i].Tool != ""; i++ {
		turn := &w.c.Turns[i]
		calls = append(calls, llm.ToolCall{ID: turn.CallID, Name: turn.Tool, Arguments: "{}"})
	}
	if golden := w.asked.Golden; golden != nil {
		if written, ok := golden.Value.(string); ok {
			return written, calls
		}
		raw, err := json.Marshal(golden.Value)
		if err == nil {
			return string(raw), calls
		}
	}
	if len(calls) > 0 {
		return "", calls
	}
	return assumedText, nil
}

// assumedText stands for a reply of which nothing is known: some forty tokens.
var assumedText = strings.Repeat("and so on ", 16)

// withoutBytes is a message as it is kept for readers: of an image or a file its name.
func withoutBytes(m llm.Message) llm.Message {
	if !slices.ContainsFunc(m.Parts, func(p llm.Part) bool { return p.Media != nil && len(p.Media.Data) > 0 }) {
		return m
	}
	m.Parts = slices.Clone(m.Parts)
	for i := range m.Parts {
		if media := m.Parts[i].Media; media != nil {
			kept := *media
			kept.Data = nil
			m.Parts[i].Media = &kept
		}
	}
	return m
}
