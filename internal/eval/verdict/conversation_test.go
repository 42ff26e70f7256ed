package verdict

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// talks makes a case of the bench a conversation of two turns of the user.
func talks(c *eval.Case, first, second contains) {
	c.Thread, c.Vars = "history", map[string]any{}
	for i, check := range []contains{first, second} {
		c.Turns = append(c.Turns, eval.CaseTurn{
			Number: i + 1, Asks: true, Said: llm.Text(llm.User, "x"), Message: map[string]any{"role": "user", "content": "x"},
			Checks: []eval.Check{check},
		})
	}
}

func score(turn int, value float64) eval.Score {
	return eval.Score{Check: "contains", Metric: "near", Value: value, Pass: value == 1, Turn: turn}
}

// A conversation is one case, however many turns it has: one in accuracy, and in a
// metric the mean over its turns.
func TestAConversationIsOneCaseInTheFigures(t *testing.T) {
	b := newBench()
	check := contains{text: "a", metric: "near"}
	talks(b.now("long", "f"), check, check)
	b.results[0].Scores = []eval.Score{score(1, 1), score(2, 0)}
	b.results[0].Steps = []eval.Step{
		{Turn: 1, Said: []llm.Message{llm.Text(llm.User, "one\ntwo")}, Answer: "a"},
		{Turn: 2, Said: []llm.Message{llm.Text(llm.User, "x")}, Answer: "b"},
	}
	b.now("plain", "p")
	b.results[1].Scores = []eval.Score{score(0, 1)}
	v := b.judge()
	if near := metricOf(t, v, "near"); *near.Value != 0.75 || near.N != 2 {
		t.Errorf("near is %v of %d cases, want the mean of 0.5 and 1", *near.Value, near.N)
	}
	if accuracy := metricOf(t, v, metricAccuracy); *accuracy.Value != 0.5 || accuracy.N != 2 {
		t.Errorf("accuracy is %v of %d", *accuracy.Value, accuracy.N)
	}
	failed := v.Groups[0].Failed
	if len(failed) != 1 || failed[0].Reason != "turn 2: contains" || failed[0].Talk == nil || len(failed[0].Talk.Steps) != 2 {
		t.Errorf("failed: %+v", failed)
	}
	if b.results[0].Transcript() != "user: one\n  two\nassistant: a\nuser: x\nassistant: b" {
		t.Errorf("its text is %q", b.results[0].Transcript())
	}
}

// The time of a conversation that was partly kept is nobody's.
func TestAPartlyStoredConversationHasNoLatency(t *testing.T) {
	b := newBench()
	talks(b.now("a", "p"), contains{}, contains{})
	b.results[0].StoredBy, b.results[0].Service = "", 7
	b.results[0].Steps = []eval.Step{{Turn: 1, StoredBy: "cache"}, {Turn: 2}}
	if p50 := metricOf(t, b.judge(), metricP50); p50.N != 0 {
		t.Errorf("latency of %d calls", p50.N)
	}
	b.results[0].Steps[0].StoredBy = ""
	if p50 := metricOf(t, b.judge(), metricP50); p50.N != 1 {
		t.Errorf("latency of %d calls where all was asked now", p50.N)
	}
}

// The baseline's conversations are scored again by their replies, with tool calls.
func TestConversationsOfTheBaselineAreScoredAgain(t *testing.T) {
	steps := []eval.BaselineStep{{Turn: 1, Answer: "a"}, {Turn: 2, Answer: "b"}}
	for name, test := range map[string]struct {
		steps         []eval.BaselineStep
		first, second contains
		passes        string // in the baseline, by the checks of today
		near          float64
	}{
		"both hold":             {steps, contains{text: "a", metric: "near"}, contains{text: "b", metric: "near", needs: eval.NeedToolCalls}, "1/1", 1},
		"one does not":          {steps, contains{text: "a", metric: "near"}, contains{text: "z", metric: "near"}, "0/1", 0.5},
		"stopped at the length": {[]eval.BaselineStep{{Turn: 1, Answer: "a", Finish: llm.FinishLength}}, contains{text: "a", metric: "near"}, contains{text: "b", metric: "near"}, "0/1", 0.5},
		"without steps":         {nil, contains{text: "a"}, contains{text: "b"}, "", 0},
		"a turn not reached":    {steps[:1], contains{text: "a"}, contains{text: "b"}, "", 0},
		"a check that asks":     {steps, contains{text: "a"}, contains{text: "b", guess: true}, "", 0},
	} {
		b := newBench()
		b.before("a", "p").Answers[0].Steps = test.steps
		c := b.now("a", "p")
		c.CriteriaHash = "c2"
		talks(c, test.first, test.second)
		past, ok := b.tally().past(c, &b.settings.Baseline.Lines[0])
		if ok != (test.passes != "") {
			t.Errorf("%s: scored again: %v", name, ok)
		}
		if ok && (outOf(past.passes, past.repeats) != test.passes || past.scores["near"] != test.near) {
			t.Errorf("%s: %s, near %v; want %s, %v", name, outOf(past.passes, past.repeats), past.scores["near"], test.passes, test.near)
		}
	}
}

// Beyond the first, failed conversations are counted, and not carried.
func TestOnlyTheFirstConversationsAreCarried(t *testing.T) {
	b := newBench()
	b.many(eval.MaxTalks+5, "", "f")
	for i, c := range b.cases {
		talks(c, contains{}, contains{})
		b.results[i].Steps = []eval.Step{{Turn: 1, Said: []llm.Message{llm.Text(llm.User, "x")}, Answer: "a"}}
	}
	carried := 0
	failed := b.judge().Groups[0].Failed
	for _, f := range failed {
		if f.Talk != nil {
			carried++
		}
	}
	if diff := cmp.Diff([]int{eval.MaxTalks + 5, eval.MaxTalks}, []int{len(failed), carried}); diff != "" {
		t.Error(diff)
	}
}
