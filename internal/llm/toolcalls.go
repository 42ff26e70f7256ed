package llm

import "strings"

// maxToolCalls bounds what a confused provider's index can make us allocate.
const maxToolCalls = 128

// ToolCallPieces joins the pieces of tool calls. The zero value holds none. The cost
// of a piece does not grow with what came before it.
type ToolCallPieces struct {
	calls []*joined // by index; nil where none has come
}

type joined struct {
	id              string
	name, arguments strings.Builder
}

// Add lays a piece to those that came before. One whose index is out of bounds is left out.
func (p *ToolCallPieces) Add(delta ToolCallDelta) {
	if delta.Index < 0 || delta.Index >= maxToolCalls {
		return
	}
	for len(p.calls) <= delta.Index {
		p.calls = append(p.calls, nil)
	}
	call := p.calls[delta.Index]
	if call == nil {
		call = &joined{}
		p.calls[delta.Index] = call
	}
	if delta.ID != "" {
		call.id = delta.ID
	}
	call.name.WriteString(delta.Name)
	call.arguments.WriteString(delta.Arguments)
}

// Calls are the calls as far as they have come, in the order of their index; nil for
// none. An index of which nothing has come is no call.
func (p *ToolCallPieces) Calls() []ToolCall {
	var calls []ToolCall
	for _, call := range p.calls {
		if call != nil {
			calls = append(calls, ToolCall{ID: call.id, Name: call.name.String(), Arguments: call.arguments.String()})
		}
	}
	return calls
}
