package verdict

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// What checks ask is summed apart from what the answers cost, and what asking for a
// missing judgement would cost is no part of either.
func TestJudgesAreCostedApart(t *testing.T) {
	spent := func(calls, asked int, cost, paid llm.Money) eval.Eval {
		return eval.Eval{Calls: calls, Asked: asked, Cost: llm.KnownCost(cost), Paid: llm.KnownCost(paid)}
	}
	b := newBench()
	b.now("a", "ppeu")
	for i, spent := range []eval.Eval{spent(2, 2, 100, 100), spent(1, 0, 50, 0), spent(1, 1, 50, 50), spent(1, 0, 70, 0)} {
		b.results[i].Eval, b.results[i].Digest = spent, "there"
	}
	without := b.judge()
	if want := spent(5, 3, 200, 150); without.Eval != want || without.Groups[0].Eval != want {
		t.Errorf("%+v, want %+v", without.Eval, want)
	}
	if got := without.Groups[0].MissingCost; got != llm.KnownCost(70) {
		t.Errorf("a missing judgement would cost %v, want 70", got)
	}
	for i := range b.results {
		b.results[i].Eval = eval.Eval{}
	}
	if again := b.judge(); again.Cost != without.Cost || again.Paid != without.Paid || again.Eval != (eval.Eval{}) {
		t.Errorf("cost %v and paid %v depend on the judges: %v, %v", again.Cost, again.Paid, without.Cost, without.Paid)
	}
}
