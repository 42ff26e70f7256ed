package suite

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// cellReader reads the cells of one CSV column: text where text is wanted, else
// JSON. It reports whether the column is given.
type cellReader func(text string, place fault.Place) (value any, given bool, err error)

func (p *plan) cellReader(column string) cellReader {
	switch root, rest, _ := strings.Cut(column, "."); {
	case column == "id", column == "tags", column == "expect", root == "meta" && rest != "":
		return unlessEmpty
	case column == "meta":
		return jsonCell(column, "an object")
	case root == "golden":
		return p.goldenCell(rest)
	}
	switch kind := p.prompt.Kinds[column]; kind {
	case "", "string":
		return func(text string, _ fault.Place) (any, bool, error) { return text, true, nil }
	case "image", "file":
		return unlessEmpty
	default:
		return jsonCell(column, kind)
	}
}

func unlessEmpty(text string, _ fault.Place) (any, bool, error) { return text, text != "", nil }

func jsonCell(column, want string) cellReader {
	return func(text string, place fault.Place) (any, bool, error) {
		if text == "" {
			return nil, false, nil
		}
		value, err := jsonschema.Decode([]byte(text))
		if err != nil {
			return nil, false, fault.At(place, "the column %s: want %s in JSON, got %q", column, want, shorten(text)).
				WithHint(`such as 4, true, ["a", "b"] or {"a": 1}; within a quoted cell quotes are written twice`)
		}
		return value, true, nil
	}
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

// goldenCell reads a golden answer. CSV has no types, so the prompt's contract
// decides: text where it says text, else JSON if the cell is JSON.
func (p *plan) goldenCell(path string) cellReader {
	switch kind := p.prompt.Output.Kind; {
	case p.prompt.Output.IsText(), kind == llm.OutputLabel, kind == llm.OutputCode, kind == llm.OutputRegex && path != "", p.isString(path):
		return unlessEmpty
	}
	return func(text string, _ fault.Place) (any, bool, error) {
		if value, err := jsonschema.Decode([]byte(text)); err == nil {
			return value, true, nil
		}
		return text, text != "", nil
	}
}

// isString reports whether the contract's schema says that the value at a path of
// properties is a string.
func (p *plan) isString(path string) bool {
	var at struct {
		Type       any                        `json:"type"`
		Enum       []any                      `json:"enum"`
		Const      any                        `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	raw := p.prompt.Output.Schema
	for _, step := range strings.Split(path, ".") {
		if path == "" {
			break
		}
		at.Properties = nil
		if json.Unmarshal(raw, &at) != nil {
			return false
		}
		raw = at.Properties[step]
	}
	at.Type, at.Enum, at.Const = nil, nil, nil
	if json.Unmarshal(raw, &at) != nil {
		return false
	}
	if at.Type != nil {
		return at.Type == "string"
	}
	for _, choice := range at.Enum {
		if _, ok := choice.(string); !ok {
			return false
		}
	}
	_, constant := at.Const.(string)
	return constant || len(at.Enum) > 0
}
