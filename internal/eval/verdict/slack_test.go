package verdict

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// A mean that equals its limit but for the rounding of floats meets it, from both
// sides; one that is past it by a millionth does not.
func TestMeanAtItsLimitMeetsIt(t *testing.T) {
	// So many scores or costs alike have a mean that is not quite each of them.
	alike := func(n int, score float64, cost llm.Money) func(*bench) {
		return func(b *bench) {
			b.many(n, "", "p")
			for _, r := range b.results {
				r.Scores = []eval.Score{{Check: "rate", Metric: "style", Value: score, Pass: true}}
				r.Cost = llm.KnownCost(cost)
			}
		}
	}
	for name, test := range map[string]struct {
		gate eval.Gate
		make func(*bench)
		word eval.Word
	}{
		"a score at its maximum":      {maximum("style", 0.1), alike(3, 0.1, 1), eval.Met},
		"a score past its maximum":    {maximum("style", 0.1), alike(3, 0.1000001, 1), eval.Missed},
		"a score at its minimum":      {minimum("style", 0.8), alike(6, 0.8, 1), eval.Met},
		"a score below its minimum":   {minimum("style", 0.8), alike(6, 0.7999999, 1), eval.Missed},
		"a cost at its maximum":       {maximum("cost_per_case", 0.0000005), alike(5, 1, 500), eval.Met},
		"a cost one nano-USD past it": {maximum("cost_per_case", 0.0000005), alike(5, 1, 501), eval.Missed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(test.gate)
			test.make(b)
			gate := gateOf(t, b.judge(), test.gate.Metric, test.gate.Kind)
			if gate.Value == nil || gate.Word != test.word || gate.Pass != (test.word == eval.Met) {
				t.Errorf("%v against %v: %s, want %s", gate.Value, gate.Limit, gate.Word, test.word)
			}
		})
	}
}
