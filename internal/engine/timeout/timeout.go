// Package timeout is the wrapper right above a provider: it ends an attempt whose
// first piece, or whose next one, does not come in time. It imports the words of
// llm and fault alone.
package timeout

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// New wraps the model of that alias. The bounds are the request's: Timeouts.FirstToken
// runs from the ask, Timeouts.Idle between two pieces; reasoning counts as a piece.
// While the consumer is busy with a piece no time runs. What the provider's wire
// sends besides, such as comments that keep a connection open, is no sign of life.
func New(alias string, next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			llm.AdmissionFrom(ctx).Asked = true
			call := llm.UnderwayFrom(ctx)
			call.Asking()
			w := watch{alias: alias, bounds: req.Timeouts}
			ctx, w.cancel = context.WithCancelCause(ctx)
			defer w.cancel(nil)
			w.start()
			defer w.stop()
			for event, err := range next.Stream(ctx, req) {
				w.stop()
				if err != nil {
					if reason, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
						err = reason
					}
					call.Failed()
					yield(llm.Event{}, err)
					return
				}
				w.begun = w.begun || event.Begins()
				if !yield(event, nil) {
					return
				}
				w.start()
			}
		}
	})
}

// watch is the time that runs until the next piece.
type watch struct {
	alias  string
	bounds llm.Timeouts
	begun  bool
	cancel context.CancelCauseFunc

	timer *time.Timer
	idle  bool          // timer is that between two pieces
	asked time.Time     // when the first wait began
	spent time.Duration // … and how much of it was used before
}

// start lets the time run: what is left of that for the first piece, or all of
// that between two.
func (w *watch) start() {
	if !w.begun {
		w.asked = time.Now()
		if bound := w.bounds.FirstToken; bound > 0 {
			w.timer = time.AfterFunc(max(bound-w.spent, 1), func() { w.cancel(w.unbegun()) })
		}
		return
	}
	switch {
	case w.bounds.Idle <= 0:
		w.timer = nil
	case w.idle:
		w.timer.Reset(w.bounds.Idle)
	default:
		w.idle = true
		w.timer = time.AfterFunc(w.bounds.Idle, func() { w.cancel(w.silent()) })
	}
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
	if !w.begun {
		w.spent += time.Since(w.asked)
	}
}

func (w *watch) unbegun() error {
	return fault.New(fault.TimeoutFirstToken, "nothing came from %s within %v", w.alias, w.bounds.FirstToken).
		WithHint("raise timeout.first_token of the route in llmx.yaml if the model thinks so long")
}

func (w *watch) silent() error {
	return fault.New(fault.TimeoutIdle, "%s fell silent in its answer for %v", w.alias, w.bounds.Idle).
		WithHint("raise timeout.idle of the route in llmx.yaml if the model pauses so long")
}
