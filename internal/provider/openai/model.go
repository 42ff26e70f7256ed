package openai

import (
	"context"
	"io"
	"iter"
	"time"
	"unicode/utf8"

	openai "github.com/sashabaranov/go-openai"

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
func (p *Provider) Model(wire string, caps Caps) llm.Model {
	return &model{provider: p, wire: wire, caps: caps}
}

// drainTime bounds the wait for the end of a body after the end marker.
const drainTime = 100 * time.Millisecond

func (m *model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		yield = m.provider.secrets.veiled(yield)
		if err := m.stream(ctx, req, yield); err != nil {
			yield(llm.Event{}, m.provider.failure(ctx, err))
		}
	}
}

// stream asks and passes on what comes; nil means that all was said, or that the
// consumer has enough.
func (m *model) stream(ctx context.Context, req llm.Request, yield func(llm.Event, error) bool) error {
	if m.provider.unusable != nil {
		return m.provider.unusable
	}
	request, err := appendRequest(make([]byte, 0, size(req)), m.wire, m.caps, req)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ex := &exchange{model: m.wire, request: request}
	stream, err := m.provider.client.CreateChatCompletionStream(
		context.WithValue(ctx, exchangeKey{}, ex), envelope(req.Options))
	if err != nil {
		return err
	}
	defer stream.Close()

	a := answer{model: m, request: &req, yield: yield}
	more, err := a.receive(stream)
	if err != nil {
		return a.broken(ex.answer, err)
	}
	if !more {
		return nil
	}
	if err := a.end(ex.answer); err != nil {
		return err
	}
	if ex.answer.marker && !ex.answer.whole {
		timer := time.AfterFunc(drainTime, cancel)
		ex.answer.drain()
		timer.Stop()
	}
	return nil
}

// answer is what has come of an answer.
type answer struct {
	model   *model
	request *llm.Request
	yield   func(llm.Event, error) bool

	id, name string
	finish   llm.FinishReason
	usage    *usage
	chosen   bool // a choice was seen
	damaged  bool // a piece could not be read
	calls    toolCalls

	size, said, thought int // bytes of all, runes of text and of reasoning
}

// receive passes on the pieces until the stream ends; more is false when the
// consumer has enough.
func (a *answer) receive(stream *openai.ChatCompletionStream) (more bool, err error) {
	for {
		raw, err := stream.RecvRaw()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		c, ok := decode(raw)
		if !ok {
			// Proxies put lines of their own between the pieces; but a piece that is
			// lost leaves a hole in the answer.
			a.damaged = a.damaged || len(raw) > 0 && raw[0] == '{'
			continue
		}
		if failed := c.failure(raw); failed != nil {
			return true, a.model.provider.refusedMidway(failed, a.model.wire)
		}
		if a.id == "" {
			a.id = c.ID
		}
		if a.name == "" {
			a.name = c.Model
		}
		if c.Usage != nil {
			a.usage = c.Usage
		}
		for i := range c.Choices {
			if c.Choices[i].Index != 0 {
				continue // of n answers, the first
			}
			if !a.pass(&c.Choices[i]) {
				return false, nil
			}
		}
		if a.size > a.model.provider.maxAnswer {
			return true, errTooLong
		}
	}
}

// pass yields what a choice says, and reports whether the consumer wants more.
func (a *answer) pass(c *choice) bool {
	a.chosen = true
	if reason := finish(c.FinishReason); reason != "" {
		a.finish = reason
	}
	event := llm.Event{Text: c.text(), Reasoning: c.reasoning()}
	if event.Text != "" || event.Reasoning != "" {
		a.size += len(event.Text) + len(event.Reasoning)
		a.said += utf8.RuneCountInString(event.Text)
		a.thought += utf8.RuneCountInString(event.Reasoning)
		if !a.yield(event, nil) {
			return false
		}
	}
	for _, call := range a.calls.deltas(c.content()) {
		a.size += len(call.Name) + len(call.Arguments)
		a.said += utf8.RuneCountInString(call.Name) + utf8.RuneCountInString(call.Arguments)
		if !a.yield(llm.Event{ToolCall: &call}, nil) {
			return false
		}
	}
	return true
}

// end yields the end of a stream that has ended, if that was its end.
func (a *answer) end(l *lines) error {
	p := a.model.provider
	switch {
	case !l.data && l.began:
		return p.malformed("a body that is neither JSON nor a stream")
	case !a.chosen && l.marker:
		return p.malformed("a body that holds no answer")
	case a.finish == "" && !l.marker:
		return p.cut(nil)
	case a.damaged:
		return p.malformed("a stream of which a piece is damaged")
	}
	if a.finish == "" { // the end marker says that it is whole
		a.finish = llm.FinishStop
	}
	end := &llm.End{Finish: a.finish, Model: a.name, ResponseID: a.id}
	if a.usage.counted() {
		end.Usage = a.usage.tokens()
	} else {
		end.Usage = estimate(a.request.Messages, a.said, a.thought)
	}
	a.yield(llm.Event{End: end}, nil)
	return nil
}

// broken says what it means that reading has failed: after the finish reason
// nothing is missing but the end marker.
func (a *answer) broken(l *lines, err error) error {
	if _, ok := asFault(err); ok || err == errTooLong || err == errHTML || a.finish == "" {
		return err
	}
	return a.end(l)
}
