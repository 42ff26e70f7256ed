package openai

import (
	"context"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Caps say what a model cannot take.
type Caps struct {
	Temperature *bool  // false: temperature is left out of the request
	MaxTokensAs string // the name under which max_tokens goes, "" for its own

	// Reasoning marks a model that thinks before it answers. Nothing on this wire
	// depends on it: the first-token timeout does, which the route keeps.
	Reasoning bool
}

type model struct {
	provider *Provider
	wire     string
	caps     Caps
}

// Model is the model of that name on the wire. Request.Model, an alias, is not
// read. The answer is always asked for as a stream; a server that answers in one
// piece is understood too. Every error is a *fault.Error.
//
// Of Request.Timeouts only Connect is kept here. Who keeps the others cancels ctx
// with a *fault.Error as its cause, which is then the error, in whatever phase.
func (p *Provider) Model(wire string, caps Caps) llm.Model {
	return &model{provider: p, wire: wire, caps: caps}
}

// drainTime bounds the wait for the end of a body after the end marker.
const drainTime = 100 * time.Millisecond

func (m *model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		yield = m.provider.secrets.veiled(yield)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if err := m.stream(ctx, cancel, req, yield); err != nil {
			yield(llm.Event{}, m.provider.failure(ctx, err))
		}
	}
}

// stream asks and passes on what comes; nil means that all was said, or that the
// consumer has enough.
func (m *model) stream(ctx context.Context, cancel context.CancelCauseFunc, req llm.Request, yield func(llm.Event, error) bool) error {
	if m.provider.unusable != nil {
		return m.provider.unusable
	}
	if req.Output.Kind == llm.OutputEmbedding {
		return m.embed(ctx, cancel, req, yield)
	}
	request, err := appendRequest(make([]byte, 0, size(req)), m.wire, m.caps, req)
	if err != nil {
		return err
	}
	ex := &exchange{model: m.wire, request: request, cancel: cancel}
	m.provider.bound(&ex.connecting, req.Timeouts.Connect, cancel)
	stream, err := m.provider.client.CreateChatCompletionStream(
		context.WithValue(ctx, exchangeKey{}, ex), envelope(req.Options))
	if err != nil {
		return err
	}
	defer stream.Close()

	a := answer{model: m, request: &req, exchange: ex, yield: yield}
	defer a.leave()
	more, err := a.receive(stream)
	if err != nil {
		return a.broken(ctx, err)
	}
	if !more {
		return nil
	}
	if err := a.end(); err != nil {
		return err
	}
	if ex.answer.marker && !ex.answer.whole {
		timer := time.AfterFunc(drainTime, func() { cancel(nil) })
		ex.answer.drain()
		timer.Stop()
	}
	return nil
}
