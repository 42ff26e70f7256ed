package server

import (
	"encoding/json"
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
	chosen   toolFields
	tools    llm.Tools // of the request, before tool_choice is looked at
	output   llm.Output
	options  llm.Options // everything else, for the provider
}

func readChat(f fields) (*chatRequest, error) {
	c := &chatRequest{}
	var choices *int
	var modalities []string
	var format, inPrompt, streamOptions json.RawMessage
	for _, one := range []member{
		{"model", &c.model, "a string"}, {"messages", &c.messages, "a list of messages"}, {"stream", &c.stream, "a boolean"},
		{"stream_options", &streamOptions, "an object"}, {"user", &c.user, "a string"}, {"n", &choices, "a whole number"},
		{"modalities", &modalities, "a list of strings"}, {"response_format", &format, "an object"}, {"prompt", &inPrompt, "an object {id, version, variables}"},
		{"tools", &c.chosen.list, "a list of tools"}, {"tool_choice", &c.chosen.choice, "a string or an object"}, {"parallel_tool_calls", &c.chosen.parallel, "a boolean"},
	} {
		if err := f.take(one.name, one.into, one.want); err != nil {
			return nil, err
		}
	}
	if choices != nil && *choices != 1 {
		return nil, invalid("n", "n: one answer is given to a request; ask again for another")
	}
	if slices.ContainsFunc(modalities, func(m string) bool { return m != "text" }) {
		return nil, invalid("modalities", "modalities: answers are text")
	}
	var err error
	if c.usage, err = streaming(streamOptions, c.stream); err != nil {
		return nil, err
	}
	if c.prompt, err = readPromptFields(inPrompt); err != nil {
		return nil, err
	}
	if c.tools, err = c.chosen.read(); err != nil {
		return nil, err
	}
	if c.output, err = readFormat(format); err != nil {
		return nil, err
	}
	c.options, err = optionsOf(f)
	return c, err
}

// request makes what the engine is asked, of a model or of a prompt.
func (c *chatRequest) request(x *exchange) (llm.Request, error) {
	req := x.request(c.user)
	req.Live = c.stream
	if c.stream {
		req.KeepAlive = x.server.KeepAlive
	}
	if err := x.usable(c.output, c.tools); err != nil {
		return req, err
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
	if err := c.chosen.choose(&c.tools); err != nil {
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
