// Package contract is the engine's wrapper that holds an answer to its output
// contract: what is cut or invalid is never passed on as a valid answer. It
// imports the jsonschema room and the words of llm and fault.
//
// The reader of what is nearly JSON is our own. The libraries there are complete
// what is cut, guess where quotes were forgotten, make NaN a text and do not say
// what they changed (tried: kaptinlin/jsonrepair 0.2.15, RealAlexandreAI/json-repair
// 0.0.18); here a repair must be named, and leave one reading only.
package contract

import (
	"context"
	"iter"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// New wraps a model. Live text passes as it comes; every other answer is held back
// until it is whole and valid.
func New(next llm.Model) llm.Model {
	parser := NewParser()
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			ctx, call := llm.EnsureCall(ctx)
			call.Turns = append(call.Turns, newTurn(req))
			turn := call.Turn()
			if req.Output.IsText() {
				answer := text(turn, next.Stream(ctx, req))
				if !req.Live {
					answer = whole(answer)
				}
				answer(yield)
				return
			}
			req.Live = false // a schema may still refuse the answer
			for event, err := range hold(parser, turn, req.Output, next.Stream(ctx, req)) {
				if !yield(event, err) {
					return
				}
			}
		}
	})
}

func newTurn(req llm.Request) llm.Turn {
	kind := llm.TurnAsk
	if req.Step > 0 {
		kind = llm.TurnCascade
	}
	return llm.Turn{Kind: kind, Messages: req.Messages, Options: req.Options, Output: req.Output, Tools: req.Tools}
}

// hold gives an answer once it is whole and valid: as it came, or where it was
// repaired its value alone. The turn keeps what the model said.
func hold(parser *Parser, turn *llm.Turn, output llm.Output, stream iter.Seq2[llm.Event, error]) iter.Seq2[llm.Event, error] {
	response, err := llm.Collect(stream)
	if err != nil {
		return llm.Fail(err) // the route has left in the turn what had come
	}
	turn.Answer = response.Text
	parsed, err := accept(parser, response, output)
	if err != nil {
		turn.Violation = fault.As(err).Message
		return llm.Fail(err)
	}
	turn.Repairs = parsed.Repairs
	response.Text, response.End.Value, response.End.Repairs = parsed.Text, parsed.Value, parsed.Repairs
	if len(parsed.Repairs) > 0 {
		response.End.Keep = nil // the next one may need no repair
	}
	keep(&response.End)
	return response.Events()
}

// accept judges a whole answer; the error's class counts as a fail.
func accept(parser *Parser, response llm.Response, output llm.Output) (Parsed, error) {
	if err := stopped(response.End.Finish); err != nil {
		return Parsed{}, err
	}
	parsed, broken := parser.Read(response.Text, output)
	if broken != "" {
		return Parsed{}, fault.New(fault.Contract, "%s", broken)
	}
	return parsed, nil
}

// stopped is the error of an answer that its model did not finish.
func stopped(finish llm.FinishReason) error {
	switch finish {
	case llm.FinishLength:
		return fault.New(fault.Length, "the answer stopped at the token limit").WithHint("raise max_tokens, or ask for less")
	case llm.FinishContentFilter:
		return fault.New(fault.ContentFilter, "the provider's content filter withheld the answer")
	}
	return nil
}

// text lets a text stream through. A length stop is marked by its finish reason; a
// filtered answer is a failure.
func text(turn *llm.Turn, stream iter.Seq2[llm.Event, error]) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		var said strings.Builder
		defer func() {
			if said.Len() > 0 { // else the route has left in the turn what had come
				turn.Answer = said.String()
			}
		}()
		for event, err := range stream {
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			if event.Restart != nil {
				said.Reset()
			}
			said.WriteString(event.Text)
			if event.End != nil {
				if event.End.Finish == llm.FinishContentFilter {
					yield(llm.Event{}, stopped(llm.FinishContentFilter))
					return
				}
				end := *event.End
				keep(&end)
				event.End = &end
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

// whole holds an answer back until its end has come. Of one that fails nothing comes.
func whole(stream iter.Seq2[llm.Event, error]) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		const usual = 16
		held := make([]llm.Event, 0, usual)
		for event, err := range stream {
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			held = append(held, event)
			if event.End != nil {
				break
			}
		}
		for _, event := range held {
			if !yield(event, nil) {
				return
			}
		}
	}
}

// keep lets the cache have an answer that was accepted.
func keep(end *llm.End) {
	if end.Keep != nil {
		end.Keep()
		end.Keep = nil
	}
}
