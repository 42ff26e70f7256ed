package verdict

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestWordsAndExits(t *testing.T) {
	accuracy := func(limit float64) eval.Gate { return maxDrop("accuracy", limit) }
	tests := []struct {
		name     string
		gates    []eval.Gate
		fill     func(b *bench)
		options  Options
		word     eval.Word
		exit     int
		sentence string // the start of it
	}{
		{"all pass, no baseline: the default asks for all", nil, func(b *bench) { b.many(5, "", "p") }, Options{},
			eval.Met, 0, "met: triage on small: accuracy 1.00, at least 1.00 is asked"},
		{"one fails, no baseline", nil, func(b *bench) { b.many(4, "", "p"); b.many(1, "", "f") }, Options{},
			eval.Missed, 1, "gate missed: triage on small: accuracy 0.80, must be at least 1.00"},
		{"a specification that holds", []eval.Gate{minimum("accuracy", 0.8)}, func(b *bench) { b.many(4, "", "p"); b.many(1, "", "f") }, Options{},
			eval.Met, 0, "met: triage on small: accuracy 0.80"},
		{"a maximum that fails", []eval.Gate{maximum("cost_per_case", 0.0000005)}, func(b *bench) { b.many(4, "", "p") }, Options{},
			eval.Missed, 1, "gate missed: triage on small: cost_per_case $0.00000100, must be at most $0.000000500"},
		{"identical answers", nil, func(b *bench) { b.many(5, "p", "p"); b.many(2, "f", "f") }, Options{},
			eval.Unchanged, 0, "unchanged: triage on small: accuracy 0.71, was 0.71 (7 cases)"},
		{"ten down, none up", nil, func(b *bench) { b.many(90, "p", "p"); b.many(10, "p", "f") }, Options{},
			eval.Regressed, 1, "regressed: triage on small: accuracy 0.90, was 1.00 (p = 0.00098, 10 down, 0 up)"},
		{"five down is the least that can be shown", nil, func(b *bench) { b.many(5, "p", "f") }, Options{},
			eval.Regressed, 1, "regressed: triage on small: accuracy 0.00, was 1.00 (p = 0.031, 5 down, 0 up)"},
		{"four down is not", nil, func(b *bench) { b.many(4, "p", "f") }, Options{},
			eval.Inconclusive, 1, "inconclusive: triage on small: accuracy 0.00, was 1.00 (p = 0.062, 4 down, 0 up)"},
		{"sure, but less than the margin: not a regression", []eval.Gate{accuracy(0.2)}, func(b *bench) { b.many(90, "p", "p"); b.many(10, "p", "f") }, Options{},
			eval.Held, 0, "held: triage on small: accuracy 0.90, was 1.00"},
		{"as many up as down, a wide margin", []eval.Gate{accuracy(0.1)}, func(b *bench) { b.many(200, "p", "p"); b.many(4, "p", "f"); b.many(4, "f", "p") }, Options{},
			eval.Held, 0, "held: triage on small"},
		{"as many up as down, no margin", nil, func(b *bench) { b.many(200, "p", "p"); b.many(4, "p", "f"); b.many(4, "f", "p") }, Options{},
			eval.Inconclusive, 0, "inconclusive: triage on small"},
		{"ten up", nil, func(b *bench) { b.many(10, "f", "p") }, Options{},
			eval.Improved, 0, "improved: triage on small: accuracy 1.00, was 0.00 (p = 0.00098, 0 down, 10 up)"},
		{"repeats: one case at fault convinces nobody", nil, func(b *bench) { b.many(20, "pppp", "pppp"); b.many(1, "pppppppppp", "ffffffffff") }, Options{},
			eval.Inconclusive, 1, "inconclusive: triage on small: accuracy 0.95, was 1.00 (p = 0.5, 1 down, 0 up)"},
		{"repeats: many cases do", nil, func(b *bench) { b.many(8, "ppp", "pff") }, Options{},
			eval.Regressed, 1, "regressed: triage on small"},
		{"an error", nil, func(b *bench) { b.many(5, "p", "p"); b.many(1, "p", "e") }, Options{},
			eval.NotGated, 4, "unjudged: triage on small: 5 of 6 results judged, 1 error (network: connection refused)"},
		{"an error beside a sure failure", nil, func(b *bench) { b.many(20, "p", "f"); b.many(1, "p", "e") }, Options{},
			eval.Regressed, 1, "regressed: triage on small: accuracy 0.00, of what was judged; even if the 1 result that was not judged had passed: accuracy 0.05, was 1.00 (p < 0.0001, 20 down, 0 up)"},
		{"errors that could have saved the gate", []eval.Gate{minimum("accuracy", 0.5)}, func(b *bench) { b.many(2, "", "p"); b.many(4, "", "f"); b.many(2, "", "e") }, Options{},
			eval.NotGated, 4, "unjudged"},
		{"errors that could not", []eval.Gate{minimum("accuracy", 0.51)}, func(b *bench) { b.many(2, "", "p"); b.many(4, "", "f"); b.many(2, "", "e") }, Options{},
			eval.Missed, 1, "gate missed: triage on small: accuracy 0.33, of what was judged; even if the 2 results that were not judged had passed: accuracy 0.50, must be at least 0.51"},
		{"a regression that the errors could have saved", nil, func(b *bench) { b.many(5, "p", "f"); b.many(9, "f", "e") }, Options{},
			eval.NotGated, 4, "unjudged"},
		{"a missing reply", nil, func(b *bench) { b.many(5, "p", "p"); b.many(1, "p", "u") }, Options{},
			eval.NotGated, 4, "unjudged: triage on small: 5 of 6 results judged, 1 without a reply"},
		{"a missing reply, neutral", nil, func(b *bench) { b.many(5, "p", "p"); b.many(1, "p", "u") }, Options{MissingNeutral: true},
			eval.NotGated, 0, "unjudged: triage on small: 1 result of 6 has no reply"},
		{"an error is never neutral", nil, func(b *bench) { b.many(5, "p", "p"); b.many(1, "p", "e") }, Options{MissingNeutral: true},
			eval.NotGated, 4, "unjudged"},
		{"a case is gone", nil, func(b *bench) { b.many(5, "p", "p"); b.before("zz", "p") }, Options{},
			eval.Unchanged, 1, "lost coverage: triage on small: 1 case of the baseline is gone"},
		{"a case was filtered out", nil, func(b *bench) { b.many(5, "p", "p"); b.before("zz", "p") }, Options{Filtered: true},
			eval.Unchanged, 0, "unchanged"},
		{"only a relative gate, and no baseline", []eval.Gate{accuracy(0)}, func(b *bench) { b.many(5, "", "p") }, Options{},
			eval.NotGated, 4, "unjudged: triage on small: no baseline yet for the model small"},
		{"a relative gate without a baseline beside a specification", []eval.Gate{accuracy(0), minimum("accuracy", 0.9)}, func(b *bench) { b.many(5, "", "p") }, Options{},
			eval.Met, 0, "met"},
		{"an unknown price under a gate", []eval.Gate{maximum("cost_per_case", 1)}, func(b *bench) { b.many(2, "", "p"); b.results[0].Cost = llm.Cost{} }, Options{},
			eval.NotGated, 4, "unjudged: triage on small: cost_per_case is unknown"},
		{"nothing ran of what was planned", nil, func(b *bench) {}, Options{}, eval.NotGated, 4, "unjudged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(test.gates...)
			test.fill(b)
			v := Judge([]*Tally{b.tally()}, test.options)
			if v.Word != test.word || v.Exit != test.exit || !strings.HasPrefix(v.Sentence, test.sentence) {
				t.Errorf("word %s, exit %d, %q\nwant %s, %d, %q\ngates %+v", v.Word, v.Exit, v.Sentence, test.word, test.exit, test.sentence, v.Groups[0].Gates)
			}
			if pass := v.Groups[0].Pass; pass != (v.Exit == 0) {
				t.Errorf("pass is %v with exit %d", pass, v.Exit)
			}
		})
	}
}

func TestOnInconclusive(t *testing.T) {
	for _, test := range []struct {
		rule        eval.OnInconclusive
		worse, even int
	}{{eval.InconclusivePass, 0, 0}, {eval.InconclusiveFail, 1, 1}, {eval.InconclusiveWorse, 1, 0}, {"", 1, 0}} {
		worse, even := newBench(), newBench()
		worse.settings.OnInconclusive, even.settings.OnInconclusive = test.rule, test.rule
		worse.many(2, "p", "f")
		even.many(2, "p", "f")
		even.many(2, "f", "p")
		if v := worse.judge(); v.Exit != test.worse || v.Word != eval.Inconclusive {
			t.Errorf("%q, worse: exit %d, %s", test.rule, v.Exit, v.Sentence)
		}
		if v := even.judge(); v.Exit != test.even || v.Word != eval.Inconclusive {
			t.Errorf("%q, even: exit %d, %s", test.rule, v.Exit, v.Sentence)
		}
	}
}

func TestInconclusiveSaysWhatWouldSettleIt(t *testing.T) {
	b := newBench(maxDrop("accuracy", 0.02))
	b.many(74, "p", "p")
	b.many(13, "p", "f")
	b.many(13, "f", "p")
	note := gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop).Note
	if note != "it passes, as what was seen is within the margin; a drop of 12.9 points could have been seen with 100 cases; about 4300 cases would settle it (more repeats of these would not): 4200 more answers, about $0.00420" {
		t.Errorf("note = %q", note)
	}
	b = newBench()
	b.many(3, "p", "f")
	b.many(3, "f", "p")
	note = gateOf(t, b.judge(), "accuracy", eval.GateMaxDrop).Note
	if !strings.Contains(note, "no number of cases shows that nothing at all is lost") {
		t.Errorf("note = %q", note)
	}
}

func TestHolmRunsOverTheRun(t *testing.T) {
	// Five down of five is p = 1/32: significant alone, but not as one of two.
	alone, other := newBench(), newBench()
	alone.many(5, "p", "f")
	other.group.Suite = "extract"
	other.many(5, "p", "f")
	v := Judge([]*Tally{alone.tally(), other.tally()}, Options{})
	gate := v.Groups[0].Gates[0]
	if *gate.P != 1.0/32 || *gate.Adjusted != 1.0/16 || gate.Word != eval.Inconclusive {
		t.Errorf("p %v, adjusted %v, %s", *gate.P, *gate.Adjusted, gate.Word)
	}
	still := newBench()
	still.many(5, "p", "p")
	v = Judge([]*Tally{alone.tally(), still.tally()}, Options{})
	if v.Groups[0].Word != eval.Regressed || v.Groups[1].Word != eval.Unchanged {
		t.Errorf("a gate that nothing moved takes no part: %s, %s", v.Groups[0].Word, v.Groups[1].Word)
	}
	if want := "; 1 of 2 groups fail"; !strings.HasSuffix(v.Sentence, want) || v.Exit != 1 {
		t.Errorf("exit %d, sentence %q, want its end %q", v.Exit, v.Sentence, want)
	}
	if v.Groups[1].Gates[0].P != nil {
		t.Error("unchanged has no p")
	}
}

func TestMaxErrors(t *testing.T) {
	b := newBench(minimum("accuracy", 1))
	b.settings.MaxErrors = 2
	b.many(8, "", "p")
	b.many(2, "", "e")
	if v := b.judge(); v.Exit != 0 || v.Word != eval.Met || *metricOf(t, v, "accuracy").Value != 1 {
		t.Errorf("two errors are allowed and in no average: exit %d, %s", v.Exit, v.Sentence)
	} else if w := v.Groups[0].Warnings; len(w) != 1 || w[0] != "2 of 10 results were not judged (one of them: network: connection refused), which max_errors allows: they are in no figure, whatever they would have been" {
		t.Errorf("of what was let pass it says %q", w)
	}
	b.many(1, "", "e")
	if v := b.judge(); v.Exit != 4 {
		t.Errorf("three are not: exit %d, %s", v.Exit, v.Sentence)
	}
	classes := b.judge().Groups[0].ErrorClasses
	if len(classes) != 1 || classes[0] != (eval.ErrorClass{Class: fault.Network, Count: 3, First: "connection refused"}) {
		t.Errorf("classes = %+v", classes)
	}
}

func TestCountsThatDoNotAddUp(t *testing.T) {
	b := newBench()
	b.many(5, "p", "f")
	tally := b.tally()
	tally.group.Planned = 6
	v := Judge([]*Tally{tally}, Options{})
	if v.Exit != 4 || !strings.Contains(v.Sentence, "6 planned, but 5 judged + 0 errors + 0 unjudged") {
		t.Errorf("exit %d, %q", v.Exit, v.Sentence)
	}
	if v := Judge(nil, Options{}); v.Exit != 4 || v.Word != eval.NotGated {
		t.Errorf("no group: exit %d, %s", v.Exit, v.Word)
	}
}

func TestCost(t *testing.T) {
	fill := func(b *bench, factors ...float64) *bench {
		for i, factor := range factors {
			b.many(1, "p", "p")
			old := llm.Money(1000 * (i + 1))
			b.settings.Baseline.Lines[i].Cost = &old
			b.results[i].Cost = llm.KnownCost(llm.Money(float64(old) * factor))
		}
		return b
	}
	gate := maxRise("cost_per_case", 0.1)
	for _, test := range []struct {
		name    string
		factors []float64
		word    eval.Word
		exit    int
	}{
		{"same", []float64{1, 1, 1}, eval.Unchanged, 0},
		{"twice", []float64{2, 2.1, 2.2, 2, 1.9, 2}, eval.Regressed, 1},
		{"half", []float64{0.5, 0.6, 0.5, 0.4, 0.5, 0.5}, eval.Improved, 0},
		{"two per cent, surely", []float64{1.02, 1.021, 1.019, 1.02, 1.02, 1.02, 1.03, 1.02, 1.02, 1.02, 1.02, 1.02}, eval.Held, 0},
		{"a few run away", []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9}, eval.Inconclusive, 1},
		{"here and there", []float64{0.8, 1.3, 1, 1.2, 0.9}, eval.Inconclusive, 0},
	} {
		v := fill(newBench(gate), test.factors...).judge()
		got := gateOf(t, v, "cost_per_case", eval.GateMaxRise)
		if got.Word != test.word || v.Exit != test.exit {
			t.Errorf("%s: %s, exit %d, want %s, %d: %+v", test.name, got.Word, v.Exit, test.word, test.exit, got)
		}
	}
	b := fill(newBench(gate), 1, 1)
	b.settings.Baseline.Lines[1].Cost = nil
	if v := b.judge(); v.Exit != 4 || gateOf(t, v, "cost_per_case", eval.GateMaxRise).Word != eval.NotGated {
		t.Errorf("a cost that the baseline does not know: exit %d, %s", v.Exit, v.Sentence)
	}
	b = fill(newBench(gate), 2, 2, 2, 2, 2, 2)
	b.now("z", "e")
	if v := b.judge(); v.Exit != 4 {
		t.Errorf("what an error would have cost is not known: exit %d, %s", v.Exit, v.Sentence)
	}
}

func TestLatency(t *testing.T) {
	fill := func(n, timeouts int, stored string) *bench {
		b := newBench(maximum("latency_p95", 2), minimum("accuracy", 0))
		b.settings.MaxErrors = 100
		b.many(n, "", "p")
		b.many(timeouts, "", "e")
		for i, r := range b.results {
			r.Service, r.StoredBy = time.Second, stored
			if i >= n {
				r.Service, r.Failure = 5*time.Second, &llm.Failure{Class: fault.TimeoutIdle}
			}
		}
		return b
	}
	for _, test := range []struct {
		name        string
		n, timeouts int
		stored      string
		word        eval.Word
		exit        int
	}{
		{"59 calls", 59, 0, "", eval.Met, 0},
		{"58 calls are too few", 58, 0, "", eval.NotGated, 0},
		{"stored answers say nothing", 100, 0, "recording", eval.NotGated, 0},
		{"a few timeouts stay beyond p95", 97, 3, "", eval.Met, 0},
		{"many timeouts reach it", 90, 10, "", eval.Missed, 1},
	} {
		v := fill(test.n, test.timeouts, test.stored).judge()
		got := gateOf(t, v, "latency_p95", eval.GateMax)
		if got.Word != test.word || v.Exit != test.exit {
			t.Errorf("%s: %s, exit %d, %+v", test.name, got.Word, v.Exit, got)
		}
	}
	b := fill(90, 10, "")
	b.settings.Gates[0].Limit = 8
	if got := gateOf(t, b.judge(), "latency_p95", eval.GateMax); got.Word != eval.NotGated || !strings.Contains(got.Note, "cannot be told") {
		t.Errorf("cut after 5 s says nothing about 8 s: %+v", got)
	}
	b = fill(90, 10, "")
	for _, r := range b.results[90:] { // they waited for their turn until their time was up
		r.Service, r.Attempts = 0, 0
	}
	if got := gateOf(t, b.judge(), "latency_p95", eval.GateMax); got.N != 90 || *got.Value != 1 {
		t.Errorf("with ten that were not asked: %+v", got)
	}
	b = newBench(maxRise("latency_p95", 0.1))
	b.many(1, "p", "p")
	b.settings.Baseline.Headers[1].LatencyP95 = time.Second
	got := gateOf(t, b.judge(), "latency_p95", eval.GateMaxRise)
	if got.Word != eval.NotGated || !got.Pass || *got.Baseline != 1 || !strings.HasPrefix(got.Note, "advisory") {
		t.Errorf("relative latency advises: %+v", got)
	}
}

func TestValidity(t *testing.T) {
	b := newBench(minimum("schema_validity", 1), maxDrop("schema_validity", 0), minimum("accuracy", 0))
	b.settings.Contract.Output = llm.Output{Kind: llm.OutputJSON}
	for i := range 6 {
		b.many(1, "f", "f")
		b.settings.Baseline.Lines[i].Valid = 1
		b.results[i].Valid = eval.Violated
	}
	v := b.judge()
	if got := gateOf(t, v, "schema_validity", eval.GateMaxDrop); got.Word != eval.Regressed || got.Down != 6 || *got.Value != 0 || *got.Baseline != 1 {
		t.Errorf("%+v", got)
	}
	if got := gateOf(t, v, "schema_validity", eval.GateMin); got.Word != eval.Missed {
		t.Errorf("%+v", got)
	}
	plain := newBench()
	plain.many(1, "", "p")
	for _, m := range plain.judge().Groups[0].Metrics {
		if m.Name == "schema_validity" {
			t.Errorf("plain text has no contract: %+v", m)
		}
	}
}

func TestNamedMetrics(t *testing.T) {
	fill := func(kind eval.Gate, before, now float64) eval.GateResult {
		b := newBench(kind)
		for i := range 12 {
			b.many(1, "p", "p")
			b.settings.Baseline.Lines[i].Scores = map[string]float64{"style": before}
			b.results[i].Scores = []eval.Score{{Check: "judge", Metric: "style", Value: now + float64(i)/1000, Pass: true}}
		}
		v := b.judge()
		if got := metricOf(t, v, "style"); got.Unit != "score" || got.N != 12 || math.Abs(*got.Baseline-before) > 1e-12 {
			t.Errorf("%+v", got)
		}
		return gateOf(t, v, "style", kind.Kind)
	}
	if got := fill(maxDrop("style", 0.1), 0.8, 0.5); got.Word != eval.Regressed || got.Down != 12 || got.Test != "sign-flip test" {
		t.Errorf("down: %+v", got)
	}
	if got := fill(maxDrop("style", 0.1), 0.5, 0.8); got.Word != eval.Improved {
		t.Errorf("up: %+v", got)
	}
	if got := fill(maxRise("style", 0.1), 0.5, 0.8); got.Word != eval.Regressed {
		t.Errorf("up where that is worse: %+v", got)
	}
	if got := fill(minimum("style", 0.6), 0.8, 0.5); got.Word != eval.Missed {
		t.Errorf("a minimum: %+v", got)
	}
	b := newBench(minimum("style", 0.6))
	b.many(1, "", "p")
	if v := b.judge(); v.Exit != 4 || !strings.Contains(v.Sentence, "no check gives this metric") {
		t.Errorf("exit %d, %q", v.Exit, v.Sentence)
	}
}

// A metric's value for a case is the mean of its scores by weight, now, in the
// baseline that is scored again, and where nothing was scored.
func TestWeightsCountInAMetric(t *testing.T) {
	b := newBench(maxDrop("style", 0.1))
	b.many(1, "p", "p")
	c := b.cases[0]
	c.CriteriaHash = "other"
	c.Checks = []eval.Check{contains{text: "p", metric: "style", weight: 3}, contains{text: "z", metric: "style"}}
	b.results[0].Scores = []eval.Score{{Metric: "style", Value: 0.5, Pass: true, Weight: 3}, {Metric: "style", Value: 0.1, Pass: true}}
	got := metricOf(t, b.judge(), "style")
	if math.Abs(*got.Value-1.6/4) > 1e-12 || got.Baseline == nil || math.Abs(*got.Baseline-3.0/4) > 1e-12 {
		t.Errorf("now %v, want 0.4; before %v, want 0.75", *got.Value, got.Baseline)
	}

	b = newBench(minimum("accuracy", 0))
	b.many(1, "", "pp")
	b.cases[0].Checks = c.Checks
	b.results[0].Scores = []eval.Score{{Metric: "style", Value: 1, Pass: true, Weight: 3}, {Metric: "style", Value: 0, Pass: true}}
	b.results[1].Status, b.results[1].Failure = eval.Fail, &llm.Failure{Class: fault.Length, Message: "cut at the token limit"}
	if got := *metricOf(t, b.judge(), "style").Value; got != 3.0/8 {
		t.Errorf("with a repeat that was not scored: %v, want 0.375", got)
	}
}

// Half of every case's repeats is missing: with them the scores may be as before.
func TestErrorsCouldHaveSavedAScore(t *testing.T) {
	fill := func(before float64) eval.Verdict {
		b := newBench(maxDrop("style", 0), minimum("accuracy", 0))
		for i := range 8 {
			b.many(1, "pp", "pe")
			b.settings.Baseline.Lines[i].Scores = map[string]float64{"style": before}
			b.results[2*i].Scores = []eval.Score{{Metric: "style", Value: 0, Pass: true}}
		}
		return b.judge()
	}
	if v := fill(0.5); v.Exit != 4 || v.Word != eval.NotGated {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
	if v := fill(0.6); v.Exit != 1 || v.Word != eval.Regressed {
		t.Errorf("exit %d, %s", v.Exit, v.Sentence)
	}
}

// A failure before scoring has no score; left out, failing would raise the metric.
func TestFailuresWithoutScoresCountAsZero(t *testing.T) {
	b := newBench(minimum("accuracy", 0))
	b.many(2, "", "p")
	for _, c := range b.cases {
		c.Checks = []eval.Check{contains{metric: "style"}}
	}
	b.results[0].Scores = []eval.Score{{Metric: "style", Value: 0.8, Pass: true}}
	b.results[1].Status, b.results[1].Failure = eval.Fail, &llm.Failure{Class: fault.Length, Message: "cut at the token limit"}
	v := b.judge()
	if got := *metricOf(t, v, "style").Value; got != 0.4 {
		t.Errorf("style = %v, want 0.4", got)
	}
	if got := v.Groups[0].Failed; len(got) != 1 || got[0].Reason != "cut at the token limit" {
		t.Errorf("failed = %+v", got)
	}
}
