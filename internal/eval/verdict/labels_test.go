package verdict

import (
	"math"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// labelResult is a judged result with one label; got "error" is none that counts.
func labelResult(id string, repeat int, want, got string) *eval.Result {
	r := &eval.Result{Case: id, Repeat: repeat, Status: eval.Fail, Answer: got, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)}
	if got == "error" {
		r.Status, r.Failure = eval.Error, &llm.Failure{Class: fault.Unjudged, Message: "broken"}
		return r
	}
	score := eval.Score{Check: "label", Metric: "team" + eval.LabelAccuracy, Want: want, Got: got}
	if want == got {
		r.Status, score.Value, score.Pass = eval.Pass, 1, true
	}
	r.Scores = []eval.Score{score}
	return r
}

func tallyOf(t *testing.T, gates []eval.Gate, repeats int, cases [][]string) eval.Verdict {
	t.Helper()
	tally := NewTally(eval.Group{Suite: "s", Model: "m", Planned: len(cases) * repeats, Cases: len(cases)}, Settings{Gates: gates})
	for i, one := range cases {
		id := string(rune('a' + i))
		for repeat, got := range one[1:] {
			tally.Add(&eval.Case{ID: id, Repeats: repeats}, labelResult(id, repeat, one[0], got))
		}
	}
	return Judge([]*Tally{tally}, Options{})
}

func TestLabelsAreCounted(t *testing.T) {
	gates := []eval.Gate{{Metric: "accuracy", Kind: eval.GateMin}, {Metric: "team_f1_macro", Kind: eval.GateMin, Limit: 0.5}, {Metric: "team_recall.2", Kind: eval.GateMin, Limit: 0.9}}
	v := tallyOf(t, gates, 1, [][]string{{"0", "0"}, {"1", "0"}, {"2", "2"}, {"2", "2"}, {"2", "1"}}) // classification_report's example
	table := v.Groups[0].Labels[0]
	if table.Metric != "team" || table.Accuracy != 0.6 || len(table.Classes) != 3 || table.Matrix[2][1] != 1 || table.Matrix[1][0] != 1 {
		t.Fatalf("%+v", table)
	}
	words := map[string]eval.Word{}
	for _, gate := range v.Groups[0].Gates {
		words[gate.Metric] = gate.Word
	}
	if v.Exit != fault.ExitGate || words["team_f1_macro"] != eval.Missed || words["team_recall.2"] != eval.Missed {
		t.Errorf("exit %d, %v", v.Exit, words)
	}
	for _, m := range v.Groups[0].Metrics {
		if m.Name == "team_f1_weighted" && (math.Abs(*m.Value-0.6133) > 1e-4 || m.Low == nil || *m.Low >= *m.Value) {
			t.Errorf("%+v", m)
		}
	}
}

// Every repeat counts, an answer without a label is wrong, an error is left out, and
// then nobody knows what F1 at best had been.
func TestLabelsOfRepeatsAndErrors(t *testing.T) {
	gates := []eval.Gate{{Metric: "accuracy", Kind: eval.GateMin}, {Metric: "team_f1_macro", Kind: eval.GateMin, Limit: 1}}
	v := tallyOf(t, gates, 2, [][]string{{"x", "x", ""}, {"y", "y", "error"}})
	table := v.Groups[0].Labels[0]
	if table.Classes[0].Support != 2 || table.Classes[1].Support != 1 || table.Matrix[0][2] != 1 || math.Abs(table.Accuracy-2.0/3) > 1e-12 {
		t.Errorf("%+v", table)
	}
	if v.Exit != fault.ExitUnjudged {
		t.Errorf("exit %d: with an error the figure is open", v.Exit)
	}
}
