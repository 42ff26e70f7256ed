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
	return parseWhether(n, "an answer from the cache", "an answer that is not from the cache", func(s *eval.Subject) (bool, string) {
		from := map[string]string{"": "asked now", "cache": "from the cache", "recording": "from a recording", "shared": "shared with an equal call"}[s.StoredBy]
		return s.StoredBy == "cache", ", got one " + cmp.Or(from, s.StoredBy)
	})
}

// parseWhether reads a check of what an answer either is or is not: tell says whether,
// and what was there. Without a value it is to be.
func parseWhether(n strictyaml.Node, yes, no string, tell func(*eval.Subject) (is bool, got string)) (rule, error) {
	var args struct {
		Value   bool `yaml:"value" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	args.Value = true
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.Value) }); err != nil {
		return rule{}, err
	}
	want := yes
	if !args.Value {
		want = no
	}
	return rule{args: args, options: args.options, about: "is " + want, judge: func(s *eval.Subject) (bool, string, error) {
		is, got := tell(s)
		if is == args.Value {
			return true, "", nil
		}
		return false, "want " + want + got, nil
	}}, nil
}
