package store

import (
	"context"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// TestServedBudgetsWhileLocked has another process hold the lock: closed budgets refuse
// what was not set aside before, open ones let it through, and both count it in the end.
func TestServedBudgetsWhileLocked(t *testing.T) {
	for _, policy := range []budget.WithoutLedger{budget.FailClosed, budget.FailOpen} {
		t.Run(string(policy), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "llmx.db")
			s := serveTest(t, path, Options{Now: time.Now}, Serving{}).opened(t)
			book := budget.Open(budget.Options{
				Budgets: []budget.Budget{{Scope: budget.ScopeProject, Per: budget.PerMonth, Limit: 1000}},
				Ledger:  s, Owner: "a", Now: time.Now, WithoutLedger: policy,
			})
			cost := func(u llm.Usage) llm.Cost { return llm.KnownCost(llm.Money(u.Output)) }
			model := book.Model("small", cost, llm.ModelFunc(oneAnswer))
			ask := func() error {
				begin := time.Now()
				_, err := llm.Collect(model.Stream(ctx, llm.Request{Options: llm.Options{"max_tokens": []byte("10")}}))
				if took := time.Since(begin); took > 1500*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				return err
			}
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			holder := foreign(t, path, "BEGIN EXCLUSIVE")
			answered := 1
			for range 40 {
				switch err := ask(); {
				case err == nil:
					answered++
				case policy == budget.FailOpen || fault.ClassOf(err) != fault.Budget:
					t.Fatalf("got %v", err)
				}
			}
			if policy == budget.FailClosed && answered > 10 || policy == budget.FailOpen && answered != 41 {
				t.Errorf("%d were answered", answered)
			}
			if _, err := holder.ExecContext(ctx, "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
			s.next(t, "locked")
			s.next(t)
			if err := ask(); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if err := book.Close(ctx); err != nil {
				t.Error(err)
			}
			found := balances(t, s.Store, budget.ScopeProject, budget.PerMonth, budget.PerMonth.Period(time.Now()))
			if want := llm.Money(7 * (answered + 1)); len(found) != 1 || found[0].State != (budget.State{Spent: want}) {
				t.Errorf("counted are %+v, want %d", found, want)
			}
		})
	}
}

func oneAnswer(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
	return llm.Response{Text: "yes", End: llm.End{Finish: llm.FinishStop, Usage: llm.Usage{Output: 7}}}.Events()
}
