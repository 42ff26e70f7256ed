package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// lintTools warns of tools that a case wants called, or has results of, and that the
// prompt does not offer. What stands in its options is the provider's own matter.
func lintTools(one *loaded) ([]*fault.Error, error) {
	if _, beside := one.prompt.Options["tools"]; beside {
		return nil, nil
	}
	if one.prompt.Tools.Offered() {
		return lintToolNames(one)
	}
	var warnings []*fault.Error
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		for _, check := range c.Checks {
			if eval.Needs(check)&eval.NeedToolCalls == 0 || strings.HasPrefix(check.Name(), "not ") {
				continue
			}
			warnings = append(warnings, fault.At(c.Place, "the case %s wants a tool called (%s), and the prompt %s offers none", c.ID, check.Name(), one.prompt.Name).
				WithHint("declare it in the front matter: tools: [{name: …, description: …, parameters: {…}}]"))
			break
		}
	}
	return warnings, nil
}

// lintToolNames warns of names that no tool of the prompt has. A check that forbids a
// tool may name one that is not offered here.
func lintToolNames(one *loaded) ([]*fault.Error, error) {
	var offered []string
	for _, tool := range one.prompt.Tools.List {
		offered = append(offered, tool.Name)
	}
	var warnings []*fault.Error
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		wanted := map[string]fault.Place{}
		for check := range c.AllChecks() {
			if strings.HasPrefix(check.Name(), "not ") {
				continue
			}
			for _, name := range eval.ToolsOf(check) {
				wanted[name] = c.Place
			}
		}
		for i := range c.Turns {
			if turn := &c.Turns[i]; turn.Tool != "" {
				wanted[turn.Tool] = turn.Place
			}
		}
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			if !slices.Contains(offered, name) {
				warnings = append(warnings, fault.At(wanted[name], "the case %s names the tool %q, which the prompt %s does not offer", c.ID, name, one.prompt.Name).
					WithHint("%s", fault.Allowed(name, offered)))
			}
		}
	}
	return warnings, nil
}
