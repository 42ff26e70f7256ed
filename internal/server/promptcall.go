package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// promptAnswer is what POST /v1/prompts/{name} gives.
type promptAnswer struct {
	ID        string         `json:"id"`     // of the call
	Output    any            `json:"output"` // the parsed, valid value; of text the text
	Text      string         `json:"text"`
	ToolCalls []llm.ToolCall `json:"tool_calls"`
	Finish    string         `json:"finish_reason"`
	Prompt    llm.PromptRef  `json:"prompt"`
	Model     string         `json:"model"`    // that was asked: an alias or a route
	Answered  string         `json:"answered"` // the model that answered, in the provider's words
	Usage     *usage         `json:"usage"`
	Cost      *int64         `json:"cost_nano_usd"` // at the list price; null where nobody knows
	Cached    bool           `json:"cached"`
	Fallback  bool           `json:"fallback"`
	Attempts  int            `json:"attempts"`
	Turns     int            `json:"turns"`
	Repairs   []llm.Repair   `json:"repairs"`
}

// promptCall answers POST /v1/prompts/{name}: variables in, the value out.
func (s *Server) promptCall(x *exchange) error {
	f, err := x.body()
	if err != nil {
		return err
	}
	asked := promptFields{}
	var user string
	var variables json.RawMessage
	if _, streams := f["stream"]; streams && string(f["stream"]) != "false" {
		return invalid("stream", "stream: a value comes whole; POST /v1/chat/completions with model prompt:%s streams", x.r.PathValue("name"))
	}
	delete(f, "stream")
	if err := (jsonObject{fields: f}).read([]member{
		{"variables", &variables, "an object from names to values"}, {"version", &asked.Version, "a string"}, {"user", &user, "a string"},
	}); err != nil {
		return err
	}
	if asked.Variables, err = readVariables(variables, "variables"); err != nil {
		return err
	}
	ref := x.r.PathValue("name")
	if asked.Version != "" {
		ref += "@" + asked.Version
	}
	req := x.request(user)
	p, err := x.findPrompt(ref, req.Sticky)
	switch {
	case err != nil && asked.Version != "":
		return as("version", err)
	case err != nil:
		return as("", err) // the path named it
	}
	if req, err = x.bind(p, asked.Variables, req); err != nil {
		if r := (*refusal)(nil); errors.As(err, &r) {
			r.param = strings.TrimPrefix(r.param, "prompt.") // here the variables stand alone
		}
		return err
	}
	response, err := x.ask(req)
	if err != nil {
		return err
	}
	x.tell(x.w.Header())
	return x.json(http.StatusOK, promptAnswerOf(x, response))
}

func promptAnswerOf(x *exchange, response llm.Response) promptAnswer {
	a := promptAnswer{
		ID: x.id, Output: response.End.Value, Text: response.Text, ToolCalls: response.ToolCalls, Finish: *finishOf(response.End.Finish),
		Prompt: x.call.Prompt, Model: x.call.Model, Answered: x.call.Answered, Usage: usageOf(response.End.Usage),
		Cached: x.call.Stored != nil, Fallback: response.End.Fallback, Attempts: x.call.Attempts(), Turns: len(x.call.Turns), Repairs: response.End.Repairs,
	}
	if a.Output == nil && len(response.ToolCalls) == 0 {
		a.Output = response.Text
	}
	if a.ToolCalls == nil {
		a.ToolCalls = []llm.ToolCall{}
	}
	if a.Repairs == nil {
		a.Repairs = []llm.Repair{}
	}
	if cost := x.call.Cost(); cost.Known {
		amount := int64(cost.Amount)
		a.Cost = &amount
	}
	return a
}

// promptBody is a prompt as GET /v1/prompts lists it.
type promptBody struct {
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Hash        string          `json:"hash"`
	Description string          `json:"description"`
	Model       string          `json:"model"`
	Inputs      []inputBody     `json:"inputs"`
	Output      string          `json:"output"`           // its kind
	Schema      json.RawMessage `json:"schema,omitempty"` // of the value; none for text
	Allow       []string        `json:"allow"`            // what a request may set besides the inputs
	Labels      []LabelState    `json:"labels"`           // in force, and the shares of those who ask for the bare name
}

type inputBody struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
}

// prompts answers GET /v1/prompts: what a bare name means now.
func (s *Server) prompts(x *exchange) error {
	list := []promptBody{}
	for _, p := range x.runtime.Prompts.List() {
		if x.caller.Prompts != nil && !slices.Contains(x.caller.Prompts, p.Name) {
			continue
		}
		body := promptBody{
			Name: p.Name, Version: p.Version, Hash: p.Hash, Description: p.Description, Model: p.Model,
			Output: string(p.Output.Kind), Schema: p.Output.ValueSchema(), Inputs: []inputBody{}, Allow: append([]string{}, p.Allow...),
			Labels: append([]LabelState{}, x.runtime.Labels[p.Name]...),
		}
		if p.Output.IsText() {
			body.Output = string(llm.OutputText)
		}
		for _, in := range p.Inputs {
			body.Inputs = append(body.Inputs, inputBody{in.Name, string(in.Kind), in.Required, in.Description})
		}
		list = append(list, body)
	}
	return x.json(http.StatusOK, map[string]any{"prompts": list})
}
