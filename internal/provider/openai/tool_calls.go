package openai

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxToolCalls is how many calls of one answer are believed, and how far their index goes.
const maxToolCalls = 128

// toolCalls gives the deltas of tool calls the form that they have in
// llm.ToolCallDelta, whose pieces are joined: an index where a server leaves it
// out, and nothing twice that a server repeats.
type toolCalls struct {
	seen  []*seenCall    // by index; nil for one that was left out
	moved map[int]int    // where a server's index stands for another one of ours
	byID  map[string]int // the index that an id stands for
	last  int            // the index of the last delta
}

// seenCall is what has come of a call.
type seenCall struct {
	id        string
	name      strings.Builder
	arguments object
}

// deltas are the pieces of a message's tool calls; ok is false where one of them
// cannot be read, or is of a call that no answer can have.
func (t *toolCalls) deltas(d *delta) (out []llm.ToolCallDelta, ok bool) {
	calls, ok := readCalls(d)
	for i := range calls {
		index := t.index(&calls[i])
		if index >= maxToolCalls {
			return out, false
		}
		if delta, news := t.add(index, &calls[i]); news {
			out = append(out, delta)
		}
	}
	return out, ok
}

// index says which call a delta belongs to: where a server gives no index, the one
// with its id, a new one, or the last. An index that belongs to another call, which
// is complete, is none: some servers give 0 to all. Another id alone says nothing
// there: some make up a new one for every piece.
func (t *toolCalls) index(call *callDelta) int {
	known, isKnown := t.byID[call.id]
	if !call.indexed {
		begins := call.id != "" || call.name != "" && t.at(t.last).whole()
		switch {
		case isKnown:
			return known
		case begins || len(t.seen) == 0:
			return len(t.seen)
		}
		return t.last
	}
	index := call.index
	if moved, ok := t.moved[index]; ok {
		index = moved
	}
	before := t.at(index)
	switch {
	case before == nil || call.id == "" || before.id == "" || before.id == call.id:
		return index
	case isKnown:
		return known
	case call.name != "" && before.whole():
		index = len(t.seen)
		if t.moved == nil {
			t.moved = map[int]int{}
		}
		t.moved[call.index] = index // what comes with it from now on is of this one
	}
	return index
}

func (t *toolCalls) at(index int) *seenCall {
	if index >= len(t.seen) {
		return nil
	}
	return t.seen[index]
}

// whole reports whether the arguments are a whole object, to which no piece can be added.
func (s *seenCall) whole() bool { return s != nil && s.arguments.whole() }

// add notes a delta and gives what is new in it: a server may send the name with
// every piece, and a call again that it has sent whole.
func (t *toolCalls) add(index int, call *callDelta) (llm.ToolCallDelta, bool) {
	for len(t.seen) <= index {
		t.seen = append(t.seen, nil)
	}
	if t.seen[index] == nil {
		t.seen[index] = &seenCall{}
	}
	s := t.seen[index]
	t.last = index
	delta := llm.ToolCallDelta{Index: index, ID: call.id, Name: call.name, Arguments: call.arguments}
	if s.id != "" {
		delta.ID = "" // the first one stands
	} else if call.id != "" {
		s.id = call.id
		if t.byID == nil {
			t.byID = map[string]int{}
		}
		t.byID[call.id] = index
	}
	if delta.Name == s.name.String() {
		delta.Name = ""
	}
	s.name.WriteString(delta.Name)
	if delta.Arguments != "" && delta.Arguments == s.arguments.String() && s.whole() {
		delta.Arguments = ""
	}
	s.arguments.add(delta.Arguments)
	return delta, delta != llm.ToolCallDelta{Index: index}
}

// nameless reports whether one of the calls has no name: what it calls was lost.
func (t *toolCalls) nameless() bool {
	return slices.ContainsFunc(t.seen, func(s *seenCall) bool { return s != nil && s.name.Len() == 0 })
}
