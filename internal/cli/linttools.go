package cli

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// lintTools warns of checks that want a tool called where the prompt offers none. What
// stands in its options is the provider's own matter.
func lintTools(one *loaded) ([]*fault.Error, error) {
	if _, beside := one.prompt.Options["tools"]; beside || one.prompt.Tools.Offered() {
		return nil, nil
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
