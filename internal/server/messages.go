package server

import (
	"encoding/json"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// message is a message as OpenAI writes it.
type message struct {
	Role       string          `json:"role"`
	Name       string          `json:"name"`
	Content    json.RawMessage `json:"content"`
	Refusal    string          `json:"refusal"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

var roles = map[string]llm.Role{
	"system": llm.System, "developer": llm.System, "user": llm.User, "assistant": llm.Assistant, "tool": llm.Tool,
}

func readMessages(list []json.RawMessage) ([]llm.Message, error) {
	messages := make([]llm.Message, len(list))
	for i, raw := range list {
		at := within("messages", i)
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, invalid(at, "%s: want {role, content}", at)
		}
		read, err := m.read(at)
		if err != nil {
			return nil, err
		}
		messages[i] = read
	}
	return messages, nil
}

func (m *message) read(at string) (llm.Message, error) {
	role, ok := roles[m.Role]
	if !ok {
		return llm.Message{}, invalid(at+".role", "%s.role %q is not known; allowed: system, developer, user, assistant, tool", at, m.Role)
	}
	parts, err := readContent(m.Content, at+".content")
	if err != nil {
		return llm.Message{}, err
	}
	read := llm.Message{Role: role, Name: m.Name, Parts: parts}
	if role == llm.Tool {
		if m.ToolCallID == "" {
			return read, invalid(at+".tool_call_id", "%s.tool_call_id is missing", at)
		}
		result := &llm.ToolResult{ID: m.ToolCallID, Name: m.Name, Content: read.Text()}
		return llm.Message{Role: role, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: result}}}, nil
	}
	if role == llm.Assistant {
		if m.Refusal != "" {
			read.Parts = append(read.Parts, llm.Part{Kind: llm.PartText, Text: m.Refusal})
		}
		for _, call := range m.ToolCalls {
			read.Parts = append(read.Parts, llm.Part{Kind: llm.PartToolCall, ToolCall: &llm.ToolCall{
				ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments,
			}})
		}
	}
	if len(read.Parts) == 0 {
		return read, invalid(at+".content", "%s.content is missing", at)
	}
	return read, nil
}

// contentPart is one part of a message's content.
type contentPart struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Refusal string `json:"refusal"`
	Image   *struct {
		URL string `json:"url"`
	} `json:"image_url"`
	File *struct {
		Name string `json:"filename"`
		Data string `json:"file_data"`
	} `json:"file"`
}

func readContent(raw json.RawMessage, at string) ([]llm.Part, error) {
	if len(raw) == 0 || isNull(raw) {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []llm.Part{{Kind: llm.PartText, Text: text}}, nil
	}
	var list []contentPart
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, invalid(at, "%s: want a string or a list of parts", at)
	}
	parts := make([]llm.Part, len(list))
	for i := range list {
		part, err := list[i].read(within(at, i))
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return parts, nil
}

// partTypes are the parts that are passed on.
var partTypes = []string{"text", "refusal", "image_url", "file"}

func (p *contentPart) read(at string) (llm.Part, error) {
	switch {
	case p.Type == "text":
		return llm.Part{Kind: llm.PartText, Text: p.Text}, nil
	case p.Type == "refusal":
		return llm.Part{Kind: llm.PartText, Text: p.Refusal}, nil
	case p.Type == "image_url" && p.Image != nil:
		return readMedia(llm.PartImage, p.Image.URL, "", at+".image_url.url")
	case p.Type == "file" && p.File != nil && p.File.Data != "":
		return readMedia(llm.PartFile, p.File.Data, p.File.Name, at+".file.file_data")
	case slices.Contains(partTypes, p.Type):
		return llm.Part{}, invalid(at, "%s: the part has no %s (files are sent as file_data)", at, p.Type)
	}
	return llm.Part{}, invalid(at+".type", "%s.type %q is not passed on; allowed: %s", at, p.Type, fault.Allowed("", partTypes))
}

// readMedia takes web addresses, which the model's provider follows and nobody here,
// and data: URLs.
func readMedia(kind llm.PartKind, url, name, at string) (llm.Part, error) {
	media, err := prompt.MediaFromURL(url)
	if err != nil {
		return llm.Part{}, invalid(at, "%s: %s", at, fault.As(err).Message)
	}
	if name != "" {
		media.Name = name
	}
	return llm.Part{Kind: kind, Media: media}, nil
}
