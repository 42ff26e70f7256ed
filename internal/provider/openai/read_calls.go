package openai

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Tool calls are read more strictly than the rest of a message: a field of another
// type cannot be left out there. A call that vanishes would be the model's not
// calling, which a suite may want or forbid, and its arguments would be empty.

// callDelta is a piece of a tool call, as a server sends it.
type callDelta struct {
	index               int
	indexed             bool // it has an index
	id, name, arguments string
}

type functionDelta struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// readCalls reads the pieces of a message's tool calls; ok is false where one of them
// has not the form of the wire. Null stands for nothing everywhere but in the list.
func readCalls(d *delta) (calls []callDelta, ok bool) {
	if said(d.ToolCalls) {
		var list []*struct {
			Index    json.RawMessage `json:"index"`
			ID       string          `json:"id"`
			Function functionDelta   `json:"function"`
		}
		if json.Unmarshal(d.ToolCalls, &list) != nil {
			return nil, false
		}
		for _, item := range list {
			if item == nil {
				return calls, false
			}
			call := callDelta{id: item.ID}
			if call.index, call.indexed, ok = readIndex(item.Index); !ok || !call.read(&item.Function) {
				return calls, false
			}
			calls = append(calls, call)
		}
	}
	if said(d.FunctionCall) { // the form from before tools: one call, without an id
		var function functionDelta
		call := callDelta{indexed: true}
		if json.Unmarshal(d.FunctionCall, &function) != nil || !call.read(&function) {
			return calls, false
		}
		if call.name != "" || call.arguments != "" {
			calls = append(calls, call)
		}
	}
	return calls, true
}

// read takes over name and arguments. Arguments are a string in which JSON stands;
// some servers send the object itself.
func (c *callDelta) read(f *functionDelta) bool {
	c.name = f.Name
	switch {
	case !said(f.Arguments):
		return true
	case f.Arguments[0] == '{':
		c.arguments = strings.ToValidUTF8(string(f.Arguments), "\uFFFD")
		return true
	}
	return json.Unmarshal(f.Arguments, &c.arguments) == nil
}

// readIndex reads an index: a number, also one in quotes.
func readIndex(raw json.RawMessage) (index int, given, ok bool) {
	if !said(raw) {
		return 0, false, true
	}
	index, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	return index, true, err == nil && index >= 0 && index < maxToolCalls
}

// said reports whether a field is there, and not null.
func said(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
