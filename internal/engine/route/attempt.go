package route

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// attempt is one request to a target, and its record in the making.
type attempt struct {
	llm.Attempt
	end  *llm.End // held back until the record is written
	gone bool     // the caller stopped listening
	sent bool     // the target was asked
}

// run asks once, passes the events on, and writes the record into the turn that
// is under way before the caller hears of the end.
func (a *attempt) run(ctx context.Context, target *Target, req llm.Request, yield func(llm.Event, error) bool) {
	failure := a.wait(ctx, target)
	if failure == nil {
		req.Model, a.sent = target.Wire, true
		failure = a.pass(target.Model.Stream(ctx, req), yield)
		target.leave()
	}
	if failure != nil {
		failure = because(ctx, failure)
	}
	a.settle(target, failure)
	if fault.ClassOf(failure) == fault.Missing {
		a.Usage = req.Estimate()
		a.Cost = target.Cost(a.Usage)
	}
	if turn := llm.CallFrom(ctx).Turn(); turn != nil {
		turn.Attempts = append(turn.Attempts, a.Attempt)
	}
	switch {
	case a.gone:
	case failure != nil:
		yield(llm.Event{}, failure)
	default:
		yield(llm.Event{End: a.end}, nil)
	}
}

// wait takes one of the target's slots; how long that took is queue time.
func (a *attempt) wait(ctx context.Context, target *Target) error {
	if target.Slots == nil {
		return ctx.Err()
	}
	begin := time.Now()
	defer func() { a.Queue = time.Since(begin) }()
	select {
	case target.Slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Target) leave() {
	if t.Slots != nil {
		<-t.Slots
	}
}

// pass hands events to the caller and takes the time of the first token.
func (a *attempt) pass(stream iter.Seq2[llm.Event, error], yield func(llm.Event, error) bool) error {
	begin := time.Now()
	defer func() { a.Service = time.Since(begin) }()
	for event, err := range stream {
		if err != nil {
			return err
		}
		if a.FirstToken == 0 && (event.Text != "" || event.Reasoning != "" || event.ToolCall != nil) {
			a.FirstToken = time.Since(begin)
		}
		if event.End != nil {
			a.end = event.End
			event.End = nil
			if event.Text == "" && event.ToolCall == nil {
				continue
			}
		}
		if !yield(event, nil) {
			a.gone = true
			return fault.New(fault.Canceled, "the caller went away")
		}
	}
	if a.end == nil {
		return fault.New(fault.Cut, "the answer ended without its end")
	}
	return nil
}

// settle completes the record. A stored answer keeps the cost and the times of
// the day it was given, and nothing is paid for it now.
func (a *attempt) settle(target *Target, failure error) {
	a.Failure = llm.FailureOf(failure)
	if a.end == nil {
		// A refusal costs nothing. Where the model had begun to answer, or nobody
		// knows whether it had, the provider may bill, and nobody said what.
		if !a.sent || a.FirstToken == 0 && !silent(failure) {
			a.Cost, a.Paid = llm.KnownCost(0), llm.KnownCost(0)
		}
		return
	}
	a.Answered, a.ResponseID, a.Usage, a.Finish = a.end.Model, a.end.ResponseID, a.end.Usage, a.end.Finish
	a.Cost = target.Cost(a.Usage)
	a.Paid = a.Cost
	if stored := a.end.Stored; stored != nil {
		a.Stored, a.Service, a.FirstToken, a.Paid = stored, stored.Service, stored.FirstToken, llm.KnownCost(0)
	}
}

// silent reports a failure after which it is not known whether a model has worked.
func silent(failure error) bool {
	switch fault.ClassOf(failure) {
	case fault.TimeoutFirstToken, fault.TimeoutIdle, fault.TimeoutTotal, fault.Canceled, fault.Cut, fault.Malformed:
		return true
	}
	return false
}

// because gives the reason why ctx ended in place of what that did to the stream.
func because(ctx context.Context, failure error) error {
	if ctx.Err() == nil {
		return failure
	}
	if reason, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		return reason
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.TimeoutTotal, "the deadline passed").Because(failure)
	}
	return fault.New(fault.Canceled, "the caller went away").Because(failure)
}
