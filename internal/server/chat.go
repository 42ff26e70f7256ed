package server

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/llm"
)

// chat answers POST /v1/chat/completions.
func (s *Server) chat(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	asked, err := readChat(body)
	if err != nil {
		return err
	}
	req, err := asked.request(x)
	if err != nil {
		return err
	}
	if asked.stream {
		return x.streamChat(asked, req)
	}
	response, err := x.ask(req)
	if err != nil {
		return err
	}
	return x.answerChat(asked, response)
}

// ask gives the whole answer to a request, and keeps the call's record.
func (x *exchange) ask(req llm.Request) (llm.Response, error) {
	response, err := llm.Collect(x.runtime.Engine.Stream(x.r.Context(), req))
	x.call, x.fellBack = response.Call, response.End.Fallback
	return response, err
}

// completion is a whole answer, or one piece of it.
type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
}

type choice struct {
	Index    int     `json:"index"`
	Message  *answer `json:"message,omitempty"`
	Delta    *delta  `json:"delta,omitempty"`
	LogProbs *string `json:"logprobs"`
	Finish   *string `json:"finish_reason"`
}

type answer struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"`
	Refusal   *string    `json:"refusal"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

type delta struct {
	Role      string      `json:"role,omitempty"`
	Content   *string     `json:"content,omitempty"`
	ToolCalls []toolDelta `json:"tool_calls,omitempty"`
}

type toolCall struct {
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function toolFunction `json:"function"`
}

type toolDelta struct {
	Index int `json:"index"`
	toolCall
}

type toolFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type usage struct {
	Prompt     int64         `json:"prompt_tokens"`
	Completion int64         `json:"completion_tokens"`
	Total      int64         `json:"total_tokens"`
	In         promptDetails `json:"prompt_tokens_details"`
	Out        outputDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	Cached int64 `json:"cached_tokens"`
}

type outputDetails struct {
	Reasoning int64 `json:"reasoning_tokens"`
}

func usageOf(u llm.Usage) *usage {
	return &usage{
		Prompt: u.Input, Completion: u.Output, Total: u.Input + u.Output,
		In: promptDetails{u.CachedInput}, Out: outputDetails{u.Reasoning},
	}
}

// finishOf is OpenAI's word for why a model stopped.
func finishOf(finish llm.FinishReason) *string {
	word := string(finish)
	if finish == llm.FinishOther || finish == "" {
		word = string(llm.FinishStop)
	}
	return &word
}

func (x *exchange) completion(object string) completion {
	return completion{ID: "chatcmpl-" + x.id, Object: object, Created: x.server.Now().Unix(), Choices: []choice{}}
}

// answerChat writes a whole answer.
func (x *exchange) answerChat(asked *chatRequest, response llm.Response) error {
	said := &answer{Role: string(llm.Assistant)}
	for _, call := range response.ToolCalls {
		said.ToolCalls = append(said.ToolCalls, toolCallOf(call))
	}
	if response.Text != "" || len(response.ToolCalls) == 0 {
		said.Content = &response.Text
	}
	body := x.completion("chat.completion")
	body.Model, body.Usage = x.answered(asked, response.End), usageOf(response.End.Usage)
	body.Choices = append(body.Choices, choice{Message: said, Finish: finishOf(response.End.Finish)})
	x.tell(x.w.Header())
	return x.json(200, body)
}

func toolCallOf(call llm.ToolCall) toolCall {
	return toolCall{ID: call.ID, Type: "function", Function: toolFunction{call.Name, call.Arguments}}
}

// answered is the model that answered, in the provider's words, else what was asked.
func (x *exchange) answered(asked *chatRequest, end llm.End) string {
	if end.Model != "" {
		return end.Model
	}
	return asked.model
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // structs of strings and numbers
	}
	return text
}
