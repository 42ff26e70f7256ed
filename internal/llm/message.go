package llm

// Role says who speaks.
type Role string

// The roles of a conversation.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
	Tool      Role = "tool"
)

// Message is one turn of a conversation: a role and its content parts.
type Message struct {
	Role  Role   `json:"role"`
	Name  string `json:"name,omitempty"`
	Parts []Part `json:"parts"`
}

// PartKind says what a part of a message holds.
type PartKind string

// The kinds of parts.
const (
	PartText       PartKind = "text"
	PartImage      PartKind = "image"
	PartFile       PartKind = "file"
	PartToolCall   PartKind = "tool_call"
	PartToolResult PartKind = "tool_result"
)

// Part is one piece of a message's content. The field named by Kind is set.
type Part struct {
	Kind       PartKind    `json:"kind"`
	Text       string      `json:"text,omitempty"`
	Media      *Media      `json:"media,omitempty"` // of an image or a file
	ToolCall   *ToolCall   `json:"tool_call,omitempty"`
	ToolResult *ToolResult `json:"tool_result,omitempty"`
}

// Media is an image or a file: by URL, or by its bytes.
type Media struct {
	Type string `json:"type,omitempty"` // MIME type
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
	Data []byte `json:"data,omitempty"`

	Detail string `json:"detail,omitempty"` // how closely an image is to be looked at: low, high; "" for auto
}

// ToolCall is a call that a model proposes. Arguments are JSON text as the model wrote it.
type ToolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// String is the call as every report shows it.
func (c ToolCall) String() string { return "→ " + c.Name + "(" + c.Arguments + ")" }

// ToolResult answers a tool call.
type ToolResult struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Content string `json:"content"`
}

// Text makes a message of one text part.
func Text(role Role, text string) Message {
	return Message{Role: role, Parts: []Part{{Kind: PartText, Text: text}}}
}

// Text is the message's text parts, joined.
func (m Message) Text() string {
	if len(m.Parts) == 1 && m.Parts[0].Kind == PartText {
		return m.Parts[0].Text
	}
	text := ""
	for _, part := range m.Parts {
		if part.Kind == PartText {
			text += part.Text
		}
	}
	return text
}
