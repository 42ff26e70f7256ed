package faults

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Calls are the tool calls that ToolCalls proposes.
var Calls = []llm.ToolCall{
	{ID: "call-a", Name: "weather", Arguments: `{"city":"Oslo"}`},
	{ID: "call-b", Name: "refund", Arguments: `{"order":7}`},
}

// ToolCalls proposes Calls in pieces that come out of order: the second call begins
// first. With repeated, every piece says id and name again, as some servers do.
func ToolCalls(repeated bool) Behaviour {
	what := "tool calls out of order"
	if repeated {
		what += ", names repeated"
	}
	return func(x *Exchange) {
		x.Note("%s", what)
		x.callTools(repeated, nil)
	}
}

// StrayToolCall proposes Calls, and among them one whose index is far away.
func StrayToolCall() Behaviour {
	return func(x *Exchange) {
		x.Note("a stray tool call")
		x.callTools(false, x.toolCall(100_000, "call-z", "far", "{}"))
	}
}

// CutToolCalls begins to propose Calls, and closes the connection within their arguments.
func CutToolCalls() Behaviour {
	return func(x *Exchange) {
		x.Note("tool calls, cut")
		x.Head(200, nil)
		if x.Send(x.toolCall(1, Calls[1].ID, Calls[1].Name, Calls[1].Arguments[:4])) {
			x.Send(x.toolCall(0, Calls[0].ID, Calls[0].Name, Calls[0].Arguments[:3]))
		}
		x.Abort()
	}
}

func (x *Exchange) callTools(repeated bool, stray []byte) {
	piece := func(i, from, to int) []byte {
		id, name := Calls[i].ID, Calls[i].Name
		if from > 0 && !repeated {
			id, name = "", ""
		}
		return x.toolCall(i, id, name, Calls[i].Arguments[from:min(to, len(Calls[i].Arguments))])
	}
	finish := `data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n"
	x.Head(200, nil)
	x.SendAll([][]byte{
		piece(1, 0, 4), piece(0, 0, 3), piece(1, 4, 8), stray, piece(0, 3, 9), piece(1, 8, 99), piece(0, 9, 99),
		[]byte(finish), []byte("data: [DONE]\n\n"),
	})
}

// toolCall is the event of a piece of a call.
func (x *Exchange) toolCall(index int, id, name, arguments string) []byte {
	return fmt.Appendf(nil, `data: {"id":"faults-%s-%d","object":"chat.completion.chunk","model":%q,"choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"id":%q,"type":"function","function":{"name":%q,"arguments":%q}}]},"finish_reason":null}]}`+"\n\n",
		x.Model, x.N, Answered(x.Model), index, id, name, arguments)
}
