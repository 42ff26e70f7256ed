package server

import (
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// fillThread puts messages into the input that takes a conversation.
func (c *chatRequest) fillThread(p *prompt.Prompt, vars map[string]any) error {
	if len(c.messages) == 0 {
		return nil
	}
	at := slices.IndexFunc(p.Inputs, func(in prompt.Input) bool { return in.Kind == prompt.KindThread })
	if at < 0 {
		return invalid("messages", "messages: the prompt %s takes no conversation; its inputs go into prompt.variables", p.Name)
	}
	name := p.Inputs[at].Name
	if _, given := vars[name]; given {
		return invalid("messages", "messages fill the input %q, which prompt.variables has, too", name)
	}
	messages, err := readMessages(c.messages)
	if err != nil {
		return err
	}
	thread := make([]any, len(messages))
	for i := range messages {
		if messages[i].Role == llm.System {
			where := within("messages", i) + ".role"
			return invalid(where, "%s: the instructions are those of the prompt %s; send what user, assistant and tool said", where, p.Name)
		}
		thread[i] = threadMessage(&messages[i])
	}
	vars[name] = thread
	return nil
}

// threadMessage writes a message as a thread has it.
func threadMessage(m *llm.Message) map[string]any {
	said := map[string]any{"role": string(m.Role)}
	if m.Name != "" {
		said["name"] = m.Name
	}
	var parts, calls []any
	for _, part := range m.Parts {
		switch part.Kind {
		case llm.PartToolResult:
			said["tool_call_id"], said["content"] = part.ToolResult.ID, part.ToolResult.Content
			if part.ToolResult.Name != "" {
				said["name"] = part.ToolResult.Name
			}
		case llm.PartToolCall:
			calls = append(calls, map[string]any{"id": part.ToolCall.ID, "name": part.ToolCall.Name, "arguments": part.ToolCall.Arguments})
		default:
			parts = append(parts, threadPart(&part))
		}
	}
	switch {
	case len(parts) == 1 && m.Parts[0].Kind == llm.PartText:
		said["content"] = m.Parts[0].Text
	case len(parts) > 0:
		said["content"] = parts
	}
	if len(calls) > 0 {
		said["tool_calls"] = calls
	}
	return said
}

func threadPart(part *llm.Part) map[string]any {
	switch part.Kind {
	case llm.PartImage:
		image := map[string]any{"url": addressOf(part.Media)}
		if part.Media.Detail != "" {
			image["detail"] = part.Media.Detail
		}
		return map[string]any{"type": "image_url", "image_url": image}
	case llm.PartFile:
		file := map[string]any{"file_data": addressOf(part.Media)}
		if part.Media.Name != "" {
			file["filename"] = part.Media.Name
		}
		return map[string]any{"type": "file", "file": file}
	}
	return map[string]any{"type": "text", "text": part.Text}
}

// addressOf gives a web address, or the bytes as a data: URL.
func addressOf(media *llm.Media) string {
	if media.URL != "" {
		return media.URL
	}
	kind := media.Type
	if kind == "" {
		kind = http.DetectContentType(media.Data)
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(media.Data)
}
