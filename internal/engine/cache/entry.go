package cache

import (
	"context"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Entry is a kept answer. It is not changed once it is made.
type Entry struct {
	Text      string
	ToolCalls []llm.ToolCall
	End       llm.End   // Stored says when it was given and how long that took
	Expires   time.Time // zero: never
}

// hearing gathers an answer while it passes. What a restart voids is forgotten.
type hearing struct {
	text   []byte
	deltas []llm.Event // those with a piece of a tool call
}

func (h *hearing) add(event llm.Event) {
	if event.Restart != nil {
		h.text, h.deltas = h.text[:0], h.deltas[:0]
	}
	h.text = append(h.text, event.Text...)
	if event.ToolCall != nil {
		h.deltas = append(h.deltas, llm.Event{ToolCall: event.ToolCall})
	}
}

// entry is the whole answer, as it was given now by the last attempt of the turn.
// An answer that was itself stored stays what it was.
func (h *hearing) entry(ctx context.Context, end llm.End, now time.Time) Entry {
	entry := Entry{Text: string(h.text), End: end}
	if len(h.deltas) > 0 {
		folded, _ := llm.Collect(func(yield func(llm.Event, error) bool) {
			for _, delta := range h.deltas {
				if !yield(delta, nil) {
					return
				}
			}
		})
		entry.ToolCalls = folded.ToolCalls
	}
	stored := llm.Stored{At: now.Round(0)} // storages keep the wall clock alone
	if end.Stored != nil {
		stored = *end.Stored
	}
	if turn := llm.CallFrom(ctx).Turn(); turn != nil && len(turn.Attempts) > 0 {
		last := &turn.Attempts[len(turn.Attempts)-1]
		stored.Provider, stored.Model, stored.Wire, stored.Cost = last.Provider, last.Model, last.Wire, last.Cost
		if end.Stored == nil {
			stored.Service, stored.FirstToken = last.Service, last.FirstToken
		}
	}
	entry.End.Stored = &stored
	return entry
}

// worthKeeping reports an answer by who should give it, and in full. Whether it is
// a valid one only the contract can say.
func (e *Entry) worthKeeping() bool {
	return !e.End.Fallback && e.End.Skipped == 0 && e.finished()
}

// finished reports an answer that its model ended on purpose. A tool call that ends
// like a text, or a text that ends like a tool call, is not to be trusted.
func (e *Entry) finished() bool {
	if len(e.ToolCalls) > 0 {
		return e.End.Finish == llm.FinishToolCalls
	}
	return e.End.Finish == llm.FinishStop
}

// whole reports an entry that can be given: a storage may have a broken one.
func (e *Entry) whole() bool { return e.End.Stored != nil && e.finished() }

// kept is the entry as it is kept: what was said of the asking is no part of the answer.
func (e *Entry) kept(ttl time.Duration) *Entry {
	stored := *e.End.Stored
	stored.By = "cache"
	return &Entry{
		Text: e.Text, ToolCalls: e.ToolCalls, Expires: stored.At.Add(ttl),
		End: llm.End{Finish: e.End.Finish, Usage: e.End.Usage, Model: e.End.Model, ResponseID: e.End.ResponseID, Stored: &stored},
	}
}

// shared is the entry as those get it who asked the same at the same time.
func (e *Entry) shared() *Entry {
	shared := *e
	stored := *e.End.Stored
	if stored.By == "" {
		stored.By = "shared"
	}
	shared.End.Stored, shared.End.Value, shared.End.Keep, shared.End.RateLimit = &stored, nil, nil, nil
	return &shared
}

// give answers with the entry. Nothing that is handed out can change it.
func (e *Entry) give(ctx context.Context, model string, yield func(llm.Event, error) bool) {
	end, stored := e.End, *e.End.Stored
	end.Stored, end.Failed = &stored, slices.Clone(e.End.Failed)
	record(ctx, model, &end)
	llm.Response{Text: e.Text, ToolCalls: e.ToolCalls, End: end}.Events()(yield)
}

// record writes a stored answer into the call as an attempt that cost nothing now.
func record(ctx context.Context, model string, end *llm.End) {
	turn := llm.CallFrom(ctx).Turn()
	if turn == nil {
		return
	}
	stored := end.Stored
	turn.Attempts = append(turn.Attempts, llm.Attempt{
		Provider: stored.Provider, Model: model, Wire: stored.Wire,
		Answered: end.Model, ResponseID: end.ResponseID, Started: stored.At,
		Service: stored.Service, FirstToken: stored.FirstToken, Usage: end.Usage, Cost: stored.Cost, Paid: llm.KnownCost(0),
		Finish: end.Finish, Stored: stored, Skipped: end.Skipped,
	})
}
