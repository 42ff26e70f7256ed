package route

import (
	"iter"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// attempt is one request to a target, and its record in the making.
type attempt struct {
	llm.Attempt
	admission llm.Admission
	end       *llm.End // held back until the record is written
}

// attempt asks a candidate once, and writes the record into the turn that is
// under way before the caller hears of the end. nil is an answer.
func (t *turn) attempt(c *candidate) *fault.Error {
	if c.tries++; c.tries == 1 {
		c.target.retries.calls.Add(1)
	}
	target := c.target
	a := &attempt{Attempt: llm.Attempt{
		Provider: target.Provider, Model: target.Alias, Wire: target.Wire, Started: t.route.Now(),
	}}
	req := t.req
	req.Model, req.Timeouts = target.Wire, t.route.policy.Timeouts[target.Alias]
	t.held = t.held[:0]
	begin := time.Now()
	var failure *fault.Error
	if err := t.pass(a, begin, target.Model.Stream(llm.WithAdmission(t.ctx, &a.admission), req)); err != nil {
		if failure = fault.Ended(t.ctx, err); failure == nil {
			failure = fault.As(err)
		}
	}
	a.Queue += a.admission.Queue
	a.Service = time.Since(begin) - a.admission.Queue
	a.settle(target, failure)
	if failure != nil && failure.Class == fault.Missing {
		a.Usage = target.estimate(req)
		a.Cost = target.Cost(a.Usage)
	}
	t.finish(c, a, failure)
	t.write(a)
	if failure != nil {
		t.keepPartial()
		return failure
	}
	t.deliverEnd(a)
	return nil
}

// finish tells the breaker and the turn what became of the attempt.
func (t *turn) finish(c *candidate, a *attempt, failure *fault.Error) {
	if c.retrying {
		c.target.retries.give()
		c.retrying = false
	}
	left := c.left
	c.left = nil
	switch {
	case t.gone, a.Unasked, a.Stored != nil:
		left(excluded)
	default:
		left(failure)
	}
	if !a.Unasked && (failure == nil || failure.Class != fault.Missing) {
		t.asked++
	}
	if failure != nil {
		if failure.Class != fault.Missing || t.last == nil || t.last.Class != fault.Missing {
			t.last = failure // of missing replies the first says what is missing
		}
		t.failed = append(t.failed, llm.Failed{Model: c.target.Alias, Class: failure.Class, Message: failure.Message})
	}
}

// excluded says nothing of a model's health.
var excluded = fault.New(fault.Canceled, "not asked to the end")

// recordBlocked writes once that a candidate's breaker did not let the turn through.
func (t *turn) recordBlocked(c *candidate) {
	if c.told {
		return
	}
	c.told = true
	e := fault.New(fault.BreakerOpen, "%s keeps failing and is left alone for a while", c.target.Alias)
	t.failed = append(t.failed, llm.Failed{Model: c.target.Alias, Class: e.Class, Message: e.Message})
	t.write(&attempt{Attempt: llm.Attempt{
		Provider: c.target.Provider, Model: c.target.Alias, Wire: c.target.Wire, Started: t.route.Now(),
		Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Failure: llm.FailureOf(e), Unasked: true,
	}})
}

func (t *turn) write(a *attempt) {
	if turn := llm.CallFrom(t.ctx).Turn(); turn != nil {
		turn.Attempts = append(turn.Attempts, a.Attempt)
	}
}

// pass takes events, holds them back or hands them on, and takes the time of the
// first token.
func (t *turn) pass(a *attempt, begin time.Time, stream iter.Seq2[llm.Event, error]) error {
	for event, err := range stream {
		if err != nil {
			return err
		}
		if a.FirstToken == 0 && event.Begins() {
			a.FirstToken = time.Since(begin) - a.admission.Queue
		}
		if event.End != nil {
			a.end, event.End = event.End, nil
			if !event.Begins() {
				continue
			}
		}
		if !t.deliver(a, event) {
			t.gone = true
			return fault.New(fault.Canceled, "the caller went away")
		}
	}
	if a.end == nil {
		return fault.New(fault.Cut, "the answer ended without its end")
	}
	return nil
}

// deliver reports false when the caller has enough.
func (t *turn) deliver(a *attempt, event llm.Event) bool {
	if t.committed && !t.lost {
		return t.yield(event, nil)
	}
	t.held = append(t.held, event)
	if t.req.Live && (event.Text != "" || event.ToolCall != nil) {
		return t.commit(a)
	}
	return true
}

// commit hands on what was held back. From then on the answer is with the caller.
func (t *turn) commit(a *attempt) bool {
	if t.lost {
		t.lost = false
		if !t.yield(llm.Event{Restart: &llm.Restart{Model: a.Model, Class: t.last.Class}}, nil) {
			return false
		}
	}
	t.committed = true
	for _, event := range t.held {
		if !t.yield(event, nil) {
			return false
		}
	}
	t.held = t.held[:0]
	return true
}

// deliverEnd hands on the rest, and the end with what had failed before it.
func (t *turn) deliverEnd(a *attempt) {
	if (len(t.held) > 0 || t.lost) && !t.commit(a) {
		t.gone = true
		return
	}
	end := *a.end
	end.Failed = t.failed
	end.Fallback = a.Model != t.all[0].target.Alias
	t.yield(llm.Event{End: &end}, nil)
}

// keepPartial lets the record have what had come of an answer that was held back.
func (t *turn) keepPartial() {
	turn := llm.CallFrom(t.ctx).Turn()
	if turn == nil || len(t.held) == 0 {
		return
	}
	var text strings.Builder
	for _, event := range t.held {
		text.WriteString(event.Text)
	}
	turn.Answer = text.String()
}

// settle completes the record. A stored answer keeps the cost and the times of
// the day it was given, and nothing is paid for it now.
func (a *attempt) settle(target *Target, failure *fault.Error) {
	a.Failure, a.Structured = nil, a.admission.Structured
	if failure != nil {
		a.Failure = llm.FailureOf(failure)
	}
	if a.end == nil {
		if a.Unasked = a.admission.Before || !a.admission.Asked && failure != nil && beforeAsking(failure); a.Unasked {
			a.Structured = "" // nothing was said to nobody
		}
		// A refusal costs nothing. Where the model had begun to answer, or nobody
		// knows whether it had, the provider may bill, and nobody said what.
		if a.Unasked || a.FirstToken == 0 && !silent(failure) {
			a.Cost, a.Paid = llm.KnownCost(0), llm.KnownCost(0)
		}
		return
	}
	a.Answered, a.ResponseID, a.Usage, a.Finish, a.Skipped = a.end.Model, a.end.ResponseID, a.end.Usage, a.end.Finish, a.end.Skipped
	a.Cost = target.Cost(a.Usage)
	a.Paid = a.Cost
	if stored := a.end.Stored; stored != nil {
		a.Stored, a.Service, a.FirstToken, a.Paid = stored, stored.Service, stored.FirstToken, llm.KnownCost(0)
	}
}

// beforeAsking reports a failure that may come before a provider is asked: by our
// own limits, by a budget, or by the end of the time or the caller's patience.
func beforeAsking(e *fault.Error) bool {
	switch e.Class {
	case fault.Budget, fault.Canceled, fault.TimeoutTotal:
		return true
	case fault.RateLimited: // with a status it was said by a provider
		return e.Status == 0
	}
	return false
}

// silent reports a failure after which it is not known whether a model has worked.
func silent(e *fault.Error) bool {
	switch e.Class {
	case fault.TimeoutFirstToken, fault.TimeoutIdle, fault.TimeoutTotal, fault.Canceled, fault.Cut, fault.Malformed:
		return true
	}
	return false
}
