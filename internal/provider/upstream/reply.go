package upstream

import (
	"bytes"
	"encoding/json"
	"time"
)

// Reply is what the server answers.
type Reply struct {
	Text      string
	Reasoning string // sent before the text
	ToolCalls []ToolCall
	Finish    string // "" means stop
	Usage     *Usage // nil: none is sent
	Model     string // that answered; "" means the one asked
	ID        string // "" means "chatcmpl-test"
	Pieces    int    // into how many the text is cut, and the arguments of each call; 0 means 1
	Mixed     bool   // the pieces of several calls come by turns
	NoDone    bool   // without the end marker

	Delay    time.Duration     // before anything is answered
	CutAfter int               // bytes of the stream after which the connection is closed
	Headers  map[string]string // of the answer

	// Status and Body, if either is set, are answered in place of all that.
	Status int
	Body   string
}

// ToolCall is a call that the reply proposes.
type ToolCall struct{ ID, Name, Arguments string }

// Usage is what the server says that it counted. Completion includes Reasoning.
type Usage struct{ Prompt, Completion, Cached, Reasoning int }

func (r *Reply) streams() bool { return r.Status == 0 && r.Body == "" }

// The wire's chunks, as far as a reply fills them.
type (
	chunk struct {
		ID      string   `json:"id"`
		Object  string   `json:"object"`
		Model   string   `json:"model"`
		Choices []choice `json:"choices"`
		Usage   *counts  `json:"usage,omitempty"`
	}
	choice struct {
		Index  int     `json:"index"`
		Delta  delta   `json:"delta"`
		Finish *string `json:"finish_reason"`
	}
	delta struct {
		Role      string     `json:"role,omitempty"`
		Content   string     `json:"content,omitempty"`
		Reasoning string     `json:"reasoning_content,omitempty"`
		ToolCalls []toolCall `json:"tool_calls,omitempty"`
	}
	toolCall struct {
		Index    int    `json:"index"`
		ID       string `json:"id,omitempty"`
		Type     string `json:"type,omitempty"`
		Function struct {
			Name      string `json:"name,omitempty"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	}
	counts struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
		Prompts    struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
		Completions struct {
			Reasoning int `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
)

// Events are the reply as a stream, each event with the blank line that ends it.
// Status, Body, Delay, CutAfter and Headers are not in it.
func (r *Reply) Events(model string) [][]byte {
	events := bytes.SplitAfter(r.appendStream(nil, model), []byte("\n\n"))
	return events[:len(events)-1] // nothing follows the last
}

// appendStream appends the reply as a stream of events.
func (r *Reply) appendStream(b []byte, model string) []byte {
	c := chunk{ID: r.ID, Object: "chat.completion.chunk", Model: r.Model}
	if c.ID == "" {
		c.ID = "chatcmpl-test"
	}
	if c.Model == "" {
		c.Model = model
	}
	say := func(d delta, finish *string) {
		c.Choices = []choice{{Delta: d, Finish: finish}}
		b = appendEvent(b, c)
	}
	if r.Reasoning != "" {
		say(delta{Role: "assistant", Reasoning: r.Reasoning}, nil)
	}
	for _, piece := range pieces(r.Text, r.Pieces) {
		say(delta{Role: "assistant", Content: piece}, nil)
	}
	for _, call := range r.callPieces() {
		say(delta{Role: "assistant", ToolCalls: []toolCall{call}}, nil)
	}
	finish := r.Finish
	if finish == "" {
		finish = "stop"
	}
	say(delta{}, &finish)
	if u := r.Usage; u != nil {
		c.Choices = []choice{}
		c.Usage = &counts{Prompt: u.Prompt, Completion: u.Completion, Total: u.Prompt + u.Completion}
		c.Usage.Prompts.Cached, c.Usage.Completions.Reasoning = u.Cached, u.Reasoning
		b = appendEvent(b, c)
	}
	if !r.NoDone {
		b = append(b, "data: [DONE]\n\n"...)
	}
	return b
}

// callPieces are the tool calls as they are sent: the first piece of each has its id
// and its name, as vendors do it.
func (r *Reply) callPieces() []toolCall {
	var sent []toolCall
	var rounds []int // by piece: how many pieces of its call come before it
	for i, call := range r.ToolCalls {
		cut := pieces(call.Arguments, r.Pieces)
		if len(cut) == 0 {
			cut = []string{""}
		}
		for round, piece := range cut {
			out := toolCall{Index: i}
			if round == 0 {
				out.ID, out.Type, out.Function.Name = call.ID, "function", call.Name
			}
			out.Function.Arguments = piece
			sent, rounds = append(sent, out), append(rounds, round)
		}
	}
	if !r.Mixed {
		return sent
	}
	var mixed []toolCall
	for round := 0; len(mixed) < len(sent); round++ {
		for i := range sent {
			if rounds[i] == round {
				mixed = append(mixed, sent[i])
			}
		}
	}
	return mixed
}

func appendEvent(b []byte, c chunk) []byte {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	b = append(b, "data: "...)
	b = append(b, data...)
	return append(b, "\n\n"...)
}

// pieces cuts text into n pieces between runes.
func pieces(text string, n int) []string {
	if text == "" {
		return nil
	}
	runes := []rune(text)
	n = min(max(n, 1), len(runes))
	out := make([]string, n)
	for i := range n {
		out[i] = string(runes[i*len(runes)/n : (i+1)*len(runes)/n])
	}
	return out
}
