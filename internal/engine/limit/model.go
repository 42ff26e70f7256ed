package limit

import (
	"context"
	"iter"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Model lets requests to next through as the limits allow, and learns from how
// they end. Every Stream is one attempt. A request that is not let through fails
// with the reason why its context ended, or with class rate_limited, status 0 and
// RetryAfter if its turn would come after its deadline.
func (l *Limiter) Model(next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			admission := llm.AdmissionFrom(ctx)
			tokens := 0.0
			if l.tokens != nil {
				tokens = float64(total(req.Estimate()))
			}
			p, err := l.enter(ctx, admission, tokens)
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			admission.Asked = true
			a := attempt{limiter: l, pass: p}
			defer a.leave()
			for event, err := range next.Stream(ctx, req) {
				a.see(event, err)
				if !yield(event, err) {
					return
				}
			}
		}
	})
}

func total(u llm.Usage) int64 { return u.Input + u.Output }
