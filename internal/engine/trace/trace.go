// Package trace is the engine's second wrapper: it makes the record of a call,
// lets what is below fill in turns and attempts, and hands it to a recorder. It
// imports the words of llm and fault alone.
package trace

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Recorder keeps finished calls. It must not do its work on the caller's path.
type Recorder interface {
	Record(call *llm.Call)
}

// New wraps a model. newID names calls; now is the wall clock for their start.
func New(recorder Recorder, newID func() string, now func() time.Time, next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			call := &llm.Call{
				ID: req.ID, Started: now(), Prompt: req.Prompt, Vars: encode(req.Vars),
				Model: req.Model, Repeat: req.Repeat, Origin: req.Origin, Key: req.Key, User: req.User,
			}
			if call.ID == "" {
				call.ID = newID()
			}
			begin := time.Now()
			var failure error
			complete, gone := false, false
			for event, err := range next.Stream(llm.WithCall(ctx, call), req) {
				if err != nil {
					failure = err
					break
				}
				if event.End != nil {
					complete = true
				}
				if !yield(event, nil) {
					gone = true
					break
				}
			}
			if failure == nil && !complete {
				failure = unfinished(ctx, gone)
			}
			call.Total = time.Since(begin)
			finish(call, failure)
			recorder.Record(call)
			if gone || !yield(llm.Event{Call: call}, nil) {
				return
			}
			if failure != nil {
				yield(llm.Event{}, failure)
			}
		}
	})
}

func unfinished(ctx context.Context, gone bool) error {
	if gone || ctx.Err() != nil {
		return fault.New(fault.Canceled, "the caller went away").Because(context.Cause(ctx))
	}
	return fault.New(fault.Cut, "the answer ended without its end")
}

// finish sums up what the turns and attempts say.
func finish(call *llm.Call, failure error) {
	call.Failure = llm.FailureOf(failure)
	attempts, stored := 0, false
	for _, turn := range call.Turns {
		for _, attempt := range turn.Attempts {
			call.Queue += attempt.Queue
			call.Service += attempt.Service
			attempts++
			stored = stored || attempt.Stored != nil
		}
	}
	if attempts > 1 && !stored { // who waits for an answer waits for the pauses, too
		call.Service = max(call.Service, call.Total-call.Queue)
	}
	turn := call.Turn()
	if turn == nil {
		return
	}
	call.Answer = turn.Answer
	if n := len(turn.Attempts); n > 0 {
		last := &turn.Attempts[n-1]
		call.Finish, call.Answered, call.Stored, call.FirstToken = last.Finish, last.Answered, last.Stored, last.FirstToken
	}
}

// encode gives canonical JSON: object keys are sorted.
func encode(vars map[string]any) json.RawMessage {
	if len(vars) == 0 {
		return nil
	}
	data, err := json.Marshal(vars)
	if err != nil {
		data, _ = json.Marshal(err.Error())
	}
	return data
}
