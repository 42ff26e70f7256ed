package openai

import (
	"bytes"
	"context"
	"io"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmx-dev/llmx/internal/llm"
)

// answer is what has come of an answer.
type answer struct {
	model    *model
	request  *llm.Request
	exchange *exchange
	yield    func(llm.Event, error) bool

	id, name string
	finish   llm.FinishReason
	usage    *usage
	chosen   bool // a choice was seen
	skipped  int  // pieces that could not be read, and were no part of the answer
	damaged  bool // a piece of the answer could not be read
	lost     bool // … or a tool call in it
	calls    toolCalls
	waiting  *time.Timer // for the end marker, once there is a finish reason

	size, said, thought int // bytes of all, of text and calls, and of reasoning
}

// maxMarkerTime bounds the wait for usage and the end marker once the finish
// reason has come: a server that sends neither has said all, and must not be
// taken for one that is silent.
const maxMarkerTime = 5 * time.Second

// receive passes on the pieces until the stream ends; more is false when the
// consumer has enough.
func (a *answer) receive(stream *openai.ChatCompletionStream) (more bool, err error) {
	for {
		if a.finish != "" && a.waiting == nil {
			a.waiting = time.AfterFunc(maxMarkerTime, func() { a.exchange.cancel(errSlow) })
		}
		raw, err := stream.RecvRaw()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		c, ok := decode(raw)
		if !ok {
			if a.skip(raw); a.damaged {
				return true, a.model.provider.damaged() // at once: a live caller must not read on behind the hole
			}
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
			if a.lost {
				return true, a.model.provider.lostCall()
			}
		}
		if a.size > a.model.provider.maxAnswer {
			return true, errTooLong
		}
	}
}

// skip leaves out what is not JSON, or no object, and counts it: proxies put lines
// of their own between the pieces. But a broken object that has the words of an
// answer was a part of one. What is lost with it may be a word in the middle, so
// that the rest must not pass for the whole.
func (a *answer) skip(raw []byte) {
	if len(raw) == 0 {
		return // an empty line holds nothing that could be lost
	}
	a.skipped++
	if raw[0] != '{' {
		return
	}
	for _, word := range [][]byte{[]byte("choices"), []byte(`"delta"`), []byte("chat.completion")} {
		a.damaged = a.damaged || bytes.Contains(raw, word)
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
		a.said += len(event.Text)
		a.thought += len(event.Reasoning)
		if !a.yield(event, nil) {
			return false
		}
	}
	deltas, ok := a.calls.deltas(c.content())
	a.lost = !ok
	for _, call := range deltas {
		a.size += len(call.ID) + len(call.Name) + len(call.Arguments)
		a.said += len(call.Name) + len(call.Arguments)
		if !a.yield(llm.Event{ToolCall: &call}, nil) {
			return false
		}
	}
	return true
}

// end yields the end of a stream that has ended, if that was its end.
func (a *answer) end() error {
	p, l := a.model.provider, a.exchange.answer
	switch {
	case !l.data && l.began:
		return p.malformed("a body that is neither JSON nor a stream")
	case !a.chosen && l.marker:
		return p.malformed("a body that holds no answer")
	case a.finish == "" && !l.marker:
		return p.cut(nil)
	}
	if a.finish == "" { // the end marker says that it is whole
		a.finish = llm.FinishStop
	}
	if a.finish != llm.FinishLength && a.finish != llm.FinishContentFilter && a.calls.nameless() {
		return p.lostCall() // nothing was cut, and yet there is a call of nobody knows what
	}
	if a.finish == llm.FinishStop && len(a.calls.seen) > 0 && a.request.Tools.Demanded() {
		a.finish = llm.FinishToolCalls // vendors say stop where the call was demanded
	}
	end := &llm.End{
		Finish: a.finish, Model: a.name, ResponseID: a.id,
		RateLimit: a.exchange.limits, Skipped: a.skipped,
	}
	if a.usage.counted() {
		end.Usage = a.usage.tokens()
	} else {
		end.Usage = estimate(a.request, a.said, a.thought)
	}
	a.yield(llm.Event{End: end}, nil)
	return nil
}

// broken says what it means that reading has failed: after the finish reason
// nothing is missing but the end marker, unless it is the caller who has left.
func (a *answer) broken(ctx context.Context, err error) error {
	if _, told := asFault(err); told || hasLeft(ctx) || err == errTooLong || err == errHTML || a.finish == "" {
		return err
	}
	return a.end()
}

// leave stops what waits.
func (a *answer) leave() {
	if a.waiting != nil {
		a.waiting.Stop()
	}
}
