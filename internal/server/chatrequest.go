package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
)

// chatRequest is the body of POST /v1/chat/completions.
type chatRequest struct {
	model    string
	messages []json.RawMessage
	stream   bool
	usage    bool // the stream tells the usage
	user     string
	prompt   *promptFields
	tools    llm.Tools
	output   llm.Output
	options  llm.Options // everything else, for the provider
}

// unserved are options whose effect an answer would have to show, and does not: passed
// on they would be paid for and lost.
var unserved = map[string]string{
	"functions": "use tools", "function_call": "use tool_choice", "audio": "answers are text", "logprobs": "log probabilities are not passed on",
	"top_logprobs": "log probabilities are not passed on",
}

func readChat(f fields) (*chatRequest, error) {
	c := &chatRequest{}
	var choices *int
	var streaming struct {
		Usage bool `json:"include_usage"`
	}
	var modalities []string
	var format json.RawMessage
	tools := toolFields{}
	for _, one := range []struct {
		name string
		into any
		want string
	}{
		{"model", &c.model, "a string"}, {"messages", &c.messages, "a list of messages"}, {"stream", &c.stream, "a boolean"},
		{"stream_options", &streaming, "an object"}, {"user", &c.user, "a string"}, {"n", &choices, "a whole number"},
		{"modalities", &modalities, "a list of strings"}, {"response_format", &format, "an object"}, {"prompt", &c.prompt, "an object {id, version, variables}"},
		{"tools", &tools.list, "a list of tools"}, {"tool_choice", &tools.choice, "a string or an object"}, {"parallel_tool_calls", &tools.parallel, "a boolean"},
	} {
		if err := f.take(one.name, one.into, one.want); err != nil {
			return nil, err
		}
	}
	c.usage = streaming.Usage
	if choices != nil && *choices != 1 {
		return nil, invalid("n", "n: one answer is given to a request; ask again for another")
	}
	if slices.ContainsFunc(modalities, func(m string) bool { return m != "text" }) {
		return nil, invalid("modalities", "modalities: answers are text")
	}
	var err error
	if c.tools, err = tools.read(); err != nil {
		return nil, err
	}
	if c.output, err = readFormat(format); err != nil {
		return nil, err
	}
	c.options, err = optionsOf(f)
	return c, err
}

// optionsOf takes what is left of a body for options of the model. null is as good as
// absent.
func optionsOf(f fields) (llm.Options, error) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		why, known := unserved[name]
		if isNull(f[name]) || known && string(f[name]) == "false" {
			delete(f, name)
		} else if known {
			return nil, invalid(name, "%s is not supported: %s", name, why)
		}
	}
	if len(f) == 0 {
		return nil, nil
	}
	return llm.Options(f), nil
}

// readFormat reads response_format.
func readFormat(raw json.RawMessage) (llm.Output, error) {
	if len(raw) == 0 {
		return llm.Output{}, nil
	}
	var format struct {
		Type   string `json:"type"`
		Schema *struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(raw, &format); err != nil {
		return llm.Output{}, invalid("response_format", "response_format: want {type: text, json_object or json_schema}")
	}
	switch format.Type {
	case "text":
		return llm.Output{}, nil
	case "json_object":
		return llm.Output{Kind: llm.OutputJSON, Told: true}, nil
	case "json_schema":
		if format.Schema == nil || len(format.Schema.Schema) == 0 {
			return llm.Output{}, invalid("response_format.json_schema.schema", "response_format.json_schema.schema is missing")
		}
		return llm.Output{Kind: llm.OutputJSON, Schema: format.Schema.Schema}, nil
	}
	return llm.Output{}, invalid("response_format.type", "response_format.type %q is not known; allowed: text, json_object, json_schema", format.Type)
}

// toolFields are the members that speak of tools.
type toolFields struct {
	list []struct {
		Type     string `json:"type"`
		Function *struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	}
	choice   json.RawMessage
	parallel *bool
}

func (t *toolFields) read() (llm.Tools, error) {
	tools := llm.Tools{OneAtATime: t.parallel != nil && !*t.parallel}
	for i, tool := range t.list {
		at := within("tools", i)
		switch {
		case tool.Type != "function" || tool.Function == nil:
			return tools, invalid(at, "%s: only tools of type function are passed on", at)
		case tool.Function.Name == "":
			return tools, invalid(at+".function.name", "%s.function.name is missing", at)
		case tools.Find(tool.Function.Name) != nil:
			return tools, invalid(at+".function.name", "%s: there is a tool %q before it", at, tool.Function.Name)
		}
		spec := llm.ToolSpec{Name: tool.Function.Name, Description: tool.Function.Description}
		if !isNull(tool.Function.Parameters) {
			spec.Parameters = tool.Function.Parameters
		}
		tools.List = append(tools.List, spec)
	}
	if len(t.choice) == 0 {
		return tools, nil
	}
	if !tools.Offered() {
		return tools, invalid("tool_choice", "tool_choice: there are no tools to choose from")
	}
	var word string
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case json.Unmarshal(t.choice, &word) == nil:
		if word != llm.ToolsAuto && word != llm.ToolsNone && word != llm.ToolsRequired {
			return tools, invalid("tool_choice", "tool_choice %q is not known; allowed: auto, none, required, or a function", word)
		}
		tools.Choice = word
	case json.Unmarshal(t.choice, &named) == nil && named.Type == "function":
		if tools.Find(named.Function.Name) == nil {
			return tools, invalid("tool_choice", "tool_choice: there is no tool %q", named.Function.Name)
		}
		tools.Choice = named.Function.Name
	default:
		return tools, invalid("tool_choice", "tool_choice: want auto, none, required, or {type: function, function: {name}}")
	}
	return tools, nil
}

// request makes what the engine is asked, of a model or of a prompt.
func (c *chatRequest) request(x *exchange) (llm.Request, error) {
	req := x.request(c.user)
	req.Live = c.stream
	if c.stream {
		req.KeepAlive = x.server.KeepAlive
	}
	if c.prompt != nil || isPrompt(c.model) {
		return c.ofPrompt(x, req)
	}
	if c.model == "" {
		return req, invalid("model", "model is missing: the name of a model, of a route, or prompt:NAME")
	}
	if err := x.mayAsk(c.model); err != nil {
		return req, err
	}
	if len(c.messages) == 0 {
		return req, invalid("messages", "messages is missing, or empty")
	}
	var err error
	if req.Messages, err = readMessages(c.messages); err != nil {
		return req, err
	}
	req.Model, req.Options, req.Tools, req.Output = c.model, c.options, c.tools, c.output
	return req, nil
}

// request is what every request to the engine has.
func (x *exchange) request(user string) llm.Request {
	sticky := user
	if sticky == "" {
		sticky = x.caller.Key
	}
	return llm.Request{ID: x.id, Key: x.caller.Key, User: user, Tenant: x.caller.Tenant, Sticky: sticky}
}

// mayAsk reports whether the caller may ask a model or a route, and there is one. Of
// what it may not ask it does not learn whether it is there.
func (x *exchange) mayAsk(name string) error {
	if x.caller.Models != nil && !slices.Contains(x.caller.Models, name) {
		return refusalOf(http.StatusForbidden, "model_not_allowed", "model", "the key may not ask the model %q", name)
	}
	known := slices.ContainsFunc(x.runtime.Models, func(m ModelCard) bool { return m.Name == name })
	if !known {
		return refusalOf(http.StatusNotFound, "model_not_found", "model", "there is no model or route %q; GET /v1/models lists them", name)
	}
	return nil
}

func refusalOf(status int, code, param, format string, args ...any) *refusal {
	r := refuse(status, code, format, args...)
	r.param = param
	return r
}
