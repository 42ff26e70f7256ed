package openai

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// chunk is one piece of an answer, or a whole one, as far as we read it. It is
// ours and not go-openai's, which has no word for reasoning, for an error in the
// middle, and for a message in place of a delta.
type chunk struct {
	ID      string          `json:"id"`
	Object  string          `json:"object"`
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	Index        int      `json:"index"`
	Delta        delta    `json:"delta"`
	Message      *delta   `json:"message"` // of a whole answer
	FinishReason string   `json:"finish_reason"`
	said         []string // of a content that is a list: text
	thought      []string // … and reasoning
}

type delta struct {
	Content          string          `json:"content"`
	ReasoningContent string          `json:"reasoning_content"`
	Reasoning        string          `json:"reasoning"`
	Refusal          string          `json:"refusal"`
	ToolCalls        json.RawMessage `json:"tool_calls"`    // see readCalls
	FunctionCall     json.RawMessage `json:"function_call"` // …
}

// decode reads a chunk; ok is false for what is not JSON, or no object. A field of
// an unexpected type is left out and the others are kept; but those of tool calls are
// not read here.
func decode(raw []byte) (c chunk, ok bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return chunk{}, false
	}
	err := json.Unmarshal(raw, &c)
	if err == nil {
		return c, true
	}
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); !mismatch {
		return chunk{}, false
	}
	c.readLists(raw)
	return c, true
}

// readLists finds the contents that are lists of parts, as reasoning models of
// some vendors answer: {"type":"text"} and {"type":"thinking"}.
func (c *chunk) readLists(raw []byte) {
	type part struct {
		Type     string          `json:"type"`
		Text     string          `json:"text"`
		Thinking json.RawMessage `json:"thinking"`
	}
	type message struct {
		Content json.RawMessage `json:"content"`
	}
	var lists struct {
		Choices []struct {
			Delta   message `json:"delta"`
			Message message `json:"message"`
		} `json:"choices"`
	}
	_ = json.Unmarshal(raw, &lists) // what does not fit here either stays out
	for i := range min(len(c.Choices), len(lists.Choices)) {
		content := lists.Choices[i].Delta.Content
		if len(content) == 0 {
			content = lists.Choices[i].Message.Content
		}
		var parts []part
		_ = json.Unmarshal(content, &parts)
		for _, p := range parts {
			if p.Type != "thinking" {
				c.Choices[i].said = append(c.Choices[i].said, p.Text)
				continue
			}
			var thoughts []part
			_ = json.Unmarshal(p.Thinking, &thoughts)
			for _, t := range thoughts {
				c.Choices[i].thought = append(c.Choices[i].thought, t.Text)
			}
		}
	}
}

// failure is the error object of a chunk, or nil: under "error", or the chunk
// itself with "object":"error".
func (c *chunk) failure(raw []byte) []byte {
	switch {
	case len(c.Error) > 0 && string(c.Error) != "null":
		return raw
	case c.Object == "error":
		return raw
	}
	return nil
}

// text and reasoning are what a choice says. A refusal is the model's answer.
func (c *choice) text() string {
	d := c.content()
	return d.Content + strings.Join(c.said, "") + d.Refusal
}

func (c *choice) reasoning() string {
	d := c.content()
	if d.ReasoningContent != "" {
		return d.ReasoningContent
	}
	return d.Reasoning + strings.Join(c.thought, "")
}

func (c *choice) content() *delta {
	if c.Message != nil {
		return c.Message
	}
	return &c.Delta
}

// finish gives a finish reason our word, so that a length stop is one whatever a
// server calls it. A reason that nobody knows is "other".
func finish(reason string) llm.FinishReason {
	switch strings.ReplaceAll(strings.ToLower(reason), "-", "_") {
	case "", "null":
		return ""
	case "stop", "eos", "end_turn", "stop_sequence", "complete", "completed":
		return llm.FinishStop
	case "length", "max_tokens", "max_output_tokens", "model_length", "incomplete":
		return llm.FinishLength
	case "content_filter", "safety", "recitation", "refusal", "blocklist", "prohibited_content":
		return llm.FinishContentFilter
	case "tool_calls", "function_call", "tool_use", "tool_call":
		return llm.FinishToolCalls
	}
	return llm.FinishOther
}
