package scorer

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type affixArgs struct {
	Value      wanted      `yaml:"value,required" json:"value"`
	IgnoreCase bool        `yaml:"ignore_case" json:"ignore_case,omitempty"`
	Extract    *extraction `yaml:"extract" json:"extract,omitempty"`
	options    `yaml:",inline" json:"-"`
}

// parseStartsWith: {starts_with: Dear}, {starts_with: [Dear, Hello]} for one of
// them, or {starts_with: {value: …, ignore_case: true, extract: …}}. White space
// around the answer does not count; texts are compared in NFC.
func parseStartsWith(n strictyaml.Node) (rule, error) {
	return parseAffix(n, "starts with", strings.HasPrefix, quote)
}

// parseEndsWith is the same for the answer's end.
func parseEndsWith(n strictyaml.Node) (rule, error) {
	return parseAffix(n, "ends with", strings.HasSuffix, quoteEnd)
}

func parseAffix(n strictyaml.Node, verb string, holds func(text, affix string) bool, show func(string) string) (rule, error) {
	var args affixArgs
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if err := args.Value.check(areTexts); err != nil {
		return rule{}, err
	}
	texts, _ := textsOf(args.Value.node.Value())
	if slices.Contains(texts, "") {
		return rule{}, args.Value.node.Errorf("every answer %s an empty text", verb)
	}
	affixes := quoteAll(texts)
	if len(texts) > 1 {
		affixes = "one of " + affixes
	}
	return rule{args: args, options: args.options, about: verb + " " + affixes, judge: func(s *eval.Subject) (bool, string, error) {
		text, ok, reason := args.Extract.from(s)
		if !ok {
			return false, reason, nil
		}
		text = strings.TrimSpace(text)
		searched := args.fold(text)
		for _, affix := range texts {
			if holds(searched, args.fold(affix)) {
				return true, "", nil
			}
		}
		return false, "want an answer that " + verb + " " + cut(affixes) + ", got " + show(text), nil
	}}, nil
}

func (a *affixArgs) fold(text string) string {
	text = norm.NFC.String(text)
	if a.IgnoreCase {
		return strings.ToLower(text)
	}
	return text
}
