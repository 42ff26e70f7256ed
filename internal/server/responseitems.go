package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// item is one item of an input, as far as it is passed on.
type item struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
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
// that follow each other, and what the assistant said before them, are one message.
func readItems(input json.RawMessage, instructions *string) ([]json.RawMessage, error) {
	var messages []chatMessage
	if instructions != nil && *instructions != "" {
		messages = append(messages, chatMessage{Role: "developer", Content: *instructions})
	}
	var text string
	var items []json.RawMessage
	switch {
	case len(input) == 0:
	case json.Unmarshal(input, &text) == nil:
		messages = append(messages, chatMessage{Role: "user", Content: text})
	case json.Unmarshal(input, &items) != nil:
		return nil, invalid("input", "input: want a string or a list of items")
	}
	for i, raw := range items {
		at := within("input", i)
		var it item
		if err := json.Unmarshal(raw, &it); err != nil {
			return nil, invalid(at, "%s: want an item: {role, content}, or one of the types %s", at, strings.Join(itemTypes, ", "))
		}
		said, err := it.message(at)
		if err != nil {
			return nil, err
		}
		last := len(messages) - 1
		if it.Type == "function_call" && last >= 0 && messages[last].Role == "assistant" {
			messages[last].ToolCalls = append(messages[last].ToolCalls, said.ToolCalls...)
			continue
		}
		messages = append(messages, said)
	}
	list := make([]json.RawMessage, len(messages))
	for i, m := range messages {
		list[i] = mustJSON(m)
	}
	return list, nil
}

func (it *item) message(at string) (chatMessage, error) {
	switch it.Type {
	case "", "message":
		content, err := chatContent(it.Content, at+".content")
		return chatMessage{Role: it.Role, Content: content}, err
	case "function_call":
		if it.CallID == "" || it.Name == "" {
			return chatMessage{}, invalid(at, "%s: a function_call needs call_id and name", at)
		}
		call := map[string]any{"id": it.CallID, "type": "function", "function": map[string]string{"name": it.Name, "arguments": it.Arguments}}
		return chatMessage{Role: "assistant", ToolCalls: []map[string]any{call}}, nil
	case "function_call_output":
		content, err := chatContent(it.Output, at+".output")
		return chatMessage{Role: "tool", ToolCallID: it.CallID, Content: content}, err
	}
	return chatMessage{}, refusalOf(http.StatusBadRequest, "invalid_request", at+".type", "%s.type %q is not supported; allowed: %s", at, it.Type, strings.Join(itemTypes, ", "))
}

// itemPart is a part of an item's content.
type itemPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Refusal  string `json:"refusal"`
	ImageURL string `json:"image_url"`
	Detail   string `json:"detail"`
	FileData string `json:"file_data"`
	FileURL  string `json:"file_url"`
	Filename string `json:"filename"`
}

var itemPartTypes = []string{"input_text", "output_text", "refusal", "input_image", "input_file"}

// chatContent turns a content into that of a chat's message.
func chatContent(raw json.RawMessage, at string) (any, error) {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []itemPart
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, invalid(at, "%s: want a string or a list of parts", at)
	}
	content := make([]map[string]any, len(parts))
	for i, part := range parts {
		at := within(at, i)
		switch {
		case part.Type == "input_text" || part.Type == "output_text":
			content[i] = map[string]any{"type": "text", "text": part.Text}
		case part.Type == "refusal":
			content[i] = map[string]any{"type": "text", "text": part.Refusal}
		case part.Type == "input_image" && part.ImageURL != "":
			image := map[string]any{"url": part.ImageURL}
			if part.Detail != "" {
				image["detail"] = part.Detail
			}
			content[i] = map[string]any{"type": "image_url", "image_url": image}
		case part.Type == "input_file" && part.FileData+part.FileURL != "":
			content[i] = map[string]any{"type": "file", "file": map[string]any{"filename": part.Filename, "file_data": part.FileData + part.FileURL}}
		case slices.Contains(itemPartTypes, part.Type):
			return nil, invalid(at, "%s: send what the part shows: image_url, file_data or file_url; files are not kept here", at)
		default:
			return nil, invalid(at+".type", "%s.type %q is not supported; allowed: %s", at, part.Type, strings.Join(itemPartTypes, ", "))
		}
	}
	return content, nil
}
