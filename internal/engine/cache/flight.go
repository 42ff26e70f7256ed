package cache

import (
	"context"
	"sync"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// flights are the requests under way that others may share. They are spread by
// their keys, so that callers with different requests do not queue for one lock.
type flights [64]struct {
	mu    sync.Mutex
	under map[flightKey]*flight
}

// flightKey tells requests apart: who may not keep an answer shares with his like.
type flightKey struct {
	id    identity
	reuse llm.Reuse
}

// flight is one request under way. Its leader, who was first, asks; those who
// follow wait for what becomes of it.
type flight struct {
	key  flightKey
	done chan struct{} // closed when it is known what became of it
	told bool          // of the leader alone: done is closed

	// What became of it, set before done is closed; neither: the leader left, or met
	// a failure of his own.
	answer  *Entry
	failure *fault.Error
}

// errCut is what becomes of an answer without an end.
var errCut = fault.New(fault.Cut, "the answer ended without its end")

// own are failures that say nothing of what another caller would meet: each has his
// own deadline, and his own money.
var own = map[fault.Class]bool{fault.Canceled: true, fault.TimeoutTotal: true, fault.Budget: true}

// join finds the flight for a key, or begins one and leads it.
func (fs *flights) join(key flightKey) (f *flight, leads bool) {
	// Made before it is needed: who allocates may have to help the garbage collector,
	// and others would wait for that.
	mine := &flight{key: key, done: make(chan struct{})}
	near := &fs[int(key.id[0])%len(fs)]
	near.mu.Lock()
	defer near.mu.Unlock()
	if f, ok := near.under[key]; ok {
		return f, false
	}
	if near.under == nil {
		near.under = map[flightKey]*flight{}
	}
	near.under[key] = mine
	return mine, true
}

// land ends a flight; those who still wait look for another leader. It comes before
// they hear of it, so that none of them joins the same again.
func (fs *flights) land(f *flight) {
	near := &fs[int(f.key.id[0])%len(fs)]
	near.mu.Lock()
	if near.under[f.key] == f {
		delete(near.under, f.key)
	}
	near.mu.Unlock()
	f.tell()
}

// fail lands a flight that came to nothing. A nil flight has no followers.
func (fs *flights) fail(ctx context.Context, f *flight, err error) {
	if f == nil || f.told {
		return
	}
	if ctx.Err() == nil && !own[fault.ClassOf(err)] {
		f.failure = copied(fault.As(err))
	}
	fs.land(f)
}

// tell lets the followers go on. An answer is told before the leader passes it on;
// the flight stays until he has, so that who comes meanwhile shares it, too.
func (f *flight) tell() {
	if !f.told {
		f.told = true
		close(f.done)
	}
}

// share leads the flight of a request, or follows one until it is known what became
// of it, or ctx ends. When a leader leaves, one of those who follow leads.
func (c *cache) share(ctx context.Context, id identity, alias string, req llm.Request, yield func(llm.Event, error) bool) {
	for {
		f, leads := c.flights.join(flightKey{id, req.Reuse})
		if leads {
			c.lead(ctx, id, alias, req, f, yield)
			return
		}
		known := true
		select {
		case <-f.done:
		case <-ctx.Done():
			known = false
		}
		switch {
		case known && f.answer != nil:
			if f.answer.End.Fallback { // not by the model that was meant
				alias = f.answer.End.Stored.Model
			}
			f.answer.give(ctx, alias, yield)
			return
		case known && f.failure != nil:
			refuse(ctx, alias, f.failure, yield)
			return
		case ctx.Err() != nil: // also where the leader left at the same moment
			refuse(ctx, alias, fault.Ended(ctx, nil), yield)
			return
		}
	}
}

// refuse gives a copy of a failure, and records that nobody was asked for it.
func refuse(ctx context.Context, model string, failure *fault.Error, yield func(llm.Event, error) bool) {
	if turn := llm.CallFrom(ctx).Turn(); turn != nil {
		turn.Attempts = append(turn.Attempts, llm.Attempt{
			Model: model, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Failure: llm.FailureOf(failure), Unasked: true,
		})
	}
	yield(llm.Event{}, copied(failure))
}

func copied(failure *fault.Error) *fault.Error {
	same := *failure
	return &same
}
