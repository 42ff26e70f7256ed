package engine_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/provider/upstream/faults"
)

// askedBack is a request whose answer is asked for again, so often.
func askedBack(times int) llm.Request {
	output := underContract
	output.Reask = times
	return llm.Request{Model: "r", Messages: question, Output: output}
}

func invalid(after time.Duration) faults.Behaviour {
	return faults.Says(upstream.Reply{Text: `{"sum":1}`, Delay: after, Usage: &upstream.Usage{Prompt: 10, Completion: 10}})
}

// mends answers right once it is told what was wrong.
func mends(x *faults.Exchange) {
	if strings.Contains(x.Messages[len(x.Messages)-1].Content, "cannot be accepted") {
		faults.OK()(x)
		return
	}
	invalid(0)(x)
}

// The one bound of a call holds for all of its turns.
func TestReasksEndWithTheDeadline(t *testing.T) {
	inHouse(t, plan{policy: usual("m")}, func(t *testing.T, h *house) {
		h.server.Set("m", invalid(14*time.Second))
		begin := time.Now()
		got, err := llm.Collect(h.engine.Stream(t.Context(), askedBack(5)))
		if fault.ClassOf(err) != fault.TimeoutTotal || time.Since(begin) != total {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		var at []time.Duration
		for _, a := range h.server.Attempts("m") {
			at = append(at, a.At)
		}
		if want := []time.Duration{0, sec(14), sec(28), sec(42), sec(56)}; !slices.Equal(at, want) || len(got.Call.Turns) != 5 {
			t.Errorf("asked at %v in %d turns", at, len(got.Call.Turns))
		}
	})
}

// Every turn has its own attempts: what failed in one is no reason to give up the next.
func TestEveryTurnHasItsOwnAttempts(t *testing.T) {
	policy := usual("m")
	policy.Retry.MaxAttempts = 2
	inHouse(t, plan{policy: policy}, func(t *testing.T, h *house) {
		h.server.Set("m", faults.Then(faults.Refuse(503), mends, faults.Refuse(503), mends))
		got, err := llm.Collect(h.engine.Stream(t.Context(), askedBack(1)))
		if err != nil || len(got.Call.Turns) != 2 || got.Call.Attempts() != 4 || got.Call.Turns[1].Kind != llm.TurnReask {
			t.Errorf("%v with %d turns", err, len(got.Call.Turns))
		}
		if usage := got.Call.Usage(); usage.Input != 10+faults.Used.Input {
			t.Errorf("counted are %+v", usage)
		}
	})
}

// The cache would give the answer of a re-ask to who asks for the first time, and the
// first one was refused: nothing is kept. Who asks the same at the same time shares the
// first answer, and asks again for himself.
func TestReasksPassTheCacheBy(t *testing.T) {
	inHouse(t, plan{policy: usual("m")}, func(t *testing.T, h *house) {
		h.server.Set("m", mends)
		for i := range 2 {
			got, err := llm.Collect(h.engine.Stream(t.Context(), askedBack(1)))
			if err != nil || got.End.Stored != nil || h.server.Count("m") != 2*(i+1) {
				t.Errorf("call %d: %v, stored %v, asked %d times", i, err, got.End.Stored, h.server.Count("m"))
			}
		}
		h.server.Set("m", faults.After(time.Second, mends))
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := llm.Collect(h.engine.Stream(t.Context(), askedBack(1))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if asked := h.server.Count("m") - 4; asked != 1+3 {
			t.Errorf("three at once asked %d times", asked)
		}
		if len(h.kept.entries) != 0 {
			t.Errorf("%d answers are kept", len(h.kept.entries))
		}
	})
}

// Every turn is paid, and none is made that no money is left for.
func TestReasksStayWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const price = 100 // of an answer, whatever it uses
		cost := func(llm.Usage) llm.Cost { return llm.KnownCost(price) }
		book := budget.Open(budget.Options{
			Budgets: []budget.Budget{{Scope: budget.ScopeProject, Per: budget.PerDay, Limit: 2*price + price/2}},
			Ledger:  &ledger{}, Owner: "test", Now: time.Now,
		})
		asked := 0
		never := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
			asked++
			return llm.Replay("no JSON", llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Input: 1, Output: 1}})
		})
		model := engine.New(engine.Parts{
			Recorder: &kept{}, NewID: func() string { return "id" }, Now: time.Now,
			Targets:  map[string]*route.Target{"m": {Alias: "m", Provider: "acme", Wire: "m", Cost: cost, Model: book.Model("m", cost, never)}},
			Policies: map[string]route.Policy{"r": usual("m")},
		})
		got, err := llm.Collect(model.Stream(t.Context(), askedBack(5)))
		if fault.ClassOf(err) != fault.Budget || asked != 2 || len(got.Call.Turns) != 3 {
			t.Errorf("%v after %d requests in %d turns", err, asked, len(got.Call.Turns))
		}
		if paid := got.Call.Paid(); paid.Amount != 2*price {
			t.Errorf("paid %v", paid)
		}
		if err := book.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
