// Package route is the engine's lowest wrapper: it chooses who answers, makes the
// attempt and writes its record. It imports the words of llm and fault alone;
// whoever answers is handed in.
package route

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Target is a model that can be asked.
type Target struct {
	Alias    string
	Provider string                   // its name in llmx.yaml
	Wire     string                   // the model's name on the wire
	Model    llm.Model                // who answers; gets the request with Model set to Wire
	Cost     func(llm.Usage) llm.Cost // at the list price
	Slots    chan struct{}            // bounds the attempts under way; nil: no bound
}

// Policy says which model answers for a name, and within what time.
type Policy struct {
	Use   string        // alias of the target
	Total time.Duration // bound of the whole turn: waiting and answering
}

// New makes the model that answers by policy. A name without a policy is refused.
// now is the wall clock of the attempts' records.
func New(targets map[string]*Target, policies map[string]Policy, now func() time.Time) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		policy, ok := policies[req.Model]
		target := targets[policy.Use]
		if !ok || target == nil {
			return llm.Fail(unknown(req.Model, policies))
		}
		return func(yield func(llm.Event, error) bool) {
			late := fault.New(fault.TimeoutTotal, "no whole answer from %s within %v", target.Alias, policy.Total).
				WithHint("raise timeout.total of the route in llmx.yaml, or ask for less")
			ctx, cancel := context.WithTimeoutCause(ctx, policy.Total, late)
			defer cancel()
			a := &attempt{Attempt: llm.Attempt{Provider: target.Provider, Model: target.Alias, Wire: target.Wire, Started: now()}}
			a.run(ctx, target, req, yield)
		}
	})
}

func unknown(name string, policies map[string]Policy) error {
	names := make([]string, 0, len(policies))
	for known := range policies {
		names = append(names, known)
	}
	slices.Sort(names)
	return fault.New(fault.Usage, "no model or route is called %q", name).WithHint("%s", fault.Allowed(name, names))
}
