package scorer

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseMaxTokens: {max_tokens: 200} or {max_tokens: {value: 200, of:
// output|input|total, metric: …}}, of the tokens that the provider counted, over all
// attempts; output by default, reasoning included. Where it counted nothing, as for
// written recordings, it is an estimate, and the reason says so.
func parseMaxTokens(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   int    `yaml:"value,required" json:"value"`
		Of      string `yaml:"of" json:"of" oneof:"output input total"`
		options `yaml:",inline" json:"-"`
	}
	args.Of = "output"
	if err := decodeOr(n, &args, func(n strictyaml.Node) error { return n.Decode(&args.Value) }); err != nil {
		return rule{}, err
	}
	if args.Value < 1 {
		return rule{}, n.Errorf("a limit of tokens is a whole number above 0")
	}
	about := fmt.Sprintf("takes at most %d %s tokens", args.Value, args.Of)
	return rule{args: args, options: args.options, about: about, judge: func(s *eval.Subject) (bool, string, error) {
		used := map[string]int64{"output": s.Usage.Output, "input": s.Usage.Input, "total": s.Usage.Input + s.Usage.Output}[args.Of]
		if used <= int64(args.Value) {
			return true, "", nil
		}
		estimated := ""
		if s.Usage.Estimated {
			estimated = ", by estimate"
		}
		return false, fmt.Sprintf("want at most %d %s tokens, took %d%s", args.Value, args.Of, used, estimated), nil
	}}, nil
}
