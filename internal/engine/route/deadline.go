package route

import (
	"context"
	"iter"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Deadline gives every call the one bound of its policy: queueing, pauses,
// attempts, fallbacks and all of its turns end with it. It stands above whatever
// makes turns.
func Deadline(policies map[string]Policy, next llm.Model) llm.Model {
	late := make(map[string]*fault.Error, len(policies)) // made once: few calls need it
	for name, policy := range policies {
		late[name] = fault.New(fault.TimeoutTotal, "no whole answer from %s within %v", name, policy.Total).
			WithHint("raise timeout.total of the route in llmx.yaml, or ask for less")
	}
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		total := policies[req.Model].Total
		if total <= 0 {
			return next.Stream(ctx, req)
		}
		return func(yield func(llm.Event, error) bool) {
			ctx, cancel := context.WithTimeoutCause(ctx, total, late[req.Model])
			defer cancel()
			next.Stream(ctx, req)(yield)
		}
	})
}
