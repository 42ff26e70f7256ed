package scorer

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseRepaired: repaired, {repaired: false} or {repaired: {value: false, metric: …}}:
// whether a valid answer had to be put right before it was one. Of an answer that its
// contract refused nothing was put right.
func parseRepaired(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   bool `yaml:"value" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	args.Value = true
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.Value) }); err != nil {
		return rule{}, err
	}
	want := "an answer that was repaired"
	if !args.Value {
		want = "an answer that needed no repair"
	}
	return rule{args: args, options: args.options, about: "is " + want, judge: func(s *eval.Subject) (bool, string, error) {
		if (len(s.Repairs) > 0) == args.Value {
			return true, "", nil
		}
		got := "nothing was put right"
		if len(s.Repairs) > 0 {
			names := make([]string, len(s.Repairs))
			for i, repair := range s.Repairs {
				names[i] = repair.Name
			}
			got = "put right: " + strings.Join(names, ", ")
		}
		return false, "want " + want + "; " + got, nil
	}}, nil
}
