package server

import (
	"encoding/json"
	"net/http"

	"github.com/llmx-dev/llmx/internal/llm"
)

// responses answers POST /v1/responses: a chat in other words, without anything that
// would have to be kept between requests.
func (s *Server) responses(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	asked, err := readResponse(body)
	if err != nil {
		return err
	}
	if asked.chat.prompt != nil {
		valuesOf(asked.chat.prompt.Variables)
	} else if len(asked.chat.messages) == 0 && !isPrompt(asked.chat.model) {
		return invalid("input", "input is missing")
	}
	req, err := asked.chat.request(x)
	if err != nil {
		return asked.inOwnWords(err)
	}
	if asked.chat.stream {
		return x.streamResponse(asked, req)
	}
	response, err := x.ask(req)
	if err != nil {
		return err
	}
	x.tell(x.w.Header())
	return x.json(http.StatusOK, x.responseBody(asked, response))
}

// responseBody is an answer as the Responses API gives it.
type responseBody struct {
	ID         string         `json:"id"`
	Object     string         `json:"object"`
	Created    int64          `json:"created_at"`
	Status     string         `json:"status"` // in_progress, completed, incomplete or failed
	Error      *responseError `json:"error"`
	Incomplete *incomplete    `json:"incomplete_details"`
	Model      string         `json:"model"`
	Output     []any          `json:"output"` // of messageItem and callItem
	Usage      *responseUsage `json:"usage"`
	Previous   *string        `json:"previous_response_id"`
	Store      bool           `json:"store"`
	Background bool           `json:"background"`
	responseEcho
}

// responseEcho repeats what was asked.
type responseEcho struct {
	Instructions      *string           `json:"instructions"`
	MaxOutputTokens   json.RawMessage   `json:"max_output_tokens"`
	Metadata          json.RawMessage   `json:"metadata"`
	ParallelToolCalls bool              `json:"parallel_tool_calls"`
	Temperature       json.RawMessage   `json:"temperature"`
	Text              json.RawMessage   `json:"text"`
	ToolChoice        json.RawMessage   `json:"tool_choice"`
	Tools             []json.RawMessage `json:"tools"`
	TopP              json.RawMessage   `json:"top_p"`
	Truncation        string            `json:"truncation"`
}

type responseError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input  int64         `json:"input_tokens"`
	In     promptDetails `json:"input_tokens_details"`
	Output int64         `json:"output_tokens"`
	Out    outputDetails `json:"output_tokens_details"`
	Total  int64         `json:"total_tokens"`
}

// messageItem is what the model said.
type messageItem struct {
	ID      string       `json:"id"`
	Type    string       `json:"type"`
	Status  string       `json:"status"`
	Role    string       `json:"role"`
	Content []outputText `json:"content"`
}

type outputText struct {
	Type        string `json:"type"`
	Text        string `json:"text"`
	Annotations []any  `json:"annotations"`
	LogProbs    []any  `json:"logprobs"`
}

func textPart(text string) outputText {
	return outputText{Type: "output_text", Text: text, Annotations: []any{}, LogProbs: []any{}}
}

// callItem is a call that the model proposed.
type callItem struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// newResponse is an answer that has not begun.
func (x *exchange) newResponse(asked *responseRequest) responseBody {
	return responseBody{
		ID: "resp_" + x.id, Object: "response", Created: x.server.Now().Unix(), Status: "in_progress", Model: asked.chat.model,
		Output: []any{}, responseEcho: asked.echo,
	}
}

func (x *exchange) responseBody(asked *responseRequest, response llm.Response) responseBody {
	body := x.newResponse(asked)
	body.finish(response.End, asked)
	if response.Text != "" || len(response.ToolCalls) == 0 {
		body.Output = append(body.Output, messageItem{
			ID: "msg_" + x.id, Type: "message", Status: "completed", Role: string(llm.Assistant), Content: []outputText{textPart(response.Text)},
		})
	}
	for _, call := range response.ToolCalls {
		body.Output = append(body.Output, callItem{ID: "fc_" + call.ID, Type: "function_call", Status: "completed", CallID: call.ID, Name: call.Name, Arguments: call.Arguments})
	}
	return body
}

// finish says how an answer ended.
func (b *responseBody) finish(end llm.End, asked *responseRequest) {
	b.Status = "completed"
	switch end.Finish {
	case llm.FinishLength:
		b.Status, b.Incomplete = "incomplete", &incomplete{"max_output_tokens"}
	case llm.FinishContentFilter:
		b.Status, b.Incomplete = "incomplete", &incomplete{"content_filter"}
	}
	if end.Model != "" {
		b.Model = end.Model
	}
	u := end.Usage
	b.Usage = &responseUsage{Input: u.Input, In: promptDetails{u.CachedInput}, Output: u.Output, Out: outputDetails{u.Reasoning}, Total: u.Input + u.Output}
}
