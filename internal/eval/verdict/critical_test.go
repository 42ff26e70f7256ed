package verdict

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestCriticalCasesPassEveryRepeat(t *testing.T) {
	tests := []struct {
		name         string
		critical     []string // outcomes of the critical cases
		other        string
		exit         int
		word         eval.Word
		note         string
		value        float64
		withBaseline bool
	}{
		{"all pass", []string{"ppp", "ppp"}, "ppp", 0, eval.Met, "", 1, false},
		{"one repeat of one case", []string{"ppp", "ppf"}, "ppp", 1, eval.Missed, "1 of 2 cases failed: k1", 0.5, false},
		{"another case's fail is no matter", []string{"ppp"}, "ppf", 0, eval.Met, "", 1, false},
		{"with a baseline that it failed in, too", []string{"fff"}, "ppp", 1, eval.Missed, "1 of 1 case failed: k0", 0, true},
		{"six are named by five", []string{"f", "f", "f", "f", "f", "f"}, "p", 1, eval.Missed, "6 of 6 cases failed: k0, k1, k2, k3, k4 and 1 more", 0, false},
		{"an error is no fail", []string{"ppe"}, "ppp", 0, eval.Met, "", 1, false},
		{"none was judged", []string{"eee"}, "ppp", 4, eval.NotGated, "none of the 1 critical case was judged", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(minimum("accuracy", 0))
			b.settings.MaxErrors = 3
			for i, outcomes := range test.critical {
				id := "k" + string(rune('0'+i))
				if test.withBaseline {
					b.before(id, outcomes)
				}
				b.now(id, outcomes).Tags = []string{"critical"}
			}
			b.now("o", test.other)
			v := b.judge()
			gate := gateOf(t, v, eval.MetricCritical, eval.GateMin)
			if v.Exit != test.exit || gate.Word != test.word || gate.Note != test.note {
				t.Errorf("exit %d, %s, %q; want %d, %s, %q", v.Exit, gate.Word, gate.Note, test.exit, test.word, test.note)
			}
			if gate.Value != nil && *gate.Value != test.value {
				t.Errorf("value %v, want %v", *gate.Value, test.value)
			}
			if test.exit == 1 && !strings.Contains(v.Sentence, "critical: "+test.note) {
				t.Errorf("the sentence is %q", v.Sentence)
			}
		})
	}
}

func TestCriticalFailsWhateverTheErrorsHadBeen(t *testing.T) {
	b := newBench(minimum("accuracy", 0))
	b.now("k", "f").Tags = []string{"critical"}
	b.now("o", "e")
	if v := b.judge(); v.Exit != 1 || !strings.Contains(v.Sentence, "critical: 1 of 1 case failed: k, of what was judged; even if the 1 result that was not judged had passed: critical: 1 of 1 case failed: k") {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
	b = newBench(minimum("accuracy", 0))
	b.now("o", "p")
	for _, gate := range b.judge().Groups[0].Gates {
		if gate.Metric == eval.MetricCritical {
			t.Error("a suite without critical cases has their gate")
		}
	}
}

func TestQuarantineKeepsOutOfEveryFigure(t *testing.T) {
	b := newBench(minimum("accuracy", 1), maxDrop("accuracy", 0), maximum("cost_per_case", 0.0000011))
	b.many(5, "p", "p")
	b.before("q", "p")
	c := b.now("q", "f")
	c.Tags = []string{"critical", "quarantine"}
	b.results[len(b.results)-1].Cost = llm.KnownCost(1_000_000)
	b.before("e", "p")
	b.now("e", "e").Tags = []string{"quarantine"}
	b.now("u", "u").Tags = []string{"quarantine"}
	v := b.judge()
	g := v.Groups[0]
	if v.Exit != 0 || v.Word != eval.Unchanged {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
	if q := g.Quarantine; q == nil || q.Cases != 3 || q.Failing != 1 || q.Missing != 2 || len(q.Failed) != 1 || q.Failed[0].Case != "q" || !q.Failed[0].Known {
		t.Errorf("quarantine %+v", q)
	}
	if g.Judged != 6 || g.Errors != 1 || g.Unjudged != 1 || !g.Settled() {
		t.Errorf("counts %+v", g.Group)
	}
	if len(g.Gone) > 0 || g.FailedCases != 0 || g.FlipsDown != 0 || g.Paired != 5 || len(g.Alerts) != 0 {
		t.Errorf("gone %v, %d failed, %d flips, %d paired", g.Gone, g.FailedCases, g.FlipsDown, g.Paired)
	}
	if v.Cost.Amount != 5*1000+1_000_000 {
		t.Errorf("what was spent is spent: %v", v.Cost)
	}
}

// That no case is on both sides would be said of cases that are.
func TestDriftOfNothingButQuarantine(t *testing.T) {
	b := newBench(maxDrop("accuracy", 0))
	b.before("q", "p")
	b.now("q", "p").Tags = []string{"quarantine"}
	v := JudgeDrift([]*Tally{b.tally()}, Options{})
	if v.Exit != 4 || !strings.HasSuffix(v.Sentence, ": all cases that were judged are in quarantine, and are in no gate") {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
	b = newBench(maxDrop("accuracy", 0))
	b.before("p", "p")
	b.now("q", "p")
	if v := JudgeDrift([]*Tally{b.tally()}, Options{}); v.Exit != 4 || !strings.HasSuffix(v.Sentence, ": no case has a result here and in the baseline") {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
}

func TestQuarantineOfAll(t *testing.T) {
	for _, gates := range [][]eval.Gate{nil, {minimum("accuracy", 0.5)}, {maxDrop("accuracy", 0)}} {
		for _, outcome := range []string{"p", "f"} {
			b := newBench(gates...)
			b.before("q", "p")
			b.now("q", outcome).Tags = []string{"quarantine"}
			if v := b.judge(); v.Exit != 4 || !strings.Contains(v.Sentence, "in quarantine, and are in no gate") {
				t.Errorf("%v %s: exit %d, %s", gates, outcome, v.Exit, v.Sentence)
			}
		}
	}
}
