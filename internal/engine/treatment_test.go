package engine

import "testing"

// The hash stands in baselines that are committed: the same input must give it for
// ever, and whatever decides an answer must change it.
func TestTreatment(t *testing.T) {
	const golden = "90f49b19734dee613d55435a7c6c9d1d"
	if got := Treatment("p1", []string{"openai/gpt-4o", "sim/dice"}); got != golden {
		t.Errorf("the treatment is %s, want %s: a change of it needs a new treatmentVersion", got, golden)
	}
	seen := map[string]string{}
	for name, got := range map[string]string{
		"the usual":              Treatment("p1", []string{"openai/gpt-4o", "sim/dice"}),
		"another prompt":         Treatment("p2", []string{"openai/gpt-4o", "sim/dice"}),
		"another model":          Treatment("p1", []string{"openai/gpt-4o-mini", "sim/dice"}),
		"another last model":     Treatment("p1", []string{"openai/gpt-4o", "sim/coin"}),
		"another order":          Treatment("p1", []string{"sim/dice", "openai/gpt-4o"}),
		"one model less":         Treatment("p1", []string{"openai/gpt-4o"}),
		"one model twice":        Treatment("p1", []string{"openai/gpt-4o", "sim/dice", "sim/dice"}),
		"no model":               Treatment("p1", nil),
		"two names run together": Treatment("p1", []string{"openai/gpt-4osim/dice"}),
	} {
		if other, twice := seen[got]; twice {
			t.Errorf("%s and %s are one treatment", name, other)
		}
		seen[got] = name
	}
}
