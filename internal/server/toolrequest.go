package server

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
)

// toolFields are the members that speak of tools.
type toolFields struct {
	list     []json.RawMessage
	choice   json.RawMessage
	parallel *bool
}

// toolName is what vendors take as the name of a function.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// toolWords are the choices that are no tool's name.
var toolWords = []string{llm.ToolsAuto, llm.ToolsNone, llm.ToolsRequired}

// given reports whether the request says anything of tools.
func (t *toolFields) given() bool { return len(t.list) > 0 || len(t.choice) > 0 || t.parallel != nil }

// read gives the tools of a request. Its choice is looked at by choose, once it is
// known which tools there are.
func (t *toolFields) read() (llm.Tools, error) {
	tools := llm.Tools{OneAtATime: t.parallel != nil && !*t.parallel}
	for i, raw := range t.list {
		spec, err := readTool(raw, within("tools", i))
		if err != nil {
			return tools, err
		}
		if tools.Find(spec.Name) != nil {
			at := within("tools", i) + ".function.name"
			return tools, invalid(at, "%s: there is a tool %q before it", at, spec.Name)
		}
		tools.List = append(tools.List, spec)
	}
	return tools, nil
}

func readTool(raw json.RawMessage, at string) (spec llm.ToolSpec, err error) {
	o, err := readObject(raw, at, "an object {type, function}")
	if err != nil {
		return spec, err
	}
	var kind string
	if err := o.takeAt(at, "type", &kind, "a string"); err != nil {
		return spec, err
	}
	if kind != "function" {
		return spec, invalid(at+".type", "%s.type %q is not passed on; allowed: function", at, kind)
	}
	if o, err = inner(o, "function", "an object {name, description, parameters, strict}"); err != nil {
		return spec, err
	}
	var parameters json.RawMessage
	if err := o.read([]member{
		{"name", &spec.Name, "a string"}, {"description", &spec.Description, "a string"},
		{"parameters", &parameters, "a JSON Schema of an object"}, {"strict", &spec.Strict, "a boolean"},
	}); err != nil {
		return spec, err
	}
	switch {
	case spec.Name == "":
		return spec, invalid(o.at+".name", "%s.name is missing", o.at)
	case !toolName.MatchString(spec.Name) || slices.Contains(toolWords, spec.Name):
		return spec, invalid(o.at+".name", "%s.name: want 1 to 64 letters, digits, _ and -, and no word of tool_choice", o.at)
	}
	spec.Parameters, err = readParameters(parameters, o.at+".parameters")
	return spec, err
}

// readParameters takes a schema whose root is an object, as vendors do; an empty one is
// none.
func readParameters(raw json.RawMessage, at string) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	schema, err := readObject(raw, at, "a JSON Schema of an object")
	if err != nil {
		return nil, err
	}
	if len(schema.fields) == 0 {
		return nil, nil
	}
	if string(schema.fields["type"]) != `"object"` {
		return nil, invalid(at+".type", "%s.type: the arguments of a tool are an object: write type: object", at)
	}
	return raw, nil
}

// choose reads tool_choice among the tools that there are.
func (t *toolFields) choose(tools *llm.Tools) error {
	if len(t.choice) == 0 {
		return nil
	}
	if !tools.Offered() {
		return invalid("tool_choice", "tool_choice: there are no tools to choose from")
	}
	if t.choice[0] == '"' {
		var word string
		if err := decode(t.choice, "tool_choice", &word, "a string"); err != nil {
			return err
		}
		if !slices.Contains(toolWords, word) {
			return invalid("tool_choice", "tool_choice %q is not known; allowed: auto, none, required, or an object {type: function, function: {name}}", word)
		}
		tools.Choice = word
		return nil
	}
	o, err := readObject(t.choice, "tool_choice", "auto, none, required, or {type: function, function: {name}}")
	if err != nil {
		return err
	}
	var kind, name string
	if err := o.takeAt("tool_choice", "type", &kind, "a string"); err != nil {
		return err
	}
	if kind != "function" {
		return invalid("tool_choice.type", "tool_choice.type %q is not supported; allowed: function", kind)
	}
	if o, err = inner(o, "function", "an object {name}"); err != nil {
		return err
	}
	if err := o.read([]member{{"name", &name, "a string"}}); err != nil {
		return err
	}
	if tools.Find(name) == nil {
		return invalid("tool_choice.function.name", "tool_choice.function.name: there is no tool %q", name)
	}
	tools.Choice = name
	return nil
}
