// Package llm has the words of talking to a model: Message, Part, Request,
// Event, Usage, Call, Turn, Attempt and the one interface, Model. It imports
// the standard library and fault alone.
package llm

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Model is everything that answers: a provider, a wrapper, the engine, a fake.
//
// The stream yields events until the answer is complete, and then ends; its last
// event but for Call has End set. A failure is yielded as an error, after which
// nothing follows. A consumer that stops, or cancels ctx, cancels what is upstream.
type Model interface {
	Stream(ctx context.Context, req Request) iter.Seq2[Event, error]
}

// ModelFunc lets a function be a Model.
type ModelFunc func(ctx context.Context, req Request) iter.Seq2[Event, error]

// Stream calls the function.
func (f ModelFunc) Stream(ctx context.Context, req Request) iter.Seq2[Event, error] {
	return f(ctx, req)
}

// Event is one piece of an answer on its way. Any of the fields may be set.
type Event struct {
	Text      string // the next piece of the answer
	Reasoning string // the next piece of the model's reasoning: a sign of life, not the answer
	ToolCall  *ToolCallDelta
	Restart   *Restart // what has come until now is void: the answer begins anew
	Alive     bool     // nothing has come, and somebody is at work; see Request.KeepAlive
	End       *End     // the answer is complete
	Call      *Call    // what the whole call was; yielded by the engine, last, also before an error
}

// Begins reports whether the event holds a piece of an answer or of its reasoning.
func (e Event) Begins() bool { return e.Text != "" || e.Reasoning != "" || e.ToolCall != nil }

// Restart declares that an answer which had begun was lost, and is asked for again.
type Restart struct {
	Model string // the alias that is asked now
	Class fault.Class
}

// ToolCallDelta is a piece of a proposed tool call; Index, from 0, tells parallel calls apart and orders them.
type ToolCallDelta struct {
	Index     int
	ID        string
	Name      string
	Arguments string
}

// FinishReason says why a model stopped.
type FinishReason string

// The finish reasons.
const (
	FinishStop          FinishReason = "stop"
	FinishLength        FinishReason = "length"
	FinishContentFilter FinishReason = "content_filter"
	FinishToolCalls     FinishReason = "tool_calls"
	FinishOther         FinishReason = "other" // a reason that only its provider knows
)

// End closes an answer.
type End struct {
	Finish     FinishReason
	Usage      Usage
	Model      string // the model that answered, in the provider's words
	ResponseID string
	Value      any      // the parsed answer, where the contract has one (see package jsonschema for its Go types)
	Repairs    []Repair // what was put right of the answer, whose text is then the value written anew

	RateLimit *RateLimit // what the provider said of its limits; nil where it did not
	Skipped   int        // pieces of the stream that could not be read and were left out
	Failed    []Failed   // what went wrong before there was an answer, in order
	Fallback  bool       // not the model that the route would ask first
	// Stored is set when the answer was not asked for now, but kept from before.
	Stored *Stored

	// Keep puts the answer into the cache. Who accepts the answer as valid calls
	// it; nil where there is nothing to keep.
	Keep func()
}

// RateLimit is what a provider said of its limits beside an answer. A Remaining
// below 0, and a Reset of 0, were not said.
type RateLimit struct {
	RemainingRequests, RemainingTokens int64
	ResetRequests, ResetTokens         time.Duration // until the limit is whole again
}

// Stored says where an answer that was given before came from, and what it cost then.
type Stored struct {
	By         string        // "cache", "recording", or "shared" with an equal call that was under way
	At         time.Time     // when the model gave it
	Service    time.Duration // how long it took then, 0 where nobody knows
	FirstToken time.Duration // likewise
	Origin     string        // of a recording: who wrote it (a provider's name, "written", …)

	// Of a cached answer, whose attempt is not made again: who was asked, and the list price.
	Provider string
	Model    string // its alias then
	Wire     string
	Cost     Cost
}

// Response is a whole answer.
type Response struct {
	Text      string
	Reasoning string
	ToolCalls []ToolCall
	End       End
	Call      *Call
}

// Collect folds a stream into a response. On an error the response holds what
// had come until then.
func Collect(stream iter.Seq2[Event, error]) (Response, error) {
	var response Response
	var text, reasoning strings.Builder
	var calls ToolCallPieces
	var failure error
	for event, err := range stream {
		if err != nil {
			failure = err
			break
		}
		if event.Restart != nil {
			text.Reset()
			reasoning.Reset()
			response, calls = Response{}, ToolCallPieces{}
		}
		text.WriteString(event.Text)
		reasoning.WriteString(event.Reasoning)
		if event.ToolCall != nil {
			calls.Add(*event.ToolCall)
		}
		if event.End != nil {
			response.End = *event.End
		}
		if event.Call != nil {
			response.Call = event.Call
		}
	}
	response.Text, response.Reasoning, response.ToolCalls = text.String(), reasoning.String(), calls.Calls()
	return response, failure
}

// Events turns a whole answer back into a stream; its reasoning is not in it.
func (r Response) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if r.Text != "" && !yield(Event{Text: r.Text}, nil) {
			return
		}
		for i, call := range r.ToolCalls {
			delta := ToolCallDelta{Index: i, ID: call.ID, Name: call.Name, Arguments: call.Arguments}
			if !yield(Event{ToolCall: &delta}, nil) {
				return
			}
		}
		yield(Event{End: &r.End}, nil)
	}
}

// Replay turns a whole answer back into a stream of one text and its end.
func Replay(text string, end End) iter.Seq2[Event, error] {
	return Response{Text: text, End: end}.Events()
}

// Fail is a stream that is nothing but an error.
func Fail(err error) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, err) }
}
