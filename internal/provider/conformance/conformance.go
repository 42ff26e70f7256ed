// Package conformance is one suite of tests that every llm.Model which talks to a
// provider must pass. The provider's own tests run it over a Subject. It imports
// llm, fault and the testing package alone.
package conformance

import (
	"context"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Subject is a provider as it is tested. Every test makes a fresh one.
type Subject struct {
	// Model answers Request with Text and the finish reason stop.
	Model   llm.Model
	Request llm.Request
	Text    string

	// Silent sends nothing at all, Stuck a first piece of text and then nothing,
	// both until they are canceled. nil where the provider cannot wait.
	Silent llm.Model
	Stuck  llm.Model

	// Slow are models that take longer than anybody waits, each in a way of its own,
	// until they are canceled.
	Slow []Slow

	// Stopped receives a value whenever what is upstream of Silent, Stuck or Slow
	// has noticed that nobody listens any more; sending must not block. nil where
	// nothing is upstream.
	Stopped <-chan struct{}

	// Calls are asks that are answered by tool calls; none where the provider knows
	// nothing of tools.
	Calls []Calls

	// Failures are asks that go wrong, at least one.
	Failures []Failure
}

// Calls is an ask that is answered by tool calls, as the provider gives them: their
// arguments may be no JSON, and may have been cut.
type Calls struct {
	Name    string
	Model   llm.Model
	Request llm.Request
	Text    string // before them
	Want    []llm.ToolCall
	Finish  llm.FinishReason // "" stands for tool_calls
}

// Slow is a model that does not come to an end.
type Slow struct {
	Name  string
	Model llm.Model
	Begun <-chan struct{} // receives a value when it is at work
}

// Failure is an ask that goes wrong, and the class it must be told as.
type Failure struct {
	Name    string
	Model   llm.Model
	Request llm.Request
	Class   fault.Class
}

// Run tests the provider that subject makes. subject registers its own cleanup.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	t.Helper()
	tests := []struct {
		name string
		test func(t *testing.T, s Subject)
	}{
		{"Collect gives the text", testCollect},
		{"an answer ends with its end", testEnd},
		{"tool calls come whole and in order", testCalls},
		{"a stream can be asked for twice", testAgain},
		{"a request is left as it was", testRequestUntouched},
		{"many ask at once", testConcurrent},
		{"a consumer may stop at any event", testBreak},
		{"a consumer that stops stops what is upstream", testBreakStopsUpstream},
		{"a canceled context asks nothing", testCanceledBefore},
		{"cancel ends a silent model", testCancelSilent},
		{"cancel ends a stuck model", testCancelStuck},
		{"cancel ends a slow model", testCancelSlow},
		{"a deadline ends a silent model", testDeadline},
		{"the reason for a cancel is the failure", testReason},
		{"failures have their class and nothing after them", testFailures},
		{"many fail at once", testConcurrentFailures},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.test(t, subject(t)) })
	}
}

// happened is all that a stream gave.
type happened struct {
	events []llm.Event
	err    error
	after  int // events and errors that came after the first error
}

// listen reads a stream to its end, past an error. heard is called after each
// event; nil for nothing.
func listen(ctx context.Context, model llm.Model, req llm.Request, heard func()) happened {
	var h happened
	for event, err := range model.Stream(ctx, req) {
		switch {
		case h.err != nil:
			h.after++
		case err != nil:
			h.err = err
		default:
			h.events = append(h.events, event)
			if heard != nil {
				heard()
			}
		}
	}
	return h
}
