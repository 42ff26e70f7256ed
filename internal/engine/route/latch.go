package route

import (
	"context"
	"iter"
	"sync/atomic"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Latch wraps a model so that a refusal which no later request can change (a
// refused key, an unknown model, an exhausted quota) is met once: what comes
// after it fails at once with the same error, without a request. It is for one
// run; a server must ask again.
func Latch(next llm.Model) llm.Model {
	var refused atomic.Pointer[fault.Error]
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		if err := refused.Load(); err != nil {
			llm.AdmissionFrom(ctx).Before = true
			return llm.Fail(err)
		}
		return func(yield func(llm.Event, error) bool) {
			for event, err := range next.Stream(ctx, req) {
				if err != nil {
					switch fault.ClassOf(err) {
					case fault.Auth, fault.NotFound, fault.QuotaExhausted:
						refused.CompareAndSwap(nil, fault.As(err))
					}
				}
				if !yield(event, err) {
					return
				}
			}
		}
	})
}
