package server

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// promptFields name a prompt within a request: OpenAI's own object of that name.
type promptFields struct {
	ID        string         `json:"id"`
	Version   string         `json:"version"`
	Variables map[string]any `json:"variables"`
}

// UnmarshalJSON keeps the digits of numbers.
func (p *promptFields) UnmarshalJSON(text []byte) error {
	type plain promptFields
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode((*plain)(p))
}

const promptPrefix = "prompt:"

func isPrompt(model string) bool { return strings.HasPrefix(model, promptPrefix) }

// reference is the prompt that a request names: by prompt:NAME as its model, or by
// prompt.id and prompt.version.
func (c *chatRequest) reference() (ref, model string, err error) {
	model = c.model
	if isPrompt(model) {
		ref, model = strings.TrimPrefix(model, promptPrefix), ""
	}
	if c.prompt == nil || c.prompt.ID == "" && c.prompt.Version == "" {
		return ref, model, nil
	}
	named := strings.TrimPrefix(c.prompt.ID, promptPrefix)
	if named == "" {
		named = ref
	}
	if c.prompt.Version != "" {
		if strings.Contains(named, "@") {
			return "", "", invalid("prompt.version", "prompt.version: the prompt %q names a version already", named)
		}
		named += "@" + c.prompt.Version
	}
	if ref != "" && ref != named && !strings.HasPrefix(named, ref+"@") {
		return "", "", invalid("prompt.id", "prompt.id %q is not the prompt of model %q", c.prompt.ID, c.model)
	}
	return named, model, nil
}

// ofPrompt makes the request of a prompt.
func (c *chatRequest) ofPrompt(x *exchange, req llm.Request) (llm.Request, error) {
	ref, model, err := c.reference()
	if err != nil {
		return req, err
	}
	if ref == "" {
		return req, invalid("prompt.id", "prompt.id is missing: the name of a prompt")
	}
	p, err := x.findPrompt(ref, req.Sticky)
	if err != nil {
		return req, err
	}
	vars := map[string]any{}
	if c.prompt != nil {
		maps.Copy(vars, c.prompt.Variables)
	}
	if err := c.fillThread(p, vars); err != nil {
		return req, err
	}
	if err := c.overrides(p, model); err != nil {
		return req, err
	}
	req.Options, req.Model = c.options, model
	return x.bind(p, vars, req)
}

// bind puts a prompt and its variables into a request.
func (x *exchange) bind(p *prompt.Prompt, vars map[string]any, req llm.Request) (llm.Request, error) {
	if err := noPaths(p, vars); err != nil {
		return req, err
	}
	if err := p.CheckVars(vars); err != nil {
		return req, invalid("prompt.variables", "%s", allOf(err))
	}
	if req.Model == "" {
		req.Model = p.Model
	}
	if req.Model == "" {
		return req, invalid("model", "the prompt %s names no model, and neither does the request", p.Name)
	}
	req.Prompt, req.Vars = p.Ref(), vars
	return req, nil
}

// findPrompt finds a prompt that the caller may ask.
func (x *exchange) findPrompt(ref, sticky string) (*prompt.Prompt, error) {
	name, _, _ := strings.Cut(ref, "@")
	if x.caller.Prompts != nil && !slices.Contains(x.caller.Prompts, name) {
		return nil, refusalOf(http.StatusForbidden, "prompt_not_allowed", "prompt.id", "the key may not ask the prompt %q", name)
	}
	if sticky == "" {
		sticky = x.id // nobody is known who could be given the same again
	}
	p, err := x.runtime.Prompts.Find(ref, sticky)
	if err != nil {
		e := fault.As(err)
		if e.Class == fault.Internal {
			return nil, err
		}
		return nil, refusalOf(http.StatusNotFound, "prompt_not_found", "prompt.id", "%s", e.Message)
	}
	return p, nil
}

// fillThread puts messages into the input that takes a conversation.
func (c *chatRequest) fillThread(p *prompt.Prompt, vars map[string]any) error {
	if len(c.messages) == 0 {
		return nil
	}
	at := slices.IndexFunc(p.Inputs, func(in prompt.Input) bool { return in.Kind == prompt.KindThread })
	if at < 0 {
		return invalid("messages", "messages: the prompt %s takes no conversation; its inputs go into prompt.variables", p.Name)
	}
	name := p.Inputs[at].Name
	if _, given := vars[name]; given {
		return invalid("messages", "messages fill the input %q, which prompt.variables has, too", name)
	}
	thread := make([]any, len(c.messages))
	for i, raw := range c.messages {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&thread[i]); err != nil {
			return invalid(within("messages", i), "%s: want {role, content}", within("messages", i))
		}
	}
	vars[name] = thread
	return nil
}

// overrides refuses what would make another prompt of a prompt.
func (c *chatRequest) overrides(p *prompt.Prompt, model string) error {
	switch {
	case model != "":
		return invalid("model", "the prompt %s says which model is asked; leave model out, or write prompt:%s", p.Name, p.Name)
	case len(c.options) > 0:
		name := slices.Sorted(maps.Keys(c.options))[0]
		return invalid(name, "%s: the prompt %s does not allow to set it", name, p.Name)
	case c.tools.Offered():
		return invalid("tools", "tools: the prompt %s does not allow tools of the request", p.Name)
	case !c.output.IsText():
		return invalid("response_format", "response_format: the prompt %s has a contract of its own", p.Name)
	}
	return nil
}

// noPaths refuses a variable that names a file of the server.
func noPaths(p *prompt.Prompt, vars map[string]any) error {
	for _, in := range p.Inputs {
		if in.Kind != prompt.KindImage && in.Kind != prompt.KindFile {
			continue
		}
		switch value := vars[in.Name].(type) {
		case string:
			if !strings.Contains(value, "://") && !strings.HasPrefix(value, "data:") {
				return invalid("prompt.variables."+in.Name, "the input %q wants an address (https:, data:), not a path", in.Name)
			}
		case map[string]any:
			if _, has := value["path"]; has {
				return invalid("prompt.variables."+in.Name, "the input %q wants a url or data, not a path", in.Name)
			}
		}
	}
	return nil
}

// allOf are all problems in one line.
func allOf(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }
