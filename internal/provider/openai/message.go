package openai

import (
	"cmp"
	"encoding/base64"
	"net/http"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Messages are written here and not by go-openai, which has no file part and
// leaves out an empty content or empty arguments, which servers then miss.

// appendMessages appends the wire's array of messages.
func appendMessages(b []byte, messages []llm.Message) ([]byte, error) {
	b = append(b, '[')
	for i, message := range messages {
		var err error
		if b, err = appendMessage(b, message); err != nil {
			return nil, fault.New(fault.BadRequest, "message %d: %v", i+1, err)
		}
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, ']'), nil
}

// appendMessage appends a message and a comma; a message with tool results
// becomes one wire message for each, before what else it holds.
func appendMessage(b []byte, m llm.Message) ([]byte, error) {
	content, calls := 0, 0
	for _, part := range m.Parts {
		switch part.Kind {
		case llm.PartToolResult:
			if part.ToolResult == nil {
				return nil, errEmptyPart(part.Kind)
			}
			b = append(b, `{"role":"tool","tool_call_id":`...)
			b = appendQuoted(b, part.ToolResult.ID)
			b = append(b, `,"content":`...)
			b = appendQuoted(b, part.ToolResult.Content)
			b = append(b, "},"...)
		case llm.PartToolCall:
			calls++
		default:
			content++
		}
	}
	if content+calls == 0 && len(m.Parts) > 0 {
		return b, nil
	}
	b = append(b, `{"role":`...)
	b = appendQuoted(b, string(m.Role))
	if m.Name != "" {
		b = append(b, `,"name":`...)
		b = appendQuoted(b, m.Name)
	}
	b = append(b, `,"content":`...)
	b, err := appendContent(b, m.Parts, content, calls)
	if err != nil {
		return nil, err
	}
	if calls > 0 {
		if b, err = appendToolCalls(b, m.Parts); err != nil {
			return nil, err
		}
	}
	return append(b, "},"...), nil
}

// appendContent appends the content: a plain string where that says it all, null
// beside nothing but tool calls, else the parts.
func appendContent(b []byte, parts []llm.Part, content, calls int) ([]byte, error) {
	switch {
	case content == 0 && calls > 0:
		return append(b, "null"...), nil
	case content == 0:
		return append(b, `""`...), nil
	}
	list := false
	for _, part := range parts {
		if part.Kind == llm.PartToolCall || part.Kind == llm.PartToolResult {
			continue
		}
		if content == 1 && part.Kind == llm.PartText {
			return appendQuoted(b, part.Text), nil
		}
		if list {
			b = append(b, ',')
		} else {
			b, list = append(b, '['), true
		}
		var err error
		if b, err = appendPart(b, part); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendPart(b []byte, part llm.Part) ([]byte, error) {
	switch part.Kind {
	case llm.PartText:
		b = append(b, `{"type":"text","text":`...)
		b = appendQuoted(b, part.Text)
		return append(b, '}'), nil
	case llm.PartImage:
		if empty(part.Media) {
			return nil, errEmptyPart(part.Kind)
		}
		b = append(b, `{"type":"image_url","image_url":{"url":`...)
		b = appendMedia(b, part.Media)
		b = append(b, `,"detail":`...)
		b = appendQuoted(b, cmp.Or(part.Media.Detail, "auto"))
		return append(b, "}}"...), nil
	case llm.PartFile:
		if empty(part.Media) {
			return nil, errEmptyPart(part.Kind)
		}
		name := part.Media.Name
		if name == "" {
			name = "file" // the wire wants one
		}
		b = append(b, `{"type":"file","file":{"filename":`...)
		b = appendQuoted(b, name)
		b = append(b, `,"file_data":`...)
		b = appendMedia(b, part.Media)
		return append(b, "}}"...), nil
	}
	return nil, fault.New(fault.BadRequest, "unknown kind of part %q", part.Kind)
}

// appendMedia appends a URL as it is, or bytes as a data: URL.
func appendMedia(b []byte, media *llm.Media) []byte {
	if len(media.Data) == 0 {
		return appendQuoted(b, media.URL)
	}
	mime := media.Type
	if mime == "" {
		mime = http.DetectContentType(media.Data)
	}
	b = appendQuoted(b, "data:"+mime+";base64,")
	b = base64.StdEncoding.AppendEncode(b[:len(b)-1], media.Data)
	return append(b, '"')
}

func appendToolCalls(b []byte, parts []llm.Part) ([]byte, error) {
	b = append(b, `,"tool_calls":[`...)
	first := true
	for _, part := range parts {
		if part.Kind != llm.PartToolCall {
			continue
		}
		if part.ToolCall == nil {
			return nil, errEmptyPart(part.Kind)
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, `{"id":`...)
		b = appendQuoted(b, part.ToolCall.ID)
		b = append(b, `,"type":"function","function":{"name":`...)
		b = appendQuoted(b, part.ToolCall.Name)
		b = append(b, `,"arguments":`...)
		b = appendQuoted(b, part.ToolCall.Arguments)
		b = append(b, "}}"...)
	}
	return append(b, ']'), nil
}

func empty(media *llm.Media) bool {
	return media == nil || media.URL == "" && len(media.Data) == 0
}

func errEmptyPart(kind llm.PartKind) error {
	return fault.New(fault.BadRequest, "a part of kind %q holds nothing", kind)
}
