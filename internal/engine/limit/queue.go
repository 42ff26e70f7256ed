package limit

import (
	"container/list"
	"context"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// waiter is a request in the queue.
type waiter struct {
	tokens   float64
	deadline time.Duration // the instant, never if there is none
	place    *list.Element // nil once it has left the queue

	// One of these is set when done is closed.
	done    chan struct{}
	pass    *pass
	refused *fault.Error
}

// enter waits for an admission, and adds the time waited to the record.
func (l *Limiter) enter(ctx context.Context, record *llm.Admission, tokens float64) (pass, error) {
	if ended := fault.Ended(ctx, nil); ended != nil {
		return pass{}, ended
	}
	now := l.now()
	l.mu.Lock()
	now = l.tick(now)
	if l.queue.Len() == 0 && l.wait(now, tokens) == 0 {
		p := l.take(tokens)
		l.mu.Unlock()
		return p, nil
	}
	w := &waiter{tokens: tokens, deadline: l.deadline(ctx), done: make(chan struct{})}
	if refused := l.hopeless(now, w, l.queue.Len()); refused != nil {
		l.mu.Unlock()
		return pass{}, refused
	}
	w.place = l.queue.PushBack(w)
	if l.queue.Len() == 1 {
		l.admit(now)
	}
	l.mu.Unlock()

	p, err := l.await(ctx, w)
	record.Queue += l.now() - now
	return p, err
}

// await waits until the waiter is admitted or refused, or its context is over.
func (l *Limiter) await(ctx context.Context, w *waiter) (pass, error) {
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	ended := fault.Ended(ctx, nil)
	if ended == nil {
		if w.refused != nil {
			return pass{}, w.refused
		}
		return *w.pass, nil
	}
	// Nobody will make use of what it was given, or would be.
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.tick(l.now())
	switch {
	case w.place != nil:
		l.remove(w)
	case w.pass != nil:
		l.undo(*w.pass)
	}
	l.admit(now)
	return pass{}, ended
}

func (l *Limiter) deadline(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return deadline.Sub(l.start)
	}
	return never
}

// admit lets waiters go, in order, as far as the limits allow, refuses those at
// the head that cannot go in time, and sets the timer for the first that is left.
func (l *Limiter) admit(now time.Duration) {
	for first := l.queue.Front(); first != nil; first = l.queue.Front() {
		w := first.Value.(*waiter)
		wait := l.wait(now, w.tokens)
		if wait > 0 {
			if refused := l.hopeless(now, w, 0); refused != nil {
				l.refuse(w, refused)
				continue
			}
			l.wake(wait)
			return
		}
		l.remove(w)
		p := l.take(w.tokens)
		w.pass = &p
		close(w.done)
	}
	l.wake(never)
}

// sift refuses all waiters that cannot go in time any more.
func (l *Limiter) sift(now time.Duration) {
	ahead := 0
	for e := l.queue.Front(); e != nil; {
		w := e.Value.(*waiter)
		e = e.Next()
		if refused := l.hopeless(now, w, ahead); refused != nil {
			l.refuse(w, refused)
			continue
		}
		ahead++
	}
}

func (l *Limiter) refuse(w *waiter, refused *fault.Error) {
	l.remove(w)
	w.refused = refused
	close(w.done)
}

func (l *Limiter) remove(w *waiter) {
	l.queue.Remove(w.place)
	w.place = nil
}

// wake looks at the queue again after so long; never stops the timer.
func (l *Limiter) wake(wait time.Duration) {
	switch {
	case wait == never && l.timer != nil:
		l.timer.Stop()
	case wait == never:
	case l.timer == nil:
		l.timer = time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.admit(l.tick(l.now()))
		})
	default:
		l.timer.Reset(wait)
	}
}
