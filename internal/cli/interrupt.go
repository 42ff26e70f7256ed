package cli

import (
	"context"
	"fmt"
)

// interruptible turns signals into a graceful stop, then an end at once.
func (w *World) interruptible(ctx context.Context) (_ context.Context, stop <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	stopped, done := make(chan struct{}), make(chan struct{})
	ended := make(chan struct{})
	signals, stopNotify := w.signals()
	go func() {
		defer close(ended)
		select {
		case <-signals:
		case <-done:
			return
		}
		close(stopped)
		fmt.Fprintln(w.Stderr, "\nstopping: calls under way are finished; press Ctrl-C again to leave at once")
		select {
		case <-signals:
			cancel()
		case <-done:
		}
	}()
	return ctx, stopped, func() { close(done); <-ended; stopNotify(); cancel() }
}

// cancelable ends ctx with the first signal.
func (w *World) cancelable(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	signals, stopNotify := w.signals()
	go func() {
		defer close(ended)
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-ended; stopNotify() }
}
