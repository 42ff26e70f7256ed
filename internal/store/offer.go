package store

import (
	"context"
	"sync/atomic"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// aheadRows bounds what may go ahead of the queue: there is one ledger a process.
const aheadRows = 16

// offer queues work without waiting. What does not fit is refused, and a call counted.
func (w *writer) offer(queue chan work, item work) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	v := w.serving
	if w.closed {
		w.drop(&item)
		return fault.New(fault.Store, "the store %s is closed", w.name)
	}
	if waiting := v.bytes.Add(item.size); waiting <= v.most || item.size == 0 {
		select {
		case queue <- item:
			return nil
		default:
		}
	}
	v.bytes.Add(-item.size)
	w.drop(&item)
	return fault.New(fault.Store, "too much waits to be written into the store %s", w.name).
		WithHint("put it on a faster disk, or keep less: store.content in llmx.yaml")
}

// drop counts a call that will never be recorded.
func (w *writer) drop(item *work) {
	if item.call != nil {
		w.serving.outage.dropped.Add(1)
	}
}

// await queues work and waits until it is done. It gives up when ctx ends, and as soon
// as nothing can be written, but for work that is being done: whoever hears an error
// that is not Canceled knows that nothing was written.
func (w *writer) await(ctx context.Context, queue chan work, item work) error {
	outage := w.serving.outage
	begins := outage.begins()
	if err := outage.err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	item.done, item.claimed = done, new(atomic.Bool)
	if err := w.offer(queue, item); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	case <-begins:
	case <-w.ended:
	}
	switch {
	case item.claimed.CompareAndSwap(false, true): // nobody will do it
		if err := fault.Ended(ctx, nil); err != nil {
			return w.gaveUp(ctx)
		}
		if err := outage.err(); err != nil {
			return err
		}
		return fault.New(fault.Store, "the store %s could not be written just now", w.name)
	default: // it is being done
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return w.gaveUp(ctx)
		}
	}
}

// rowBytes is about what a row takes in memory besides its texts.
const rowBytes = 512

// callBytes is about what a call takes in memory.
func callBytes(c *llm.Call) int64 {
	n := int64(rowBytes + len(c.Vars))
	if last := c.Turn(); last == nil || last.Answer != c.Answer {
		n += int64(len(c.Answer))
	}
	for i := range c.Turns {
		turn := &c.Turns[i]
		n += rowBytes*int64(1+len(turn.Attempts)) + int64(len(turn.Answer)+len(turn.Violation)+len(turn.Output.Schema))
		n += toolCallBytes(turn.ToolCalls)
		for j := range turn.Messages {
			n += messageBytes(&turn.Messages[j])
		}
	}
	return n
}

func messageBytes(m *llm.Message) (n int64) {
	const part = 128
	for i := range m.Parts {
		p := &m.Parts[i]
		n += part + int64(len(p.Text))
		if p.Media != nil {
			n += int64(len(p.Media.Data) + len(p.Media.URL))
		}
		if p.ToolCall != nil {
			n += int64(len(p.ToolCall.Arguments))
		}
		if p.ToolResult != nil {
			n += int64(len(p.ToolResult.Content))
		}
	}
	return n
}

func toolCallBytes(calls []llm.ToolCall) (n int64) {
	for i := range calls {
		n += int64(48 + len(calls[i].ID) + len(calls[i].Name) + len(calls[i].Arguments))
	}
	return n
}
