package route

import (
	"context"
	"iter"
	"net/http"
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
					if e := fault.As(err); forGood(e) {
						refused.CompareAndSwap(nil, e)
					}
				}
				if !yield(event, err) {
					return
				}
			}
		}
	})
}

// forGood reports a refusal that is of the key, the model or the account. A 403 may be
// of one request alone: gateways answer so to an input that they do not like.
func forGood(e *fault.Error) bool {
	switch e.Class {
	case fault.Auth:
		return e.Status != http.StatusForbidden
	case fault.NotFound, fault.QuotaExhausted:
		return true
	}
	return false
}
