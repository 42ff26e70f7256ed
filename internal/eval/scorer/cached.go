package scorer

import (
	"cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseCached: cached, {cached: false} or {cached: {value: false, metric: …}}: the
// answer came from the cache. A recording, and an answer shared with an equal call
// that was under way, did not.
func parseCached(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   bool `yaml:"value" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	args.Value = true
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.Value) }); err != nil {
		return rule{}, err
	}
	want := "an answer from the cache"
	if !args.Value {
		want = "an answer that is not from the cache"
	}
	return rule{args: args, options: args.options, about: "is " + want, judge: func(s *eval.Subject) (bool, string, error) {
		if (s.StoredBy == "cache") == args.Value {
			return true, "", nil
		}
		from := map[string]string{"": "asked now", "cache": "from the cache", "recording": "from a recording", "shared": "shared with an equal call"}[s.StoredBy]
		return false, "want " + want + ", got one " + cmp.Or(from, s.StoredBy), nil
	}}, nil
}
