package scorer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type lengthArgs struct {
	Min     *int        `yaml:"min" json:"min,omitempty"`
	Max     *int        `yaml:"max" json:"max,omitempty"`
	Unit    string      `yaml:"unit" json:"unit" oneof:"characters words sentences tokens"`
	Extract *extraction `yaml:"extract" json:"extract,omitempty"`
	options `yaml:",inline" json:"-"`
}

// parseLength: {length: {min: 1, max: 280, unit: characters}}; the other units are
// words, sentences and tokens. Characters are Unicode code points, words stand
// between white space, sentences are those of Unicode's annex 29 with a letter or a
// digit in them ("Dr. Smith" ends one), and tokens are the estimate that is used
// wherever nobody has counted: 4 bytes of UTF-8 each.
func parseLength(n strictyaml.Node) (rule, error) {
	var args lengthArgs
	if n.Kind() != strictyaml.Mapping {
		return rule{}, n.Mismatch("a mapping").WithHint("write {length: {max: 280}}, with min and unit: words besides")
	}
	if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	if args.Unit == "" {
		args.Unit = "characters"
	}
	switch {
	case args.Min == nil && args.Max == nil:
		return rule{}, n.Errorf("length has no limit").WithHint("add min or max")
	case args.Min != nil && *args.Min < 0, args.Max != nil && *args.Max < 0:
		return rule{}, n.Errorf("a length cannot be negative")
	case args.Min != nil && args.Max != nil && *args.Min > *args.Max:
		return rule{}, n.Get("min").Errorf("min %d is above max %d: nothing can pass", *args.Min, *args.Max)
	}
	return rule{args: args, options: args.options, about: "has " + args.wanted(), judge: args.judge}, nil
}

func (a *lengthArgs) wanted() string {
	switch {
	case a.Min == nil:
		return fmt.Sprintf("at most %d %s", *a.Max, a.Unit)
	case a.Max == nil:
		return fmt.Sprintf("at least %d %s", *a.Min, a.Unit)
	}
	return fmt.Sprintf("%d to %d %s", *a.Min, *a.Max, a.Unit)
}

func (a *lengthArgs) judge(s *eval.Subject) (bool, string, error) {
	text, ok, reason := a.Extract.from(s)
	if !ok {
		return false, reason, nil
	}
	length := lengthOf(text, a.Unit)
	if a.Min != nil && length < *a.Min || a.Max != nil && length > *a.Max {
		return false, fmt.Sprintf("want %s, got %d", a.wanted(), length), nil
	}
	return true, "", nil
}

func lengthOf(text, unit string) int {
	length := 0
	switch unit {
	case "words":
		for range strings.FieldsSeq(text) {
			length++
		}
	case "sentences":
		for state := -1; text != ""; {
			var sentence string
			sentence, text, state = uniseg.FirstSentenceInString(text, state)
			if strings.ContainsFunc(sentence, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
				length++
			}
		}
	case "tokens":
		length = int(llm.EstimateTokens(len(text)))
	default:
		length = utf8.RuneCountInString(text)
	}
	return length
}
