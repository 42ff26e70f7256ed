package openai

import (
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// noParameters is the schema of a tool without any: servers miss it where it is left out.
const noParameters = `{"type":"object","properties":{}}`

// appendTools appends the tools that a request offers, and which of them it wants,
// each with a comma before it. Nothing is said where nothing was declared.
func appendTools(b []byte, req *llm.Request) ([]byte, error) {
	tools := &req.Tools
	if !tools.Offered() {
		return b, nil
	}
	for _, name := range []string{"tools", "tool_choice", "parallel_tool_calls"} {
		if _, written := req.Options[name]; written {
			return nil, fault.New(fault.BadRequest, "option %q stands beside the prompt's tools", name).
				WithHint("declare tools in one place: tools: in the front matter, with tool_choice and parallel_tool_calls under llmx:")
		}
	}
	b = append(b, `,"tools":[`...)
	for i, tool := range tools.List {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"function","function":{"name":`...)
		b = appendQuoted(b, tool.Name)
		if tool.Description != "" {
			b = append(b, `,"description":`...)
			b = appendQuoted(b, tool.Description)
		}
		b = append(b, `,"parameters":`...)
		if tool.Parameters == nil {
			b = append(b, noParameters...)
		} else {
			b = append(b, tool.Parameters...)
		}
		if tool.Strict {
			b = append(b, `,"strict":true`...)
		}
		b = append(b, "}}"...)
	}
	b = append(b, ']')
	switch tools.Choice {
	case "", llm.ToolsAuto:
	case llm.ToolsNone, llm.ToolsRequired:
		b = append(b, `,"tool_choice":`...)
		b = appendQuoted(b, tools.Choice)
	default:
		b = append(b, `,"tool_choice":{"type":"function","function":{"name":`...)
		b = appendQuoted(b, tools.Choice)
		b = append(b, "}}"...)
	}
	if tools.OneAtATime {
		b = append(b, `,"parallel_tool_calls":false`...)
	}
	return b, nil
}
