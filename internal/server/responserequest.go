package server

import (
	"encoding/json"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// responseRequest is the body of POST /v1/responses. It asks what a chat asks, in other
// words, and echo is what its answer repeats.
type responseRequest struct {
	chat chatRequest
	echo responseEcho
	from []origin // of the chat's messages
}

// stateful are members that need what is not kept here: conversations, answers of
// before, work in the background.
var stateful = map[string]string{
	"previous_response_id": "no answers are kept to go on from: send the whole input",
	"conversation":         "no conversations are kept: send the whole input",
	"background":           "an answer is given to who waits for it",
	"include":              "there is nothing to include",
	"max_tool_calls":       "tools are the caller's to call",
	"top_logprobs":         "log probabilities are not passed on",
}

// responseOptions are the options that have another name in a chat.
var responseOptions = map[string]string{"max_output_tokens": "max_tokens"}

func readResponse(f fields) (*responseRequest, error) {
	r := &responseRequest{echo: responseEcho{
		ParallelToolCalls: true, ToolChoice: json.RawMessage(`"auto"`), Tools: []json.RawMessage{}, Metadata: json.RawMessage(`{}`),
		Temperature: f["temperature"], TopP: f["top_p"], MaxOutputTokens: f["max_output_tokens"], Truncation: "disabled",
	}}
	var input, inPrompt, tools, choice, text, metadata, reasoning json.RawMessage
	var parallel *bool
	var store bool
	var safety string
	for _, one := range []struct {
		name string
		into any
		want string
	}{
		{"model", &r.chat.model, "a string"}, {"input", &input, "a string or a list of items"}, {"instructions", &r.echo.Instructions, "a string"},
		{"stream", &r.chat.stream, "a boolean"}, {"user", &r.chat.user, "a string"}, {"prompt", &inPrompt, "an object {id, version, variables}"},
		{"tools", &tools, "a list of tools"}, {"tool_choice", &choice, "a string or an object"}, {"parallel_tool_calls", &parallel, "a boolean"},
		{"text", &text, "an object {format}"}, {"store", &store, "a boolean"}, {"metadata", &metadata, "an object"},
		{"safety_identifier", &safety, "a string"}, {"truncation", &r.echo.Truncation, "a string"}, {"reasoning", &reasoning, "an object {effort}"},
		{"stream_options", new(struct{}), "an object"},
	} {
		if err := f.take(one.name, one.into, one.want); err != nil {
			return nil, err
		}
	}
	switch {
	case store:
		return nil, invalid("store", "store: answers are not kept to be fetched again; a call's record is at GET /v1/calls/{id}")
	case r.echo.Truncation != "disabled":
		return nil, invalid("truncation", "truncation %q is not supported: nothing is cut from an input", r.echo.Truncation)
	}
	if r.chat.user == "" {
		r.chat.user = safety
	}
	if len(metadata) > 0 {
		r.echo.Metadata = metadata
	}
	if parallel != nil {
		r.echo.ParallelToolCalls = *parallel
	}
	var err error
	if r.chat.prompt, err = readPromptFields(inPrompt); err != nil {
		return nil, err
	}
	if r.chat.messages, r.from, err = readItems(input, r.echo.Instructions); err != nil {
		return nil, err
	}
	if err := r.readTools(tools, choice, parallel); err != nil {
		return nil, r.inOwnWords(err)
	}
	if err := r.readText(text); err != nil {
		return nil, err
	}
	return r, r.inOwnWords(r.readOptions(f, reasoning))
}

// readOptions takes what is left for options of the model.
func (r *responseRequest) readOptions(f fields, reasoning json.RawMessage) error {
	for name, why := range stateful {
		if given := f[name]; len(given) > 0 && !isNull(given) && string(given) != "false" && string(given) != "[]" {
			return invalid(name, "%s is not supported: %s", name, why)
		}
		delete(f, name)
	}
	for name, chat := range responseOptions {
		if given, ok := f[name]; ok {
			delete(f, name)
			f[chat] = given
		}
	}
	if len(reasoning) > 0 {
		o, err := readObject(reasoning, "reasoning", "an object {effort}")
		if err != nil {
			return err
		}
		if summary := o.fields["summary"]; len(summary) > 0 && !isNull(summary) {
			return invalid("reasoning.summary", "reasoning.summary is not supported: reasoning is not passed on")
		}
		var effort json.RawMessage
		if err := o.read([]member{{"effort", &effort, "a string"}}); err != nil {
			return err
		}
		if len(effort) > 0 {
			f["reasoning_effort"] = effort
		}
	}
	var err error
	r.chat.options, err = optionsOf(f)
	return err
}

// readTools reads functions, whose members stand at the top level here.
func (r *responseRequest) readTools(list, choice json.RawMessage, parallel *bool) error {
	var items []json.RawMessage
	if len(list) > 0 && json.Unmarshal(list, &items) != nil {
		return invalid("tools", "tools: want a list of tools")
	}
	tools := toolFields{parallel: parallel}
	for i, raw := range items {
		at := within("tools", i)
		o, err := readObject(raw, at, "an object {type: function, name, parameters}")
		if err != nil {
			return err
		}
		var kind string
		if err := o.takeAt(at, "type", &kind, "a string"); err != nil {
			return err
		}
		if kind != "function" {
			return invalid(at+".type", "%s.type %q is not served here; allowed: function", at, kind)
		}
		tools.list = append(tools.list, mustJSON(map[string]any{"type": "function", "function": o.fields}))
	}
	if len(choice) > 0 {
		r.echo.ToolChoice = choice
		var named struct{ Type, Name string }
		if json.Unmarshal(choice, &named) == nil && named.Type == "function" {
			choice = mustJSON(map[string]any{"type": "function", "function": map[string]string{"name": named.Name}})
		}
		tools.choice = choice
	}
	if len(items) > 0 {
		r.echo.Tools = items
	}
	var err error
	r.chat.tools, err = tools.read()
	r.chat.chosen = tools
	return err
}

// readText reads text.format, a response_format whose members stand at the top level.
func (r *responseRequest) readText(raw json.RawMessage) error {
	r.echo.Text = json.RawMessage(`{"format":{"type":"text"}}`)
	if len(raw) == 0 {
		return nil
	}
	o, err := readObject(raw, "text", "an object {format}")
	if err != nil {
		return err
	}
	if verbosity := o.fields["verbosity"]; len(verbosity) > 0 && !isNull(verbosity) {
		return invalid("text.verbosity", "text.verbosity is not supported")
	}
	var format json.RawMessage
	if err := o.read([]member{{"format", &format, "an object {type}"}}); err != nil || format == nil {
		return err
	}
	r.echo.Text = raw
	r.chat.output, err = readTextFormat(format)
	return err
}

// readTextFormat reads a response_format whose members stand at the top level.
func readTextFormat(raw json.RawMessage) (llm.Output, error) {
	const at, want = "text.format", "an object {type, name, schema}"
	o, err := readObject(raw, at, want)
	if err != nil {
		return llm.Output{}, err
	}
	var kind string
	if err := o.takeAt(at, "type", &kind, "a string"); err != nil {
		return llm.Output{}, err
	}
	switch {
	case kind == "json_schema":
		return readSchema(mustJSON(o.fields), at)
	case !slices.Contains(formatTypes, kind):
		return llm.Output{}, invalid(at+".type", "%s.type %q is not known; %s", at, kind, fault.Allowed(kind, formatTypes))
	}
	if err := o.read([]member{{"type", &kind, "a string"}}); err != nil {
		return llm.Output{}, err
	}
	return readFormat(mustJSON(map[string]string{"type": kind}))
}

// valuesOf are the variables of a prompt as the engine has them: OpenAI wraps some.
func valuesOf(variables map[string]any) {
	for name, value := range variables {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		switch object["type"] {
		case "input_text":
			if text, ok := object["text"].(string); ok {
				variables[name] = text
			}
		case "input_image":
			if url, ok := object["image_url"].(string); ok {
				variables[name] = url
			}
		case "input_file":
			if file := fileOf(object); file != nil {
				variables[name] = file
			}
		}
	}
}
