package prompt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// threadReader reads a conversation in the field's chat format: messages of user,
// assistant and tool. A system message is refused: instructions stand in the prompt.
type threadReader struct {
	name     string
	at       string      // "message 2"
	place    fault.Place // of a message in a file, which then has no name
	problems *fault.List
}

func readThread(name string, value any, problems *fault.List) []llm.Message {
	list, ok := value.([]any)
	if !ok {
		problems.Add(wrongKind(name, kindWords[KindThread], value))
		return nil
	}
	messages := make([]llm.Message, 0, len(list))
	for i, item := range list {
		r := threadReader{name: name, at: fmt.Sprintf("message %d", i+1), problems: problems}
		messages = append(messages, r.message(item))
	}
	checkResults(name, messages, problems)
	return messages
}

// checkResults refuses a tool's result that answers no call: no provider takes it.
func checkResults(name string, messages []llm.Message, problems *fault.List) {
	open := map[string]bool{}
	for i, message := range messages {
		for _, part := range message.Parts {
			switch {
			case part.ToolCall != nil:
				open[part.ToolCall.ID] = true
			case part.ToolResult != nil && part.ToolResult.ID != "" && !open[part.ToolResult.ID]:
				r := threadReader{name: name, at: fmt.Sprintf("message %d", i+1), problems: problems}
				r.fail("it is the result of the call %q, which no assistant before it has proposed", part.ToolResult.ID).
					Hint = "begin the thread with what the user said, and the assistant's tool_calls"
			}
		}
	}
}

func (r threadReader) fail(format string, args ...any) *fault.Error {
	err := fault.At(r.place, "%s", fmt.Sprintf(format, args...))
	if r.name != "" {
		err.Message = fmt.Sprintf("the input %q, %s: %s", r.name, r.at, err.Message)
	}
	r.problems.Add(err)
	return err
}

// object wants a mapping with no other than these keys.
func (r threadReader) object(value any, keys ...string) (map[string]any, bool) {
	object, ok := value.(map[string]any)
	if !ok {
		r.fail("want a mapping, got %s", describe(value))
		return nil, false
	}
	for _, key := range sortedKeys(object) {
		if !slices.Contains(keys, key) {
			r.fail("unknown key %q", key).Hint = fault.Allowed(key, keys)
			ok = false
		}
	}
	return object, ok
}

// text wants a string; what is absent is "".
func (r threadReader) text(object map[string]any, key string, required bool) string {
	value := object[key]
	text, ok := value.(string)
	if required && value == nil {
		r.fail("the key %q is missing", key)
		return ""
	}
	if (!ok && value != nil) || (required && text == "") {
		r.fail("the key %q wants a string, got %s", key, describe(value))
	}
	return text
}

func (r threadReader) message(value any) llm.Message {
	object, ok := r.object(value, "role", "content", "name", "tool_calls", "tool_call_id")
	if !ok {
		return llm.Message{}
	}
	role := llm.Role(r.text(object, "role", false))
	roles := []string{string(llm.User), string(llm.Assistant), string(llm.Tool)}
	if !slices.Contains(roles, string(role)) {
		r.fail("a thread has no role %q", string(role)).Hint = fault.Allowed(string(role), roles)
		return llm.Message{}
	}
	message := llm.Message{Role: role, Name: r.text(object, "name", false)}
	if object["tool_calls"] != nil && role != llm.Assistant {
		r.fail("only an assistant has tool_calls")
	}
	if object["tool_call_id"] != nil && role != llm.Tool {
		r.fail("only a tool message has a tool_call_id")
	}
	if role == llm.Tool {
		message.Parts = []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{
			ID: r.text(object, "tool_call_id", true), Name: message.Name, Content: r.text(object, "content", false),
		}}}
		message.Name = ""
		return message
	}
	before := len(*r.problems)
	message.Parts = append(r.content(object["content"]), r.toolCalls(object["tool_calls"])...)
	if len(message.Parts) == 0 && len(*r.problems) == before {
		r.fail("there is no content")
	}
	return message
}

func (r threadReader) content(value any) []llm.Part {
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return []llm.Part{{Kind: llm.PartText, Text: value}}
	case []any:
		parts := make([]llm.Part, 0, len(value))
		for _, item := range value {
			parts = append(parts, r.part(item))
		}
		return parts
	}
	r.fail("the content wants a string or a list of parts, got %s", describe(value))
	return nil
}

func (r threadReader) part(value any) llm.Part {
	object, ok := r.object(value, "type", "text", "image_url", "file")
	if !ok {
		return llm.Part{}
	}
	switch kind := r.text(object, "type", true); kind {
	case "text":
		return llm.Part{Kind: llm.PartText, Text: r.text(object, "text", false)}
	case "image_url":
		inner, ok := r.object(object["image_url"], "url", "detail")
		if !ok {
			return llm.Part{}
		}
		part := r.media(llm.PartImage, r.text(inner, "url", true), "")
		if detail := r.text(inner, "detail", false); part.Media != nil && detail != "auto" {
			part.Media.Detail = detail
		}
		return part
	case "file":
		inner, ok := r.object(object["file"], "filename", "file_data")
		if !ok {
			return llm.Part{}
		}
		return r.media(llm.PartFile, r.text(inner, "file_data", true), r.text(inner, "filename", false))
	default:
		r.fail("unknown type %q of a part", kind).Hint = fault.Allowed(kind, []string{"text", "image_url", "file"})
	}
	return llm.Part{}
}

// media takes URLs alone: a value must not make us read the project's files unasked.
func (r threadReader) media(kind llm.PartKind, url, name string) llm.Part {
	media, err := mediaFromURL(url)
	if err != nil {
		r.fail("%s", err.Message)
		return llm.Part{}
	}
	if name != "" {
		media.Name = name
	}
	return llm.Part{Kind: kind, Media: media}
}

func (r threadReader) toolCalls(value any) []llm.Part {
	if value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		r.fail("tool_calls wants a list, got %s", describe(value))
		return nil
	}
	parts := make([]llm.Part, 0, len(list))
	for _, item := range list {
		object, function, ok := r.toolCall(item)
		if !ok {
			continue
		}
		call := llm.ToolCall{ID: r.text(object, "id", true), Name: r.text(function, "name", true)}
		switch arguments := function["arguments"].(type) {
		case string:
			call.Arguments = arguments
		case nil, map[string]any:
			raw, err := json.Marshal(arguments)
			if err != nil {
				r.fail("the arguments of %q are not JSON", call.Name)
			}
			if call.Arguments = string(raw); arguments == nil {
				call.Arguments = "{}"
			}
		default:
			r.fail("the arguments of %q want JSON text or a mapping, got %s", call.Name, describe(arguments))
		}
		parts = append(parts, llm.Part{Kind: llm.PartToolCall, ToolCall: &call})
	}
	return parts
}

// toolCall reads a call as the field writes it, {id, type, function: {name, arguments}},
// or short: {id, name, arguments}.
func (r threadReader) toolCall(item any) (object, function map[string]any, ok bool) {
	if short, isMapping := item.(map[string]any); isMapping && short["function"] == nil && short["name"] != nil {
		object, ok = r.object(item, "id", "name", "arguments")
		return object, object, ok
	}
	if object, ok = r.object(item, "id", "type", "function"); !ok {
		return nil, nil, false
	}
	function, ok = r.object(object["function"], "name", "arguments")
	return object, function, ok
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
