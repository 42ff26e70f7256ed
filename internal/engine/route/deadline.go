package route

import (
	"context"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Deadline gives every call the one bound of its policy: queueing, pauses,
// attempts, fallbacks and all of its turns end with it. It stands above whatever
// makes turns.
func Deadline(policies map[string]Policy, next llm.Model) llm.Model {
	late := make(map[string]*fault.Error, len(policies)) // made once: few calls need it
	queued := make(map[string]*fault.Error, len(policies))
	for name, policy := range policies {
		queued[name] = fault.New(fault.TimeoutTotal, "no whole answer from %s within %v, most of which it waited for its turn", name, policy.Total).
			WithHint("limits let through less than is asked at once: lower test.jobs (--jobs), or raise timeout.total of the route in llmx.yaml")
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
			next.Stream(ctx, req)(func(event llm.Event, err error) bool {
				if err != nil && context.Cause(ctx) == late[req.Model] && waited(llm.CallFrom(ctx)) > total/2 {
					err = queued[req.Model]
				}
				return yield(event, err)
			})
		}
	})
}

// waited is how long the attempts of a call have waited to be admitted.
func waited(call *llm.Call) (sum time.Duration) {
	if call == nil {
		return 0 // nobody has kept count
	}
	for _, turn := range call.Turns {
		for _, attempt := range turn.Attempts {
			sum += attempt.Queue
		}
	}
	return sum
}
