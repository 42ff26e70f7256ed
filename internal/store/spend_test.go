package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestSpends(t *testing.T) {
	s := tempStore(t)
	paid := func(model string, cost, paid llm.Cost) llm.Attempt {
		return llm.Attempt{Model: model, Usage: llm.Usage{Input: 10, Output: 2}, Cost: cost, Paid: paid}
	}
	cached := paid("small", llm.KnownCost(70), llm.KnownCost(0))
	cached.Stored = &llm.Stored{By: "cache"}
	missing := paid("small", llm.KnownCost(5000), llm.KnownCost(0))
	missing.Failure = &llm.Failure{Class: fault.Missing}
	blocked := paid("small", llm.KnownCost(0), llm.KnownCost(0))
	blocked.Failure, blocked.Unasked = &llm.Failure{Class: fault.BreakerOpen}, true
	refused := llm.Attempt{Model: "small", Cost: llm.KnownCost(0), Paid: llm.KnownCost(0), Failure: &llm.Failure{Class: fault.RateLimited}}
	for i, call := range []llm.Call{
		{Prompt: llm.PromptRef{Name: "triage"}, Model: "default", Origin: llm.Origin{Suite: "tickets", Run: "r1"}, Started: testNow,
			Turns: []llm.Turn{{Attempts: []llm.Attempt{refused, paid("large", llm.KnownCost(100), llm.KnownCost(100))}}, {Attempts: []llm.Attempt{paid("small", llm.KnownCost(7), llm.KnownCost(7))}}}},
		{Prompt: llm.PromptRef{Name: "triage"}, Model: "small", Started: testNow.Add(11 * time.Hour), Turns: []llm.Turn{{Attempts: []llm.Attempt{cached}}}},
		{Prompt: llm.PromptRef{Name: "invoice"}, Model: "odd", Started: testNow.Add(12 * time.Hour), Turns: []llm.Turn{{Attempts: []llm.Attempt{paid("odd", llm.Cost{}, llm.Cost{})}}}},
		{Prompt: llm.PromptRef{Name: "invoice"}, Model: "small", Started: testNow.Add(12 * time.Hour), Turns: []llm.Turn{{Attempts: []llm.Attempt{missing}}, {Attempts: []llm.Attempt{blocked}}}},
		{Model: "nobody", Started: testNow.Add(13 * time.Hour), Failure: &llm.Failure{Class: fault.Invalid}},
	} {
		call.ID = fmt.Sprint(i)
		s.Record(&call)
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	tokens := func(attempts int64) llm.Usage { return llm.Usage{Input: 10 * attempts, Output: 2 * attempts} }
	total := Spend{Calls: 5, Asked: 4, Stored: 1, Usage: tokens(4), Cost: 177, Paid: 107, CostUnknown: 1, PaidUnknown: 1}
	triage := Spend{Name: "triage", Calls: 2, Asked: 3, Stored: 1, Usage: tokens(3), Cost: 177, Paid: 107}
	first := Spend{Calls: 1, Asked: 3, Usage: tokens(2), Cost: 107, Paid: 107}
	for _, test := range []struct {
		f     SpendFilter
		want  []Spend
		total Spend
	}{
		{SpendFilter{By: ByProject}, []Spend{total}, total},
		{SpendFilter{By: ByPrompt}, []Spend{triage, {Name: "", Calls: 1}, {Name: "invoice", Calls: 2, Asked: 1, Usage: tokens(1), CostUnknown: 1, PaidUnknown: 1}}, total},
		{SpendFilter{By: ByModel}, []Spend{
			{Name: "large", Calls: 1, Asked: 1, Usage: tokens(1), Cost: 100, Paid: 100},
			{Name: "small", Calls: 3, Asked: 2, Stored: 1, Usage: tokens(2), Cost: 77, Paid: 7},
			{Name: "nobody", Calls: 1}, {Name: "odd", Calls: 1, Asked: 1, Usage: tokens(1), CostUnknown: 1, PaidUnknown: 1},
		}, total},
		{SpendFilter{By: ByDay}, []Spend{
			{Name: "2026-11-12", Calls: 1, Asked: 3, Usage: tokens(2), Cost: 107, Paid: 107},
			{Name: "2026-11-13", Calls: 4, Asked: 1, Stored: 1, Usage: tokens(2), Cost: 70, CostUnknown: 1, PaidUnknown: 1},
		}, total},
		{SpendFilter{By: ByRun, Until: testNow.Add(11 * time.Hour)}, []Spend{{Name: "r1", Calls: 1, Asked: 3, Usage: tokens(2), Cost: 107, Paid: 107}}, first},
		{SpendFilter{By: BySuite, Until: testNow.Add(time.Hour)}, []Spend{{Name: "tickets", Calls: 1, Asked: 3, Usage: tokens(2), Cost: 107, Paid: 107}}, first},
		{SpendFilter{By: ByPrompt, Since: testNow.Add(13 * time.Hour)}, []Spend{{Calls: 1}}, Spend{Calls: 1}},
		{SpendFilter{By: ByPrompt, Since: testNow.Add(14 * time.Hour)}, nil, Spend{}},
		{SpendFilter{By: ByModel, Since: testNow.Add(14 * time.Hour)}, nil, Spend{}},
		{SpendFilter{By: ByProject, Since: testNow.Add(14 * time.Hour)}, nil, Spend{}},
	} {
		spends, sum, err := s.Spends(ctx, test.f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, spends); diff != "" {
			t.Errorf("%+v: %s", test.f, diff)
		}
		if diff := cmp.Diff(test.total, sum); diff != "" {
			t.Errorf("%+v: the total: %s", test.f, diff)
		}
	}
	_, _, err := s.Spends(ctx, SpendFilter{By: "colour"})
	wantFault(t, err, fault.Internal, `no spend by "colour"`)
}

// BenchmarkSpends sums up 100,000 calls.
func BenchmarkSpends(b *testing.B) {
	s := openTest(b, filepath.Join(b.TempDir(), "llmx.db"), Options{})
	fill(b, s, "a", 100_000, false)
	for _, f := range []SpendFilter{{By: ByPrompt}, {By: ByDay}, {By: ByModel}, {By: ByPrompt, Since: testNow.Add(99 * time.Second)}} {
		b.Run(fmt.Sprintf("%s, since %t", f.By, !f.Since.IsZero()), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Spends(context.Background(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
