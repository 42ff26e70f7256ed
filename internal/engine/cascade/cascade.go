// Package cascade is the engine's wrapper that asks a small model first, and the
// next one where the answer is not good enough: it breaks the contract, or a check
// that the route declares. It imports the words of llm and fault alone; routes and
// checks are handed in.
package cascade

import (
	"context"
	"iter"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Accept judges an answer that keeps its contract: "" takes it, else why not.
type Accept func(ctx context.Context, req llm.Request, response llm.Response, output llm.Output) (refused string, err error)

// Policy is a route that is a cascade.
type Policy struct {
	Accept Accept // nil takes every answer that keeps its contract
	// Next is the step behind the model that answered; last, where there is none.
	Next func(req llm.Request, answered string) (step int, last bool)
}

// New wraps a model that makes one turn of every request. A request whose model has
// no policy passes through. Each step is a turn: asked within the one deadline of
// the call, paid and recorded. Where a step's models fail, their route's order has
// fallen back already: the error is the call's.
func New(policies map[string]Policy, next llm.Model) llm.Model {
	if len(policies) == 0 {
		return next
	}
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		policy, ok := policies[req.Model]
		if !ok {
			return next.Stream(ctx, req)
		}
		return func(yield func(llm.Event, error) bool) {
			req.Live = false // every answer may still be refused
			ctx, _ := llm.EnsureCall(ctx)
			for event, err := range policy.run(ctx, req, next) {
				if !yield(event, err) {
					return
				}
			}
		}
	})
}

// run asks step by step, and gives the answer that was taken, or the last.
func (p Policy) run(ctx context.Context, req llm.Request, next llm.Model) iter.Seq2[llm.Event, error] {
	for {
		response, failure := llm.Collect(next.Stream(ctx, req))
		turn := llm.CallFrom(ctx).Turn()
		step, last := p.Next(req, answeredBy(turn))
		if last || failure != nil && !refusedByContract(failure) {
			return whole(response, failure)
		}
		if failure == nil {
			refused, err := p.accept(ctx, req, response, turn)
			if err != nil {
				return llm.Fail(err)
			}
			if refused == "" {
				return whole(response, nil)
			}
			turn.Violation, turn.Declined = refused, true
		}
		req.Step = step
	}
}

func (p Policy) accept(ctx context.Context, req llm.Request, response llm.Response, turn *llm.Turn) (string, error) {
	if response.End.Finish == llm.FinishLength {
		return "the answer stopped at the token limit", nil
	}
	if p.Accept == nil {
		return "", nil
	}
	return p.Accept(ctx, req, response, turn.Output)
}

// refusedByContract reports an answer that came and was not good: the next model
// may do better. A filtered one is passed on with its reason.
func refusedByContract(failure error) bool {
	switch fault.ClassOf(failure) {
	case fault.Contract, fault.Length:
		return true
	}
	return false
}

// answeredBy is the alias of the model that a turn's last attempt went to.
func answeredBy(turn *llm.Turn) string {
	if len(turn.Attempts) == 0 {
		return ""
	}
	return turn.Attempts[len(turn.Attempts)-1].Model
}

func whole(response llm.Response, failure error) iter.Seq2[llm.Event, error] {
	if failure != nil {
		return llm.Fail(failure)
	}
	return response.Events()
}
