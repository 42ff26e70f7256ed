package prompt

import (
	"regexp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// What a prompt may allow besides the names of options.
const (
	AllowModel = "model" // another model or route
	AllowTools = "tools" // tools of the request's own, with tool_choice and parallel_tool_calls
)

// allowable are the names that lint knows; others may be options of a vendor.
var allowable = []string{
	AllowModel, AllowTools, "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "stop", "seed",
	"frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "reasoning_effort", "verbosity", "service_tier",
	"metadata", "store", "prediction", "web_search_options", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "chat_template_kwargs",
}

// neverAllowed are members of a request that say what is asked, or make another contract
// of the prompt's.
var neverAllowed = map[string]string{
	"messages": "they fill the prompt's input of kind thread", "prompt": "it names the prompt", "stream": "every caller may choose it",
	"stream_options": "every caller may choose them", "user": "every caller may say it", "n": "one answer is given to a request",
	"response_format": "the contract is the prompt's: its outputs", "tool_choice": "it comes with tools", "parallel_tool_calls": "it comes with tools",
}

// optionName is the form of an option's name.
var optionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// readAllow reads what requests may set. A name that is not known is remarked on, and
// goes on to the provider like every option.
func (l *loader) readAllow(n strictyaml.Node) []string {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != strictyaml.List {
		l.problems.Add(n.Mismatch("a list of names").WithHint("for example allow: [temperature, max_tokens]"))
		return nil
	}
	var names []string
	for _, item := range n.Items() {
		name := item.Text()
		switch why, never := neverAllowed[name]; {
		case item.Kind() != strictyaml.String || !optionName.MatchString(name):
			l.problems.Add(item.Mismatch("the name of an option, model or tools").WithHint("%s", fault.Allowed(strings.ToLower(name), allowable)))
		case never:
			l.problems.Add(item.Errorf("a prompt cannot allow %s: %s", name, why).WithHint("remove it"))
		case slices.Contains(names, name):
			l.problems.Add(item.Errorf("%s stands here twice", name).WithHint("remove one of them"))
		default:
			names = append(names, name)
			if !slices.Contains(allowable, name) {
				l.warnings.Add(item.Errorf("no option is known by the name %q", name).WithHint("%s, or an option of your vendor's own", fault.Allowed(name, allowable)))
			}
		}
	}
	return names
}

// Allows reports whether requests to llmx serve may set what has this name.
func (p *Prompt) Allows(name string) bool { return slices.Contains(p.Allow, name) }
