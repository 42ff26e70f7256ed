package scorer

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type containsArgs struct {
	Value      *string     `yaml:"value" json:"-"`
	All        *[]string   `yaml:"all" json:"all,omitempty"`
	Any        *[]string   `yaml:"any" json:"any,omitempty"`
	Ordered    *[]string   `yaml:"ordered" json:"ordered,omitempty"`
	IgnoreCase bool        `yaml:"ignore_case" json:"ignore_case,omitempty"`
	Extract    *extraction `yaml:"extract" json:"extract,omitempty"`
	options    `yaml:",inline" json:"-"`
}

// parseContains: {contains: refund}, {contains: [all, of, these]}, or {contains:
// {value: …, all: […], any: […], ordered: […], ignore_case: true, extract: …}}, where
// all that is given must hold. Texts are compared as they are written, code point by
// code point.
func parseContains(n strictyaml.Node) (rule, error) {
	var args containsArgs
	switch n.Kind() {
	case strictyaml.Mapping:
		if err := n.Decode(&args); err != nil {
			return rule{}, err
		}
	case strictyaml.List:
		args.All = new([]string)
		if err := n.Decode(args.All); err != nil {
			return rule{}, err
		}
	case strictyaml.String:
		text := n.Text()
		args.Value = &text
	default:
		return rule{}, n.Mismatch("a string or a list of strings").WithHint("put quotes around a number or a boolean")
	}
	if err := args.settle(n); err != nil {
		return rule{}, err
	}
	return rule{args: args, options: args.options, about: args.about(), judge: args.judge}, nil
}

// settle folds value into all, and refuses what could not fail.
func (a *containsArgs) settle(n strictyaml.Node) error {
	var all []string
	if a.Value != nil {
		all = append(all, *a.Value)
	}
	if a.All != nil {
		all = append(all, *a.All...)
	}
	wanted := slices.Clone(all)
	nothing := false
	for _, list := range []*[]string{a.Any, a.Ordered} {
		if list != nil {
			wanted = append(wanted, *list...)
			nothing = nothing || len(*list) == 0
		}
	}
	switch {
	case len(wanted) == 0, nothing:
		return n.Errorf("contains looks for nothing").WithHint("name what must be there: value, all, any or ordered")
	case slices.Contains(wanted, ""):
		return n.Errorf("contains looks for an empty text, which is in every answer")
	}
	if a.All = nil; all != nil {
		a.All = &all
	}
	return nil
}

func (a *containsArgs) about() string {
	var parts []string
	if a.All != nil {
		parts = append(parts, "contains "+quoteAll(*a.All))
	}
	if a.Any != nil {
		parts = append(parts, "contains one of "+quoteAll(*a.Any))
	}
	if a.Ordered != nil {
		parts = append(parts, "contains in this order "+quoteAll(*a.Ordered))
	}
	return strings.Join(parts, ", ")
}

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return strings.Join(quoted, ", ")
}

func (a *containsArgs) judge(s *eval.Subject) (bool, string, error) {
	text, ok, reason := a.Extract.from(s)
	if !ok {
		return false, reason, nil
	}
	searched := a.fold(text)
	if a.All != nil {
		var missing []string
		for _, want := range *a.All {
			if !strings.Contains(searched, a.fold(want)) {
				missing = append(missing, want)
			}
		}
		if len(missing) > 0 {
			return false, cut(quoteAll(missing)) + " not in " + quote(text), nil
		}
	}
	if a.Ordered != nil {
		if missing, ok := a.firstOutOfOrder(searched); !ok {
			return false, quote(missing) + " does not follow in " + quote(text), nil
		}
	}
	if a.Any == nil {
		return true, "", nil
	}
	for _, want := range *a.Any {
		if strings.Contains(searched, a.fold(want)) {
			return true, "", nil
		}
	}
	return false, "none of " + cut(quoteAll(*a.Any)) + " in " + quote(text), nil
}

// firstOutOfOrder finds the first text that does not stand after those before it.
func (a *containsArgs) firstOutOfOrder(searched string) (missing string, ok bool) {
	for _, want := range *a.Ordered {
		_, after, found := strings.Cut(searched, a.fold(want))
		if !found {
			return want, false
		}
		searched = after
	}
	return "", true
}

func (a *containsArgs) fold(text string) string {
	if a.IgnoreCase {
		return strings.ToLower(text)
	}
	return text
}
