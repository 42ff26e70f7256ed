// Package keepalive is the engine's outermost wrapper: it tells a caller that is
// still without a piece that somebody is at work. It imports the words of llm alone.
package keepalive

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// New wraps a model. Where Request.KeepAlive is set, an event that says nothing but
// Alive comes whenever nothing else has come for so long: while the call waits for
// a place, pauses, asks, or holds an answer back until it is whole.
func New(next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		if req.KeepAlive <= 0 {
			return next.Stream(ctx, req)
		}
		return func(yield func(llm.Event, error) bool) { relay(ctx, req, next, yield) }
	})
}

type item struct {
	event llm.Event
	err   error
}

// relay lets the call run in a goroutine of its own, as its stream can only be
// waited for. That goroutine has ended when relay returns.
func relay(ctx context.Context, req llm.Request, next llm.Model, yield func(llm.Event, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	items, over := make(chan item), make(chan struct{})
	var panicked any // set before items is closed
	defer func() {
		cancel()
		close(over)
		for range items { // until the goroutine has closed it
		}
		if panicked != nil { // where the caller can catch it: here it would end the process
			panic(panicked)
		}
	}()
	go func() {
		defer close(items)
		defer func() {
			if said := recover(); said != nil {
				panicked = fmt.Sprintf("%v\n%s", said, debug.Stack())
			}
		}()
		for event, err := range next.Stream(ctx, req) {
			select {
			case items <- item{event, err}:
			case <-over:
				return
			}
		}
	}()
	quiet := time.NewTimer(req.KeepAlive)
	defer quiet.Stop()
	for {
		select {
		case it, more := <-items:
			if !more || !yield(it.event, it.err) {
				return
			}
		case <-quiet.C:
			if !yield(llm.Event{Alive: true}, nil) {
				return
			}
		}
		quiet.Reset(req.KeepAlive)
	}
}
