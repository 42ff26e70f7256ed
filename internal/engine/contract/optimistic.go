package contract

import (
	"iter"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// optimistic lets an answer through as it comes, its tool calls too, and judges it when
// it is whole. What the caller has is then what the model said: nothing of it can be
// repaired or asked for again, so an answer that would need either is a failure.
func optimistic(parser *Parser, turn *llm.Turn, req *llm.Request, stream iter.Seq2[llm.Event, error]) iter.Seq2[llm.Event, error] {
	strict := *req
	strict.Output.Repair = llm.RepairOff
	return func(yield func(llm.Event, error) bool) {
		p := passing{parser: parser, turn: turn, req: &strict, open: true}
		defer p.note()
		for event, err := range stream {
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			p.hear(event)
			if event.End == nil {
				if !yield(event, nil) {
					return
				}
				continue
			}
			accepted, err := p.judge(*event.End)
			if err != nil {
				turn.Violation = fault.As(err).Message
				yield(llm.Event{}, err)
				return
			}
			if !yield(llm.Event{End: &accepted.End}, nil) {
				return
			}
		}
	}
}

// judge gives the whole answer where it keeps its contract.
func (p *passing) judge(end llm.End) (llm.Response, error) {
	response := llm.Response{Text: p.said.String(), ToolCalls: p.calls.Calls(), End: end}
	accepted, broken, err := p.parser.accept(response, p.req)
	if broken != "" {
		err = fault.New(fault.Contract, "%s", broken)
	}
	return accepted, err
}
