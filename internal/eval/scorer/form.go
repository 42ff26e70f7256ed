package scorer

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// form makes a check of what a text is as a whole; wrong says why it is not, "" if
// nothing. Such a check looks at the text as the model wrote it: code fences and
// prose around it make it something else, unless extract takes it out.
func form(name string, wrong func(text string) string) func(strictyaml.Node) (rule, error) {
	return func(n strictyaml.Node) (rule, error) {
		var args struct {
			Extract *extraction `yaml:"extract" json:"extract,omitempty"`
			options `yaml:",inline" json:"-"`
		}
		if n.Exists() {
			if err := n.Decode(&args); err != nil {
				return rule{}, err
			}
		}
		return rule{args: args, options: args.options, about: "is " + name, judge: func(s *eval.Subject) (bool, string, error) {
			text, ok, reason := args.Extract.from(s)
			if !ok {
				return false, reason, nil
			}
			if why := wrong(text); why != "" {
				return false, "not " + name + ": " + cutReason(why), nil
			}
			return true, "", nil
		}}, nil
	}
}

// notJSONText: one JSON value (RFC 8259), no key twice, whole surrogate pairs.
func notJSONText(text string) string {
	if _, err := parseJSON(text); err != nil {
		return strings.TrimPrefix(fault.As(err).Message, "not valid JSON ")
	}
	return ""
}

// notYAML: one YAML document that is a mapping or a list, since any sentence is a
// YAML string; no key twice, no merge keys, as in the files of a project.
func notYAML(text string) string {
	n, err := strictyaml.Parse("", []byte(text), 1)
	if err != nil {
		e := fault.As(err)
		if e.Place.Line > 0 {
			return fmt.Sprintf("%s (line %d)", e.Message, e.Place.Line)
		}
		return e.Message
	}
	if kind := n.Kind(); kind != strictyaml.Mapping && kind != strictyaml.List {
		return "want a mapping or a list, got " + string(kind)
	}
	return ""
}
