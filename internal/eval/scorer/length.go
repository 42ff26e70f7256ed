package scorer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type lengthArgs struct {
	Min     *int        `yaml:"min" json:"min,omitempty"`
	Max     *int        `yaml:"max" json:"max,omitempty"`
	Unit    string      `yaml:"unit" json:"unit" oneof:"characters words"`
	Extract *extraction `yaml:"extract" json:"extract,omitempty"`
	Metric  metricName  `yaml:"metric" json:"-"`
}

// parseLength: {length: {min: 1, max: 280, unit: characters}}; the other unit is
// words. Characters are Unicode code points, words stand between white space.
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
	return rule{args: args, metric: string(args.Metric), about: "has " + args.wanted(), judge: args.judge}, nil
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
	text, ok, reason := a.Extract.from(s.Answer)
	if !ok {
		return false, reason, nil
	}
	length := 0
	if a.Unit == "words" {
		for range strings.FieldsSeq(text) {
			length++
		}
	} else {
		length = utf8.RuneCountInString(text)
	}
	if a.Min != nil && length < *a.Min || a.Max != nil && length > *a.Max {
		return false, fmt.Sprintf("want %s, got %d", a.wanted(), length), nil
	}
	return true, "", nil
}
