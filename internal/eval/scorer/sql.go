package scorer

import (
	"context"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// SQL says why a text is no SQL, "" where it is. It reads and runs nothing. An error
// means that it cannot tell.
type SQL func(ctx context.Context, text string) (wrong string, err error)

// parseIsSQL: is_sql, or {is_sql: {extract: …}}. The dialect is SQLite's.
func parseIsSQL(p *Parser, n strictyaml.Node) (rule, error) {
	if p.deps.SQL == nil {
		return rule{}, fault.At(n.Place(), "the check is_sql cannot stand here").WithHint("it belongs into expect of a suite or a case")
	}
	var args struct {
		Extract *extraction `yaml:"extract" json:"extract,omitempty"`
		options `yaml:",inline" json:"-"`
	}
	if n.Exists() {
		if err := n.Decode(&args); err != nil {
			return rule{}, err
		}
	}
	return rule{args: args, options: args.options, about: "is SQL", whole: func(ctx context.Context, s *eval.Subject) (eval.Score, error) {
		text, ok, reason := args.Extract.from(s)
		if !ok {
			return eval.Score{Reason: reason}, nil
		}
		wrong, err := p.deps.SQL(ctx, text)
		switch {
		case err != nil:
			return eval.Score{}, err
		case wrong != "":
			return eval.Score{Reason: "not SQL: " + cutReason(wrong)}, nil
		}
		return eval.Score{Value: 1, Pass: true}, nil
	}}, nil
}
