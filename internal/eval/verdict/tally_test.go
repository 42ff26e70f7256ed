package verdict

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestPairing(t *testing.T) {
	b := newBench(maxDrop("accuracy", 0))
	b.many(3, "p", "p")
	b.before("moved", "p")
	b.now("moved", "f").InputHash = "other" // another question under an old name
	b.now("new", "f")
	g := b.judge().Groups[0]
	if g.Paired != 3 || g.New != 2 || !slices.Equal(g.Gone, []string{"moved"}) || g.FlipsDown != 0 {
		t.Errorf("paired %d, new %d, gone %v, flips %d", g.Paired, g.New, g.Gone, g.FlipsDown)
	}
	if !g.HasBaseline || g.BaselineFrom != "triage@1.2.0 of 2026-11-12" || g.SameTreatment {
		t.Errorf("baseline %v from %q, same treatment %v", g.HasBaseline, g.BaselineFrom, g.SameTreatment)
	}
	if g.Pass || len(g.Warnings) != 1 || !strings.Contains(g.Warnings[0], "llmx baseline accept") {
		t.Errorf("pass %v, warnings %q", g.Pass, g.Warnings)
	}
}

func TestOtherModelsLinesAreNotOurs(t *testing.T) {
	b := newBench()
	b.many(2, "p", "p")
	b.settings.Baseline.Lines[0].Model = "other"
	g := b.judge().Groups[0]
	if g.Paired != 1 || g.New != 1 || len(g.Gone) != 0 {
		t.Errorf("paired %d, new %d, gone %v", g.Paired, g.New, g.Gone)
	}
	b.group.Model = "third"
	if g := b.judge().Groups[0]; g.HasBaseline || g.Gates[0].Kind != eval.GateMin {
		t.Errorf("a model without a header has no baseline: %+v", g.Gates)
	}
}

func TestRescoring(t *testing.T) {
	tests := []struct {
		name     string
		check    contains
		change   func(line *eval.BaselineLine)
		rescored int
		rebased  int
		down     int // of "p" before and "f" now, under a check that wants a p
	}{
		{"deterministic", contains{text: "p", metric: "style"}, func(*eval.BaselineLine) {}, 1, 0, 1},
		{"now both fail", contains{text: "q"}, func(*eval.BaselineLine) {}, 1, 0, 0},
		{"operational checks are left out", contains{text: "q", operational: true, guess: true}, func(*eval.BaselineLine) {}, 1, 0, 1},
		{"a judge is asked again only by a run", contains{text: "p", guess: true}, func(*eval.BaselineLine) {}, 0, 1, 0},
		{"tool calls are in the baseline", contains{text: "p", needs: eval.NeedToolCalls}, func(*eval.BaselineLine) {}, 1, 0, 1},
		{"but not in an old one", contains{text: "p", needs: eval.NeedToolCalls}, func(line *eval.BaselineLine) { line.Answers[0].Finish = llm.FinishToolCalls }, 0, 1, 0},
		{"no text", contains{text: "p"}, func(line *eval.BaselineLine) { line.Answers[0].Text = nil }, 0, 1, 0},
		{"a length stop stays a fail", contains{text: "p"}, func(line *eval.BaselineLine) { line.Answers[0].Finish = llm.FinishLength }, 1, 0, 0},
		{"same criteria", contains{text: "q"}, func(line *eval.BaselineLine) { line.Criteria = "c2" }, 0, 0, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench()
			test.change(b.before("a", "p"))
			c := b.now("a", "f")
			c.CriteriaHash, c.Checks = "c2", []eval.Check{test.check}
			g := b.judge().Groups[0]
			if g.Rescored != test.rescored || len(g.Rebased) != test.rebased || g.FlipsDown != test.down {
				t.Errorf("rescored %d, rebased %v, down %d", g.Rescored, g.Rebased, g.FlipsDown)
			}
			if g.Paired != 1-test.rebased || len(g.Gone) != 0 {
				t.Errorf("paired %d, gone %v", g.Paired, g.Gone)
			}
		})
	}
}

// Answers are the same where they propose the same calls, and not by their texts alone.
func TestToolCallsTellAnswersApart(t *testing.T) {
	calls := []llm.ToolCall{{ID: "new", Name: "search", Arguments: `{"q":1}`}}
	for name, test := range map[string]struct {
		before    []eval.BaselineCall
		identical int
	}{
		"the same": {[]eval.BaselineCall{{Name: "search", Arguments: `{"q":1}`}}, 1},
		"others":   {[]eval.BaselineCall{{Name: "search", Arguments: `{"q":2}`}}, 0},
		"none":     {nil, 0},
	} {
		b := newBench()
		answer := &b.before("a", "p").Answers[0]
		answer.ToolCalls = test.before
		answer.Digest = eval.DigestOfAnswer("p", answer.Calls())
		b.now("a", "p")
		b.results[0].Answer, b.results[0].ToolCalls, b.results[0].Digest = "p", calls, eval.DigestOfAnswer("p", calls)
		if got := b.tally().pair.identical; got != test.identical {
			t.Errorf("%s: %d answers are said to be the same", name, got)
		}
	}
}

func TestRescoringUsesTheContract(t *testing.T) {
	b := newBench()
	b.before("a", "p")
	c := b.now("a", "f")
	c.CriteriaHash, c.Checks = "c2", []eval.Check{contains{text: "p"}}
	b.settings.Read = func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Broken: "not JSON"} }
	if g := b.judge().Groups[0]; g.Rescored != 1 || g.FlipsDown != 0 {
		t.Errorf("an answer that breaks the contract now fails on both sides: %+v", g.Flips)
	}
}

func TestFlips(t *testing.T) {
	b := newBench()
	b.header().Headers[1].Accepted = []eval.BaselineAccept{{Cases: []string{"d"}, Because: "the label is new", Date: "2026-11-13"}}
	b.before("d", "p")
	b.before("a", "fff")
	b.before("c", "ppp")
	b.before("same", "pf")
	b.now("d", "f").Tags = []string{"critical"}
	b.now("a", "fpf")
	b.now("c", "ppf")
	b.now("same", "fp")
	b.settings.Baseline.Lines[1].Answers[0].Text = nil
	p := "p"
	want := []eval.Flip{
		{Suite: "triage", Model: "small", Case: "c", Before: "3/3", After: "2/3", Worse: true, Reason: "golden: want billing", Old: &p, New: "f"},
		{Suite: "triage", Model: "small", Case: "d", Tags: []string{"critical"}, Before: "1/1", After: "0/1", Worse: true,
			Reason: "golden: want billing", Old: &p, New: "f", Accepted: "the label is new"},
		{Suite: "triage", Model: "small", Case: "a", Before: "0/3", After: "1/3", Reason: "golden: want billing", New: "p"},
	}
	g := b.judge().Groups[0]
	if diff := cmp.Diff(want, g.Flips); diff != "" {
		t.Error(diff)
	}
	if g.FlipsDown != 2 || g.FlipsUp != 1 {
		t.Errorf("%d down, %d up", g.FlipsDown, g.FlipsUp)
	}
}

func TestListsAreBounded(t *testing.T) {
	b := newBench()
	b.many(3*eval.MaxFlips, "p", "f")
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(b.results), func(i, j int) { b.results[i], b.results[j] = b.results[j], b.results[i] })
	g := b.judge().Groups[0]
	if len(g.Flips) != eval.MaxFlips || g.FlipsDown != 3*eval.MaxFlips || len(g.Failed) != eval.MaxFlips || g.FailedCases != 3*eval.MaxFlips {
		t.Errorf("%d flips of %d, %d failed of %d", len(g.Flips), g.FlipsDown, len(g.Failed), g.FailedCases)
	}
	if first, last := g.Flips[0].Case, g.Flips[eval.MaxFlips-1].Case; first != "c00000" || last != "c00999" {
		t.Errorf("the first by id are kept, whatever the order of arrival: %s … %s", first, last)
	}
}

func TestTheOrderOfResultsDoesNotMatter(t *testing.T) {
	b := newBench(maxDrop("accuracy", 0.02), maxRise("cost_per_case", 0.1), maxDrop("style", 0.1))
	random := rand.New(rand.NewPCG(2, 2))
	outcomes := []string{"ppp", "ppf", "fpf", "fff", "pep"}
	for i := range 60 {
		b.many(1, outcomes[random.IntN(4)], outcomes[random.IntN(5)])
		cost := llm.Money(1000)
		b.settings.Baseline.Lines[i].Cost = &cost
		b.settings.Baseline.Lines[i].Scores = map[string]float64{"style": 0.5}
	}
	for i, r := range b.results {
		r.Answer = fmt.Sprint(r.Answer, i)
		r.Cost = llm.KnownCost(llm.Money(900 + random.IntN(200)))
		if r.Status.Judged() {
			r.Scores = append(r.Scores, eval.Score{Metric: "style", Value: float64(random.IntN(5)) / 4, Pass: true})
		}
	}
	want := b.judge()
	for range 5 {
		random.Shuffle(len(b.results), func(i, j int) { b.results[i], b.results[j] = b.results[j], b.results[i] })
		got := b.judge()
		// Sums of floats may differ in their last digits.
		near := cmp.Comparer(func(x, y float64) bool { return x-y < 1e-9 && y-x < 1e-9 })
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestDrawsAndAnswerers(t *testing.T) {
	b := newBench()
	b.many(1, "", "pp")
	b.results[1].Answered = "small-2"
	for i := range b.results {
		b.results[i].Paid = llm.KnownCost(0)
	}
	g := b.judge().Groups[0]
	if g.Asked != 0 {
		t.Errorf("%d asked, and all are recorded", g.Asked)
	}
	if g.Draws != "recorded" || !g.DrawsFrom.Equal(b.results[0].StoredAt) || !g.DrawsTo.Equal(b.results[1].StoredAt) {
		t.Errorf("draws %s from %v to %v", g.Draws, g.DrawsFrom, g.DrawsTo)
	}
	if want := map[string]int{"small-1": 1, "small-2": 1}; !reflect.DeepEqual(g.Answered, want) {
		t.Errorf("answered %v", g.Answered)
	}
	b.results[0].StoredBy = ""
	if g := b.judge().Groups[0]; g.Draws != "mixed" {
		t.Errorf("draws %s", g.Draws)
	}
	b.results[1].StoredBy = ""
	if g := b.judge().Groups[0]; g.Draws != "live" {
		t.Errorf("draws %s", g.Draws)
	}

	// The last step of a cascade is kept from before, an earlier one was asked and paid.
	b = newBench()
	b.many(1, "", "pp")
	b.results[0].Paid, b.results[1].Paid = llm.KnownCost(5), llm.KnownCost(0)
	if g := b.judge().Groups[0]; g.Draws != "mixed" || g.Asked != 1 {
		t.Errorf("draws %s, %d asked; want mixed, and 1", g.Draws, g.Asked)
	}
}

func TestMoney(t *testing.T) {
	b := newBench()
	b.many(2, "", "p")
	b.many(1, "", "e")
	b.many(1, "", "u")
	v := b.judge()
	if v.Cost != llm.KnownCost(2000) || v.Paid != llm.KnownCost(3000) {
		t.Errorf("the error was paid, but is in no figure: cost %v, paid %v", v.Cost, v.Paid)
	}
	if v.Planned != 4 || v.Judged != 2 || v.Errors != 1 || v.Unjudged != 1 {
		t.Errorf("counts %d %d %d %d", v.Planned, v.Judged, v.Errors, v.Unjudged)
	}
}

// Cases of which nothing is left must not cost memory.
func TestMemoryStaysFlat(t *testing.T) {
	const n = 300_000
	tally := NewTally(eval.Group{Suite: "s", Model: "m", Planned: n}, Settings{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		id := fmt.Sprintf("case-%d", i)
		c := &eval.Case{ID: id, Repeats: 1, InputHash: id}
		r := &eval.Result{Case: id, Status: eval.Pass, Answer: strings.Repeat("x", 100), Cost: llm.KnownCost(1)}
		if i%3 == 0 {
			r.Status = eval.Fail
		}
		tally.Add(c, r)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if bytes := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; bytes > 40 {
		t.Errorf("%d bytes a case", bytes)
	}
	if v := Judge([]*Tally{tally}, Options{}); v.Judged != n || v.Groups[0].FailedCases != n/3 {
		t.Errorf("%d judged, %d failed", v.Judged, v.Groups[0].FailedCases)
	}
}

func BenchmarkAdd(b *testing.B) {
	base := newBench()
	base.many(10_000, "p", "p")
	tally := NewTally(base.group, base.settings)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		tally.Add(base.cases[i%10_000], base.results[i%10_000])
		i++
	}
}
