package budget

import (
	"context"
	"iter"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Model wraps whoever is asked for an alias: no attempt is made before what it may
// cost is held, and what it did cost is counted when it ends. cost gives the price
// of a usage. It refuses with class fault.Budget.
//
// Waiting for money is queue time. An attempt that waits below for a place is
// under way, and holds its money.
func (b *Book) Model(alias string, cost func(llm.Usage) llm.Cost, next llm.Model) llm.Model {
	if b.none() {
		return next
	}
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if len(b.budgets) == 0 && b.own(&req) == nil {
				next.Stream(ctx, req)(yield)
				return
			}
			s := spending{usage: req.Estimate(), cost: cost, admission: llm.AdmissionFrom(ctx)}
			estimate := cost(s.usage)
			switch {
			case !estimate.Known:
				yield(llm.Event{}, unpriced(alias))
				return
			case estimate.Amount == 0: // a free model
				next.Stream(ctx, req)(yield)
				return
			}
			s.estimate = estimate.Amount
			held, err := b.take(ctx, alias, &req, s.estimate)
			if err != nil {
				yield(llm.Event{}, err)
				return
			}
			defer func() { b.settle(held, s.spent()) }()
			for event, err := range next.Stream(ctx, req) {
				s.see(&event, err)
				if !yield(event, err) {
					s.gone = true
					return
				}
				if err != nil {
					return
				}
			}
		}
	})
}

// spending watches one attempt to tell what it has cost.
type spending struct {
	usage     llm.Usage // estimated
	estimate  llm.Money
	cost      func(llm.Usage) llm.Cost
	admission *llm.Admission

	end    *llm.End
	failed error
	gone   bool // the caller stopped listening
	bytes  int  // of the answer and of its reasoning, until now
}

func (s *spending) see(event *llm.Event, err error) {
	if err != nil {
		s.failed = err
		return
	}
	if event.End != nil {
		s.end = event.End
	}
	s.bytes += len(event.Text) + len(event.Reasoning)
	if call := event.ToolCall; call != nil {
		s.bytes += len(call.Name) + len(call.Arguments)
	}
}

// spent is what the attempt has cost. Where nobody knows it is the estimate, or
// what has come if that is more.
func (s *spending) spent() llm.Money {
	switch {
	case s.end != nil && s.end.Stored != nil:
		return 0
	case s.end != nil:
		if real := s.cost(s.end.Usage); real.Known {
			return max(real.Amount, 0)
		}
		return s.estimate
	case s.bytes > 0:
		s.usage.Output = max(s.usage.Output, llm.EstimateTokens(s.bytes))
		return max(s.estimate, s.cost(s.usage).Amount)
	case s.free():
		return 0
	}
	return s.estimate
}

// free reports that an attempt without an answer is not billed: nobody was asked, or
// the provider refused. Silence is no refusal.
func (s *spending) free() bool {
	if s.failed == nil {
		return s.gone && !s.admission.Asked
	}
	switch failure := fault.As(s.failed); failure.Class {
	case fault.TimeoutFirstToken, fault.TimeoutIdle, fault.Cut, fault.Malformed, fault.Internal:
		return false // only who was asked can fail like that
	case fault.TimeoutTotal, fault.Canceled:
		return !s.admission.Asked
	case fault.ServerError:
		return failure.Status != 0 || !s.admission.Asked
	}
	return true
}
