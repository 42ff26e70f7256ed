package contract

import (
	"iter"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// passing is text on its way through. Where tools are offered what comes from the
// first piece of a call on is held back until the calls are whole and valid.
type passing struct {
	parser *Parser
	turn   *llm.Turn
	req    *llm.Request

	said  strings.Builder
	calls llm.ToolCallPieces
	from  int // where in said the text begins that is held back
	holds bool
	open  bool // nothing is held back
}

// text lets a text stream through. A length stop is marked by its finish reason; a
// filtered answer is a failure, and so is one whose tool calls may not be passed on.
func text(parser *Parser, turn *llm.Turn, req *llm.Request, stream iter.Seq2[llm.Event, error]) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		p := passing{parser: parser, turn: turn, req: req}
		defer p.note()
		for event, err := range stream {
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			p.hear(event)
			if event.End != nil && !p.end(*event.End, yield) {
				return
			}
			if event.End == nil && !p.holds && !yield(event, nil) {
				return
			}
		}
	}
}

// note leaves in the turn what the model said; else the route has left there what
// had come.
func (p *passing) note() {
	if p.said.Len() > 0 {
		p.turn.Answer = p.said.String()
	}
	p.turn.ToolCalls = p.calls.Calls()
}

func (p *passing) hear(event llm.Event) {
	if event.Restart != nil {
		p.said.Reset()
		p.calls, p.holds = llm.ToolCallPieces{}, false
	}
	if event.ToolCall != nil {
		p.calls.Add(*event.ToolCall)
		if p.req.Tools.Offered() && !p.holds && !p.open {
			p.holds, p.from = true, p.said.Len()
		}
	}
	p.said.WriteString(event.Text)
}

// end passes on what was held back, and the end of the answer.
func (p *passing) end(end llm.End, yield func(llm.Event, error) bool) bool {
	if end.Finish == llm.FinishContentFilter {
		yield(llm.Event{}, stopped(end.Finish))
		return false
	}
	if !p.req.Tools.Offered() {
		keep(&end)
		return yield(llm.Event{End: &end}, nil)
	}
	accepted, err := p.judge(end)
	if err != nil {
		p.turn.Violation = fault.As(err).Message
		yield(llm.Event{}, err)
		return false
	}
	p.turn.Repairs = accepted.End.Repairs
	accepted.Text = ""
	if p.holds {
		accepted.Text = p.said.String()[p.from:]
	}
	for event := range accepted.Events() {
		if !yield(event, nil) {
			return false
		}
	}
	return true
}
