package llm

import (
	"context"
	"sync"
)

// Underway tells a call that waits from one for which a provider is being asked,
// so that a run that is stopped can leave the one and finish the other.
type Underway struct {
	leave context.CancelFunc

	mu      sync.Mutex
	asked   int // without those that failed
	stopped bool
}

type underwayKey struct{}

// WithUnderway begins a call. Whoever asks a provider under that context says so.
func WithUnderway(ctx context.Context) (context.Context, *Underway) {
	ctx, leave := context.WithCancel(ctx)
	u := &Underway{leave: leave}
	return context.WithValue(ctx, underwayKey{}, u), u
}

// UnderwayFrom finds the call that ctx belongs to; nil, of which the methods do
// nothing, where there is none.
func UnderwayFrom(ctx context.Context) *Underway {
	u, _ := ctx.Value(underwayKey{}).(*Underway)
	return u
}

// Stop ends the call if it waits: for a place, for money, or before it asks again.
// If a provider is being asked it ends when that has failed. A call that has an
// answer is finished.
func (u *Underway) Stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.settle()
}

// End frees what belongs to the call.
func (u *Underway) End() { u.leave() }

// Asking says that a provider is being asked.
func (u *Underway) Asking() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked++
}

// Failed says that one that was being asked has failed.
func (u *Underway) Failed() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked--
	u.settle()
}

func (u *Underway) settle() {
	if u.stopped && u.asked == 0 {
		u.leave()
	}
}
