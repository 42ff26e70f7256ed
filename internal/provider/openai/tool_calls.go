package openai

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxToolCalls is how many calls of one answer are believed.
const maxToolCalls = 128

// toolCalls gives the deltas of tool calls the form that they have in
// llm.ToolCallDelta, whose pieces are joined: an index where a server leaves it
// out, and nothing twice that a server repeats.
type toolCalls struct {
	seen []*seenCall    // by index; nil for one that was left out
	byID map[string]int // the index that an id stands for
	last int            // the index of the last delta
}

// seenCall is what has come of a call.
type seenCall struct {
	id, name  string
	arguments strings.Builder
}

// deltas are the pieces of a message's tool calls; ok is false where one of them
// has an index that no call can have.
func (t *toolCalls) deltas(d *delta) (out []llm.ToolCallDelta, ok bool) {
	if len(d.ToolCalls) == 0 && d.FunctionCall == nil {
		return nil, true
	}
	ok = true
	for i := range d.ToolCalls {
		call := &d.ToolCalls[i]
		index := t.index(call)
		if index < 0 || index >= maxToolCalls {
			ok = false
			continue
		}
		if delta, news := t.add(index, call); news {
			out = append(out, delta)
		}
	}
	if f := d.FunctionCall; f != nil { // the form from before tools: one call, without an id
		if delta, news := t.add(0, &toolCall{Function: *f}); news {
			out = append(out, delta)
		}
	}
	return out, ok
}

// index says which call a delta belongs to: where a server gives no index, the one
// with its id, a new one, or the last. An index that belongs to another call, which
// is complete, is none: some servers give 0 to all. Another id alone says nothing
// there: some make up a new one for every piece.
func (t *toolCalls) index(call *toolCall) int {
	known, isKnown := t.byID[call.ID]
	begins := call.ID != "" || call.Function.Name != "" && t.at(t.last).complete()
	if call.Index == nil {
		switch {
		case isKnown:
			return known
		case begins || len(t.seen) == 0:
			return len(t.seen)
		}
		return t.last
	}
	before := t.at(*call.Index)
	switch {
	case before == nil || call.ID == "" || before.id == "" || before.id == call.ID:
		return *call.Index
	case isKnown:
		return known
	case call.Function.Name != "" && before.complete():
		return len(t.seen)
	}
	return *call.Index
}

func (t *toolCalls) at(index int) *seenCall {
	if index < 0 || index >= len(t.seen) {
		return nil
	}
	return t.seen[index]
}

// complete reports whether the arguments are a whole object, to which no piece can
// be added.
func (s *seenCall) complete() bool {
	if s == nil {
		return false
	}
	arguments := s.arguments.String()
	return strings.HasPrefix(strings.TrimSpace(arguments), "{") && json.Valid([]byte(arguments))
}

// add notes a delta and gives what is new in it: a server may send the name with
// every piece, and a call again that it has sent whole.
func (t *toolCalls) add(index int, call *toolCall) (llm.ToolCallDelta, bool) {
	for len(t.seen) <= index {
		t.seen = append(t.seen, nil)
	}
	if t.seen[index] == nil {
		t.seen[index] = &seenCall{}
	}
	s := t.seen[index]
	t.last = index
	delta := llm.ToolCallDelta{Index: index, ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments}
	if s.id != "" {
		delta.ID = "" // the first one stands
	} else if call.ID != "" {
		s.id = call.ID
		if t.byID == nil {
			t.byID = map[string]int{}
		}
		t.byID[call.ID] = index
	}
	if delta.Name == s.name {
		delta.Name = ""
	}
	s.name += delta.Name
	if delta.Arguments != "" && delta.Arguments == s.arguments.String() && s.complete() {
		delta.Arguments = ""
	}
	s.arguments.WriteString(delta.Arguments)
	return delta, delta != llm.ToolCallDelta{Index: index}
}
