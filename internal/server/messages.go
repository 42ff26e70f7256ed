package server

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// message is a message as OpenAI writes it.
type message struct {
	role, name string
	content    json.RawMessage
	refusal    string
	toolCallID string
	toolCalls  []json.RawMessage
}

var roles = map[string]llm.Role{
	"system": llm.System, "developer": llm.System, "user": llm.User, "assistant": llm.Assistant, "tool": llm.Tool,
}

// readMessages reads a conversation. A tool's result must answer a call before it: no
// provider takes another.
func readMessages(list []json.RawMessage) ([]llm.Message, error) {
	messages := make([]llm.Message, len(list))
	called := map[string]bool{}
	for i, raw := range list {
		at := within("messages", i)
		read, err := readMessage(raw, at)
		if err != nil {
			return nil, err
		}
		for _, part := range read.Parts {
			if part.ToolCall != nil {
				called[part.ToolCall.ID] = true
			}
			if part.ToolResult != nil && !called[part.ToolResult.ID] {
				return nil, invalid(at+".tool_call_id", "%s.tool_call_id: no assistant's message before it has a call %q", at, part.ToolResult.ID)
			}
		}
		messages[i] = read
	}
	return messages, nil
}

func readMessage(raw json.RawMessage, at string) (llm.Message, error) {
	o, err := readObject(raw, at, "an object {role, content}")
	if err != nil {
		return llm.Message{}, err
	}
	if call := o.fields["function_call"]; len(call) > 0 && !isNothing(call) {
		return llm.Message{}, invalid(at+".function_call", "%s.function_call is not supported: use tool_calls", at)
	}
	var m message
	if err := o.read([]member{
		{"role", &m.role, "a string"}, {"content", &m.content, "a string or a list of parts"}, {"name", &m.name, "a string"},
		{"refusal", &m.refusal, "a string"}, {"tool_calls", &m.toolCalls, "a list"}, {"tool_call_id", &m.toolCallID, "a string"},
	}); err != nil {
		return llm.Message{}, err
	}
	return m.read(at)
}

func (m *message) read(at string) (llm.Message, error) {
	role, ok := roles[m.role]
	switch {
	case !ok:
		return llm.Message{}, invalid(at+".role", "%s.role %q is not known; allowed: system, developer, user, assistant, tool", at, m.role)
	case len(m.toolCalls) > 0 && role != llm.Assistant:
		return llm.Message{}, invalid(at+".tool_calls", "%s.tool_calls: only an assistant proposes calls", at)
	case m.refusal != "" && role != llm.Assistant:
		return llm.Message{}, invalid(at+".refusal", "%s.refusal: only an assistant refuses", at)
	case m.toolCallID != "" && role != llm.Tool:
		return llm.Message{}, invalid(at+".tool_call_id", "%s.tool_call_id: only a tool's message answers a call", at)
	}
	parts, err := readContent(m.content, at+".content")
	if err != nil {
		return llm.Message{}, err
	}
	if role == llm.Tool {
		return m.result(parts, at)
	}
	if m.refusal != "" {
		parts = append(parts, llm.Part{Kind: llm.PartText, Text: m.refusal})
	}
	for i, raw := range m.toolCalls {
		call, err := readToolCall(raw, within(at+".tool_calls", i))
		if err != nil {
			return llm.Message{}, err
		}
		parts = append(parts, llm.Part{Kind: llm.PartToolCall, ToolCall: call})
	}
	if len(parts) == 0 {
		return llm.Message{}, invalid(at+".content", "%s.content is missing", at)
	}
	return llm.Message{Role: role, Name: m.name, Parts: parts}, nil
}

// result is a tool's message. Its content is text alone.
func (m *message) result(parts []llm.Part, at string) (llm.Message, error) {
	switch {
	case m.toolCallID == "":
		return llm.Message{}, invalid(at+".tool_call_id", "%s.tool_call_id is missing", at)
	case parts == nil:
		return llm.Message{}, invalid(at+".content", "%s.content is missing", at)
	}
	var text strings.Builder
	for i, part := range parts {
		if part.Kind != llm.PartText {
			where := within(at+".content", i)
			return llm.Message{}, invalid(where+".type", "%s.type: the result of a tool is text", where)
		}
		text.WriteString(part.Text)
	}
	result := &llm.ToolResult{ID: m.toolCallID, Name: m.name, Content: text.String()}
	return llm.Message{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: result}}}, nil
}

// readToolCall reads a call that an assistant has proposed before.
func readToolCall(raw json.RawMessage, at string) (*llm.ToolCall, error) {
	o, err := readObject(raw, at, "an object {id, type, function}")
	if err != nil {
		return nil, err
	}
	kind, call, index := "function", &llm.ToolCall{}, 0
	var function json.RawMessage
	if err := o.read([]member{
		{"id", &call.ID, "a string"}, {"type", &kind, "a string"}, {"function", &function, "an object {name, arguments}"},
		{"index", &index, "a whole number"}, // of a stream's pieces that were joined: it stands in its place
	}); err != nil {
		return nil, err
	}
	switch {
	case kind != "function":
		return nil, invalid(at+".type", "%s.type %q is not passed on; allowed: function", at, kind)
	case call.ID == "":
		return nil, invalid(at+".id", "%s.id is missing", at)
	case function == nil:
		return nil, invalid(at+".function", "%s.function is missing", at)
	}
	if o, err = readObject(function, at+".function", "an object {name, arguments}"); err != nil {
		return nil, err
	}
	if err := o.read([]member{{"name", &call.Name, "a string"}, {"arguments", &call.Arguments, "a string of JSON"}}); err != nil {
		return nil, err
	}
	if call.Name == "" {
		return nil, invalid(at+".function.name", "%s.function.name is missing", at)
	}
	return call, nil
}
