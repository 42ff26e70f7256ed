package prompt

import (
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// frontMatter is the YAML head of a prompt file, in the keys of the Prompty
// convention; llmx: has what that has no word for.
type frontMatter struct {
	Name        strictyaml.Node `yaml:"name,required"`
	Description string          `yaml:"description"`
	Authors     []string        `yaml:"authors"`
	Tags        []string        `yaml:"tags"`
	Model       modelBlock      `yaml:"model"`
	Inputs      strictyaml.Node `yaml:"inputs"`
	Outputs     strictyaml.Node `yaml:"outputs"`
	Tools       []toolBlock     `yaml:"tools"`
	LLMX        struct {
		Examples []exampleBlock  `yaml:"examples"`
		Repair   strictyaml.Node `yaml:"repair"`
		Coerce   strictyaml.Node `yaml:"coerce"`
		Reask    strictyaml.Node `yaml:"reask"`
		Choice   strictyaml.Node `yaml:"tool_choice"`
		Parallel strictyaml.Node `yaml:"parallel_tool_calls"`

		Instructions strictyaml.Node `yaml:"instructions"`
		Stream       strictyaml.Node `yaml:"stream"`
		Allow        strictyaml.Node `yaml:"allow"`
	} `yaml:"llmx"`
}

type modelBlock struct {
	ID      string          `yaml:"id"`
	Options strictyaml.Node `yaml:"options"`
}

type exampleBlock struct {
	Place  fault.Place     `yaml:",place"`
	Inputs strictyaml.Node `yaml:"inputs,required"`
	Output strictyaml.Node `yaml:"output,required"`
}

// splitFile parts a prompt file into front matter and body. Each is given with the
// place where it begins; the front matter begins at line 2.
func splitFile(file, text string) (front string, body source, err *fault.Error) {
	start := fault.Place{File: file, Line: 1, Col: 1}
	head, rest, _ := strings.Cut(text, "\n")
	if strings.TrimRight(head, " \t") != "---" {
		return "", source{}, fault.At(start, "the file does not begin with front matter").WithHint("the first line is ---, then YAML, then --- again, then the messages")
	}
	line := 1
	for at := 0; at < len(rest); {
		line++
		end := len(rest)
		if next := strings.IndexByte(rest[at:], '\n'); next >= 0 {
			end = at + next
		}
		if strings.TrimRight(rest[at:end], " \t") == "---" {
			return rest[:at], newSource(rest[min(end+1, len(rest)):], fault.Place{File: file, Line: line + 1, Col: 1}), nil
		}
		at = end + 1
	}
	return "", source{}, fault.At(start, "the front matter is not closed").WithHint("end it with a line ---")
}

// readOptions keeps every option as it was written.
func readOptions(n strictyaml.Node, problems *fault.List) llm.Options {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != strictyaml.Mapping {
		problems.Add(n.Mismatch("a mapping of the model's options"))
		return nil
	}
	options := llm.Options{}
	for _, field := range n.Fields() {
		raw, err := jsonOf(field.Value)
		problems.Add(err)
		options[field.Key] = json.RawMessage(raw)
	}
	return options
}
