package verdict

import (
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// askedAgain has 8 cases, all valid and passed in the end, of which some were refused
// at first; before it were none, as a baseline says that says nothing.
func askedAgain(refused int, gates ...eval.Gate) *bench {
	b := newBench(append(gates, minimum("accuracy", 0))...)
	b.settings.Contract.Output = llm.Output{Kind: llm.OutputJSON}
	for i := range 8 {
		b.many(1, "p", "p")
		b.settings.Baseline.Lines[i].Valid = 1
		b.results[i].Valid, b.results[i].FirstTry = eval.Valid, eval.Valid
		if i < refused {
			b.results[i].FirstTry = eval.Violated
		}
	}
	return b
}

func TestFirstTryValidityStandsBesideTheValidity(t *testing.T) {
	v := askedAgain(2).judge()
	first, last := metricOf(t, v, metricFirstTry), metricOf(t, v, metricValidity)
	if *first.Value != 0.75 || *first.Baseline != 1 || *last.Value != 1 {
		t.Errorf("first %+v, last %+v", first, last)
	}
	for _, test := range []struct {
		refused int
		gate    eval.Gate
		want    eval.Word
	}{
		{2, minimum(metricFirstTry, 0.75), eval.Met},
		{3, minimum(metricFirstTry, 0.75), eval.Missed},
		{0, maxDrop(metricFirstTry, 0), eval.Unchanged},
		{8, maxDrop(metricFirstTry, 0), eval.Regressed},
	} {
		if got := gateOf(t, askedAgain(test.refused, test.gate).judge(), metricFirstTry, test.gate.Kind); got.Word != test.want {
			t.Errorf("%d refused: %+v, want %s", test.refused, got, test.want)
		}
	}
}

func TestFirstTryValidityOfTheBaseline(t *testing.T) {
	b := askedAgain(0, maxDrop(metricFirstTry, 0))
	none := 0
	b.settings.Baseline.Lines[0].FirstTry = &none
	if m := metricOf(t, b.judge(), metricFirstTry); *m.Baseline != 7.0/8 {
		t.Errorf("%+v, want 7 of 8 before", m)
	}
}

// It is silent where it would say the validity again, unless the prompt asks again or
// a gate is on it.
func TestFirstTryValidityIsShownWhereItSaysMore(t *testing.T) {
	shows := func(b *bench) bool {
		for _, m := range b.judge().Groups[0].Metrics {
			if m.Name == metricFirstTry {
				return true
			}
		}
		return false
	}
	asks := askedAgain(0)
	asks.settings.Contract.Output.Reask = 1
	plain := newBench()
	plain.many(1, "", "p")
	for name, test := range map[string]struct {
		bench *bench
		want  bool
	}{
		"all valid at once": {askedAgain(0), false}, "one was not": {askedAgain(1), true}, "the prompt asks again": {asks, true},
		"a gate on it": {askedAgain(0, minimum(metricFirstTry, 1)), true}, "text": {plain, false},
	} {
		if got := shows(test.bench); got != test.want {
			t.Errorf("%s: shown %v", name, got)
		}
	}
}
