package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// item is one item of an input, as far as it is passed on. Items of an answer come back
// as they were, with members that are nobody's to read.
type item struct {
	kind, role, callID, name, arguments string
	content, output                     json.RawMessage
}

func readItem(raw json.RawMessage, at string) (it item, err error) {
	o, err := readObject(raw, at, "an item: {role, content}, or one of the types "+strings.Join(itemTypes, ", "))
	if err != nil {
		return it, err
	}
	return it, o.takeAll([]member{
		{"type", &it.kind, "a string"}, {"role", &it.role, "a string"}, {"content", &it.content, "a string or a list of parts"},
		{"call_id", &it.callID, "a string"}, {"name", &it.name, "a string"}, {"arguments", &it.arguments, "a string of JSON"},
		{"output", &it.output, "a string or a list of parts"},
	})
}

// chatMessage is a message in the words of a chat, which every item becomes.
type chatMessage struct {
	Role       string           `json:"role"`
	Content    any              `json:"content,omitempty"`
	ToolCallID string           `json:"tool_call_id,omitempty"`
	ToolCalls  []map[string]any `json:"tool_calls,omitempty"`
}

var itemTypes = []string{"message", "function_call", "function_call_output"}

// readItems turns instructions and an input into the messages of a chat. Calls of tools
// that follow each other, and what the assistant said before them, are one message. from
// says where each comes from.
func readItems(input json.RawMessage, instructions *string) (list []json.RawMessage, from []origin, err error) {
	var messages []chatMessage
	if instructions != nil && *instructions != "" {
		messages = append(messages, chatMessage{Role: "developer", Content: *instructions})
		from = append(from, origin{at: "instructions", whole: true})
	}
	var text string
	var items []json.RawMessage
	switch {
	case len(input) == 0:
	case json.Unmarshal(input, &text) == nil:
		messages = append(messages, chatMessage{Role: "user", Content: text})
		from = append(from, origin{at: "input", whole: true})
	case json.Unmarshal(input, &items) != nil:
		return nil, nil, invalid("input", "input: want a string or a list of items")
	}
	for i, raw := range items {
		at := within("input", i)
		it, err := readItem(raw, at)
		if err != nil {
			return nil, nil, err
		}
		said, err := it.message(at)
		if err != nil {
			return nil, nil, err
		}
		last := len(messages) - 1
		if it.kind == "function_call" && last >= 0 && messages[last].Role == "assistant" {
			messages[last].ToolCalls = append(messages[last].ToolCalls, said.ToolCalls...)
			continue
		}
		messages = append(messages, said)
		from = append(from, origin{at: at, kind: it.kind})
	}
	list = make([]json.RawMessage, len(messages))
	for i, m := range messages {
		list[i] = mustJSON(m)
	}
	return list, from, nil
}

func (it *item) message(at string) (chatMessage, error) {
	switch it.kind {
	case "", "message":
		content, err := chatContent(it.content, at+".content")
		return chatMessage{Role: it.role, Content: content}, err
	case "function_call":
		if it.callID == "" || it.name == "" {
			return chatMessage{}, invalid(at, "%s: a function_call needs call_id and name", at)
		}
		call := map[string]any{"id": it.callID, "type": "function", "function": map[string]string{"name": it.name, "arguments": it.arguments}}
		return chatMessage{Role: "assistant", ToolCalls: []map[string]any{call}}, nil
	case "function_call_output":
		content, err := chatContent(it.output, at+".output")
		return chatMessage{Role: "tool", ToolCallID: it.callID, Content: content}, err
	}
	return chatMessage{}, refusalOf(http.StatusBadRequest, "invalid_request", at+".type", "%s.type %q is not supported; allowed: %s", at, it.kind, strings.Join(itemTypes, ", "))
}

// itemPart is a part of an item's content.
type itemPart struct {
	text, refusal                                       *string // nil: it is missing
	kind, imageURL, detail, fileData, fileURL, filename string
}

func readItemPart(raw json.RawMessage, at string) (part itemPart, err error) {
	o, err := readObject(raw, at, "a part {type, …}")
	if err != nil {
		return part, err
	}
	return part, o.takeAll([]member{
		{"type", &part.kind, "a string"}, {"text", &part.text, "a string"}, {"refusal", &part.refusal, "a string"},
		{"image_url", &part.imageURL, "a string"}, {"detail", &part.detail, "a string"},
		{"file_data", &part.fileData, "a string"}, {"file_url", &part.fileURL, "a string"}, {"filename", &part.filename, "a string"},
	})
}

var itemPartTypes = []string{"input_text", "output_text", "refusal", "input_image", "input_file"}

// chatContent turns a content into that of a chat's message.
func chatContent(raw json.RawMessage, at string) (any, error) {
	if len(raw) == 0 {
		return nil, invalid(at, "%s is missing", at)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, invalid(at, "%s: want a string or a list of parts", at)
	}
	content := make([]map[string]any, len(parts))
	for i := range parts {
		at := within(at, i)
		part, err := readItemPart(parts[i], at)
		if err != nil {
			return nil, err
		}
		switch {
		case part.text != nil && (part.kind == "input_text" || part.kind == "output_text"):
			content[i] = map[string]any{"type": "text", "text": *part.text}
		case part.refusal != nil && part.kind == "refusal":
			content[i] = map[string]any{"type": "text", "text": *part.refusal}
		case part.kind == "input_image" && part.imageURL != "":
			image := map[string]any{"url": part.imageURL}
			if part.detail != "" {
				image["detail"] = part.detail
			}
			content[i] = map[string]any{"type": "image_url", "image_url": image}
		case part.kind == "input_file" && part.fileData+part.fileURL != "":
			content[i] = map[string]any{"type": "file", "file": map[string]any{"filename": part.filename, "file_data": part.fileData + part.fileURL}}
		case slices.Contains(itemPartTypes, part.kind):
			return nil, invalid(at, "%s: send what the part says or shows: text, refusal, image_url, file_data or file_url; files are not kept here", at)
		default:
			return nil, invalid(at+".type", "%s.type %q is not supported; allowed: %s", at, part.kind, strings.Join(itemPartTypes, ", "))
		}
	}
	return content, nil
}
