package llm

import (
	"encoding/json"
	"strings"
)

// Tools are what a model may propose to call. The zero value offers none.
type Tools struct {
	List []ToolSpec `json:"list,omitempty"`
	// Choice is "" or ToolsAuto where the model decides, ToolsNone, ToolsRequired, or
	// the name of the tool that it must call.
	Choice string `json:"choice,omitempty"`
	// OneAtATime refuses parallel calls: at most one in an answer.
	OneAtATime bool `json:"one_at_a_time,omitempty"`
}

// ToolSpec is one function that a model may propose to call.
type ToolSpec struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // JSON Schema of the arguments, an object; nil: none
	Strict      bool            `json:"strict,omitempty"`     // the provider is asked to hold the model to the schema
}

// The choices that are no tool's name.
const (
	ToolsAuto     = "auto"
	ToolsNone     = "none"
	ToolsRequired = "required"
)

// Offered reports whether there is a tool.
func (t Tools) Offered() bool { return len(t.List) > 0 }

// Demanded reports whether an answer must propose a call.
func (t Tools) Demanded() bool {
	return t.Offered() && t.Choice != "" && t.Choice != ToolsAuto && t.Choice != ToolsNone
}

// Find gives the tool of that name, or nil.
func (t Tools) Find(name string) *ToolSpec {
	for i := range t.List {
		if t.List[i].Name == name {
			return &t.List[i]
		}
	}
	return nil
}

// Text is the canonical JSON of the tools, nil where there is none: part of what is asked.
func (t Tools) Text() []byte {
	if !t.Offered() {
		return nil
	}
	text, err := json.Marshal(t)
	if err != nil {
		return nil // the schemas were read as JSON
	}
	return text
}

// Shown is an answer as people read it: its text, and a line for each tool call that
// it proposes.
func Shown(text string, calls []ToolCall) string {
	if len(calls) == 0 {
		return text
	}
	var b strings.Builder
	b.WriteString(text)
	for _, call := range calls {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(call.String())
	}
	return b.String()
}
