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

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// New wraps a model. Live text passes as it comes, until a tool is called, and so does
// every live answer whose contract is optimistic; every other one is held back until it
// is whole and valid, and asked for again where the contract says so.
func New(next llm.Model) llm.Model {
	parser := NewParser()
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			ctx, call := llm.EnsureCall(ctx)
			if req.Live && req.Output.Optimistic {
				call.Turns = append(call.Turns, newTurn(&req))
				optimistic(parser, call.Turn(), &req, next.Stream(ctx, req))(yield)
				return
			}
			if !flows(&req) {
				req.Live = false // the answer may still be refused
				ask(ctx, parser, call, req, next)(yield)
				return
			}
			call.Turns = append(call.Turns, newTurn(&req))
			answer := text(parser, call.Turn(), &req, next.Stream(ctx, req))
			if !req.Live {
				answer = whole(answer)
			}
			answer(yield)
		}
	})
}

// flows reports a request whose answer is text that nothing may send back: what was
// said before a tool is called can be passed on.
func flows(req *llm.Request) bool {
	if !req.Output.IsText() {
		return false
	}
	return !req.Tools.Offered() || req.Live && req.Output.Reask == 0 && !req.Tools.Demanded()
}

func newTurn(req *llm.Request) llm.Turn {
	kind := llm.TurnAsk
	switch {
	case req.Reask > 0:
		kind = llm.TurnReask
	case req.Step > 0:
		kind = llm.TurnCascade
	}
	return llm.Turn{Kind: kind, Messages: req.Messages, Options: req.Options, Output: req.Output, Tools: req.Tools}
}

// ask gives an answer once it is whole and valid. One that is not goes back with what
// is wrong with it, as often as the contract allows; each time is a turn, and the
// last answer counts.
func ask(ctx context.Context, parser *Parser, call *llm.Call, req llm.Request, next llm.Model) iter.Seq2[llm.Event, error] {
	for {
		call.Turns = append(call.Turns, newTurn(&req))
		turn := call.Turn()
		response, err := llm.Collect(next.Stream(ctx, req))
		if err != nil {
			return llm.Fail(err) // the route has left in the turn what had come
		}
		turn.Answer, turn.ToolCalls = response.Text, response.ToolCalls
		accepted, broken, err := parser.accept(response, &req)
		switch {
		case err != nil:
			turn.Violation = fault.As(err).Message
			return llm.Fail(err)
		case broken == "":
			turn.Repairs = accepted.End.Repairs
			return accepted.Events()
		}
		turn.Violation = broken
		if req.Reask >= req.Output.Reask {
			return llm.Fail(fault.New(fault.Contract, "%s", broken))
		}
		req = Again(req, response, broken)
	}
}

// accept judges a whole answer. It gives it as it is passed on: as it came, or where
// it was repaired its value alone. broken is what the contract refuses of an answer
// that was given; an error is one that was not: what the model did not finish.
func (p *Parser) accept(response llm.Response, req *llm.Request) (accepted llm.Response, broken string, err error) {
	answer := Answer{Text: response.Text, ToolCalls: response.ToolCalls, Finish: response.End.Finish}
	calls := req.Tools.Offered() && answer.proposes()
	cutText := req.Output.IsText() && !calls && response.End.Finish == llm.FinishLength // which is marked by its reason
	if err := stopped(response.End.Finish); err != nil && !cutText {
		return llm.Response{}, "", err
	}
	read, broken := p.ReadAnswer(answer, req.Output, req.Tools)
	if broken != "" {
		return llm.Response{}, broken, nil
	}
	response.Text, response.ToolCalls = read.Text, read.ToolCalls
	response.End.Value, response.End.Repairs = read.Value, read.Repairs
	if len(read.Repairs) > 0 {
		response.End.Keep = nil // the next one may need no repair
	}
	keep(&response.End)
	return response, "", nil
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
