package scorer

import (
	"encoding/json"
	"errors"
	"regexp"
	"regexp/syntax"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxPattern bounds a regex, in bytes. RE2 matches in time linear in the text, so
// nothing else needs a bound.
const maxPattern = 4096

// pattern is a regex of RE2's syntax, compiled once.
type pattern struct{ compiled *regexp.Regexp }

// UnmarshalNode compiles the regex.
func (p *pattern) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String {
		return n.Mismatch("a regex as a string")
	}
	if len(n.Text()) > maxPattern {
		return n.Errorf("the regex has %d bytes, at most %d are allowed", len(n.Text()), maxPattern)
	}
	compiled, err := regexp.Compile(n.Text())
	if err != nil {
		hint := "the syntax is RE2's; single quotes keep backslashes as they are"
		message := err.Error()
		if wrong, ok := errors.AsType[*syntax.Error](err); ok {
			message = string(wrong.Code) + ": " + wrong.Expr
			if wrong.Code == syntax.ErrInvalidPerlOp {
				hint = "the syntax is RE2's: it has no look-around and no back-references"
			}
		}
		return n.Errorf("invalid regex: %s", message).WithHint("%s", hint)
	}
	p.compiled = compiled
	return nil
}

// MarshalJSON writes the regex as it was written.
func (p pattern) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }

func (p pattern) String() string { return p.compiled.String() }

// last finds the last match: its first group, if there is one, else all of it.
func (p pattern) last(text string) (string, bool) {
	matches := p.compiled.FindAllStringSubmatchIndex(text, -1)
	if len(matches) == 0 {
		return "", false
	}
	m := matches[len(matches)-1]
	switch {
	case len(m) < 4:
		return text[m[0]:m[1]], true
	case m[2] < 0: // the group took no part
		return "", true
	}
	return text[m[2]:m[3]], true
}

// parseRegex: {regex: '^\d+$'}, {regex: {value: …, extract: …, metric: …}}. The
// answer must match somewhere.
func parseRegex(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   *pattern    `yaml:"value,required" json:"value"`
		Extract *extraction `yaml:"extract" json:"extract,omitempty"`
		options `yaml:",inline" json:"-"`
	}
	if n.Kind() != strictyaml.Mapping {
		args.Value = &pattern{}
		if err := args.Value.UnmarshalNode(n); err != nil {
			return rule{}, err
		}
	} else if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	p := args.Value
	return rule{args: args, options: args.options, about: "matches " + p.String(), judge: func(s *eval.Subject) (bool, string, error) {
		text, ok, reason := args.Extract.from(s)
		if !ok {
			return false, reason, nil
		}
		if !p.compiled.MatchString(text) {
			return false, "nothing matches " + p.String() + " in " + quote(text), nil
		}
		return true, "", nil
	}}, nil
}
