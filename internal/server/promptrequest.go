package server

import (
	"bytes"
	"encoding/json"
	"errors"
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
	ID        string
	Version   string
	Variables map[string]any
}

// readPromptFields reads the object; nil where there is none.
func readPromptFields(raw json.RawMessage) (*promptFields, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	o, err := readObject(raw, "prompt", "an object {id, version, variables}")
	if err != nil {
		return nil, err
	}
	p := &promptFields{}
	var variables json.RawMessage
	if err := o.read([]member{{"id", &p.ID, "a string"}, {"version", &p.Version, "a string"}, {"variables", &variables, "an object"}}); err != nil {
		return nil, err
	}
	p.Variables, err = readVariables(variables, "prompt.variables")
	return p, err
}

// readVariables reads the inputs of a prompt. Numbers keep their digits.
func readVariables(raw json.RawMessage, at string) (map[string]any, error) {
	vars := map[string]any{}
	if len(raw) == 0 {
		return vars, nil
	}
	if _, err := readObject(raw, at, "an object from names to values"); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&vars); err != nil {
		return nil, invalid(at, "%s: want an object from names to values", at)
	}
	return vars, nil
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
		if c.prompt == nil || c.prompt.ID == "" {
			err = as("model", err) // which named it
		}
		return req, err
	}
	vars := map[string]any{}
	if c.prompt != nil {
		maps.Copy(vars, c.prompt.Variables)
	}
	if err := c.fillThread(p, vars); err != nil {
		return req, err
	}
	if model == p.Model {
		model = "" // to say what holds anyway overrides nothing
	}
	if err := c.overrides(x, p, model); err != nil {
		return req, err
	}
	req.Options, req.Model, req.Tools = c.options, model, c.tools
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
		if e.Class != fault.Invalid || e.Place.File != "" {
			return nil, err // there is one, and its files are no good
		}
		missing := refusalOf(http.StatusNotFound, "prompt_not_found", "prompt.id", "%s", e.Message)
		if x.caller.Prompts == nil && e.Hint != "" && !strings.Contains(e.Hint, "/") { // else it names what the key may not know
			missing.message += " (" + e.Hint + ")"
		}
		return nil, missing
	}
	return p, nil
}

// as is the refusal of a field under another name of it.
func as(param string, err error) error {
	if r := (*refusal)(nil); errors.As(err, &r) {
		r.param = param
	}
	return err
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

// allOf are all problems in one line, without the places in files that they speak of.
func allOf(err error) string {
	var problems fault.List
	problems.Add(err)
	said := make([]string, len(problems))
	for i, e := range problems {
		said[i] = strings.ReplaceAll(e.Message, "\n", " ")
		if e.Hint != "" {
			said[i] += " (" + strings.ReplaceAll(e.Hint, "\n", " ") + ")"
		}
	}
	return strings.Join(said, "; ")
}
