// Package cache is the engine's wrapper that answers the exact same request from
// what was answered before. It imports the words of llm; the store satisfies Storage.
package cache

import (
	"context"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Entry is a kept answer.
type Entry struct {
	Text string
	End  llm.End // Stored says when it was given and how long that took
}

// Storage keeps entries by key. A broken entry is a miss, never an error to the caller.
type Storage interface {
	Get(ctx context.Context, key string) (Entry, bool)
	Put(key string, entry Entry, expires time.Time)
}

// Options of the cache.
type Options struct {
	Storage Storage
	TTL     time.Duration
	Now     func() time.Time
	// Resolve names what a model alias or route stands for, so that re-pointing
	// an alias asks anew.
	Resolve func(model string) string
	// Skip tells of models that are not worth keeping, or whose answers depend on
	// what is in no key: a simulated one knows the golden answer. nil skips none.
	Skip func(model string) bool
}

// New wraps a model.
//
// Only whole answers that stopped by themselves and were accepted by the contract
// are kept (End.Keep): never a fallback's, cut, length-stopped, filtered or failed one.
func New(o Options, next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		if o.Skip != nil && o.Skip(req.Model) {
			return next.Stream(ctx, req)
		}
		return func(yield func(llm.Event, error) bool) {
			key := Key(req, o.Resolve(req.Model))
			if req.Reuse.Reads() {
				if entry, hit := o.Storage.Get(ctx, key); hit {
					record(ctx, req, entry)
					llm.Replay(entry.Text, entry.End)(yield)
					return
				}
			}
			o.ask(ctx, key, next.Stream(ctx, req), yield)
		}
	})
}

// ask passes a fresh answer on, and lets the contract keep it.
func (o Options) ask(ctx context.Context, key string, stream iter.Seq2[llm.Event, error], yield func(llm.Event, error) bool) {
	var text []byte
	plain := true // nothing but text: a proposed tool call is not kept
	for event, err := range stream {
		if err != nil {
			yield(llm.Event{}, err)
			return
		}
		text = append(text, event.Text...)
		plain = plain && event.ToolCall == nil
		if event.End != nil && plain && event.End.Finish == llm.FinishStop && event.End.Stored == nil {
			end := *event.End
			entry := Entry{Text: string(text), End: end}
			entry.End.Stored = o.stored(ctx)
			end.Keep = func() { o.Storage.Put(key, entry, o.Now().Add(o.TTL)) }
			event.End = &end
		}
		if !yield(event, nil) {
			return
		}
	}
}

// stored says what the answer cost in time, by the attempt that gave it.
func (o Options) stored(ctx context.Context) *llm.Stored {
	stored := &llm.Stored{By: "cache", At: o.Now()}
	if turn := llm.CallFrom(ctx).Turn(); turn != nil && len(turn.Attempts) > 0 {
		last := turn.Attempts[len(turn.Attempts)-1]
		stored.Service, stored.FirstToken = last.Service, last.FirstToken
		stored.Provider, stored.Wire, stored.Cost = last.Provider, last.Wire, last.Cost
	}
	return stored
}

// record writes the hit into the call as an attempt that cost nothing now.
func record(ctx context.Context, req llm.Request, entry Entry) {
	turn := llm.CallFrom(ctx).Turn()
	if turn == nil {
		return
	}
	stored := entry.End.Stored
	turn.Attempts = append(turn.Attempts, llm.Attempt{
		Provider: stored.Provider, Model: req.Model, Wire: stored.Wire,
		Answered: entry.End.Model, ResponseID: entry.End.ResponseID, Started: stored.At,
		Service: stored.Service, FirstToken: stored.FirstToken, Usage: entry.End.Usage, Cost: stored.Cost, Paid: llm.KnownCost(0),
		Finish: entry.End.Finish, Stored: stored,
	})
}
