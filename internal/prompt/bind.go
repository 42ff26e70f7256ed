package prompt

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// bound is a set of inputs, checked and ready.
type bound struct {
	values  values
	threads map[string][]llm.Message
}

// CheckVars says everything that is wrong with a set of inputs at once: unknown and
// missing ones, and values of the wrong kind. Images and files are looked up.
func (p *Prompt) CheckVars(vars map[string]any) error {
	_, err := p.bind(vars)
	return err
}

// bind checks the inputs, fills in defaults, and reads images and files. An
// optional input that is absent or null is its default, or none.
func (p *Prompt) bind(vars map[string]any) (bound, error) {
	var problems fault.List
	known := 0
	prepared := make(map[string]any, len(p.Inputs))
	var threads map[string][]llm.Message
	for i := range p.Inputs {
		input := &p.Inputs[i]
		value, given := vars[input.Name]
		if given {
			known++
		}
		if value == nil {
			if input.Required {
				problems.Add(fault.New(fault.Invalid, "the input %q of %s is missing", input.Name, p.Name).WithHint("it wants %s", kindWords[input.Kind]))
			}
			if value = input.Default; value == nil {
				prepared[input.Name] = nil
				continue
			}
		}
		switch {
		case input.Kind == KindThread:
			messages := readThread(input.Name, value, &problems)
			if threads == nil {
				threads = map[string][]llm.Message{}
			}
			threads[input.Name] = messages
			prepared[input.Name] = value
		case input.Kind.media():
			part, err := p.readMedia(input, value)
			problems.Add(err)
			prepared[input.Name] = part
		default:
			fitting, ok := scalar(input.Kind, value)
			if !ok {
				problems.Add(wrongKind(input.Name, kindWords[input.Kind], value))
			}
			prepared[input.Name] = fitting
		}
	}
	if known < len(vars) {
		p.unknownVars(vars, &problems)
	}
	if len(problems) > 0 {
		return bound{}, problems.Err()
	}
	return bound{newValues(prepared), threads}, nil
}

func (p *Prompt) unknownVars(vars map[string]any, problems *fault.List) {
	for _, name := range sortedKeys(vars) {
		if findInput(p.Inputs, name) == nil {
			problems.Add(fault.New(fault.Invalid, "%s has no input %q", p.Name, name).WithHint("%s", fault.Allowed(name, inputNames(p.Inputs))))
		}
	}
}

func wrongKind(name, want string, got any) *fault.Error {
	return fault.New(fault.Invalid, "the input %q: want %s, got %s", name, want, describe(got))
}

// describe names a value's type, and shows it where it is short.
func describe(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return "a string (" + quote(clip(value)) + ")"
	case bool:
		if value {
			return "a boolean (true)"
		}
		return "a boolean (false)"
	case json.Number:
		return "a number (" + clip(string(value)) + ")"
	case float64, int, int64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return "something that is not JSON"
}
