package server

import (
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// overrides refuses what would make another prompt of a prompt, but for what that
// allows by name, and joins the request's tools with the prompt's.
func (c *chatRequest) overrides(x *exchange, p *prompt.Prompt, model string) error {
	if !c.output.IsText() {
		return invalid("response_format", "response_format: the prompt %s has a contract of its own", p.Name)
	}
	if model != "" {
		if !p.Allows(prompt.AllowModel) {
			return invalid("model", "the prompt %s says which model is asked; leave model out, or write prompt:%s%s", p.Name, p.Name, allowing(p))
		}
		if err := x.mayAsk(model); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.options)) {
		if !p.Allows(name) {
			return invalid(name, "%s: the prompt %s does not allow to set it%s", name, p.Name, allowing(p))
		}
	}
	if !c.chosen.given() {
		return nil
	}
	if !p.Allows(prompt.AllowTools) {
		return invalid(c.chosen.first(), "%s: the prompt %s does not allow tools of the request%s", c.chosen.first(), p.Name, allowing(p))
	}
	for i, tool := range c.tools.List {
		if p.Tools.Find(tool.Name) != nil {
			at := within("tools", i) + ".function.name"
			return invalid(at, "%s: the prompt %s has a tool %q of its own", at, p.Name, tool.Name)
		}
	}
	all := llm.Tools{List: append(slices.Clip(p.Tools.List), c.tools.List...)}
	if err := c.chosen.choose(&all); err != nil {
		return err
	}
	c.tools.Choice = all.Choice
	return nil
}

// first names what the request says of tools.
func (t *toolFields) first() string {
	switch {
	case len(t.list) > 0:
		return "tools"
	case len(t.choice) > 0:
		return "tool_choice"
	}
	return "parallel_tool_calls"
}

// allowing says what a prompt allows to set.
func allowing(p *prompt.Prompt) string {
	if len(p.Allow) == 0 {
		return ""
	}
	return "; it allows " + strings.Join(p.Allow, ", ")
}
