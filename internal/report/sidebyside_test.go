package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// beside is a run of two prompts on one model, compared with each other and with a
// third that nobody answered for.
func beside() eval.Run {
	run := eval.Run{
		ID: "r1", Started: noon, Ended: now, State: eval.Complete, Command: "llmx test triage --prompt triage@1.2.0,triage@draft", Replies: "live",
		Word: eval.Met, Spent: llm.KnownCost(0), Verdict: &eval.Verdict{Word: eval.Met, Sentence: "met", Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)},
	}
	refs := []llm.PromptRef{{Name: "triage", Version: "1.2.0"}, {Name: "triage", Version: "draft"}, {Name: "triage", Version: "1.1.0"}}
	for i, ref := range refs {
		g := eval.Group{Suite: "triage", Model: "small", Prompt: ref, ByPrompt: true, Planned: 2, Judged: 2, Cases: 2}
		run.Groups = append(run.Groups, g)
		v := eval.GroupVerdict{
			Group: g, Word: eval.Met, Pass: i != 1,
			Gates: []eval.GateResult{{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMin, Limit: 0.5}, Word: eval.Met, Pass: i != 1, Value: of(1.0)}},
		}
		if i == 1 {
			v.Failed, v.FailedCases = []eval.Failed{{Case: "b", Passes: "0/1", Reason: "golden: no"}}, 1
		}
		run.Verdict.Groups = append(run.Verdict.Groups, v)
	}
	run.Verdict.Exit, run.Exit = fault.ExitGate, fault.ExitGate
	run.Verdict.SideBySide = []eval.SideBySide{{
		Suite: "triage", Reference: "triage@1.2.0", Cases: 46, Planned: 50, Tests: 2,
		Notes: []string{"Accuracy and cost are of the 46 of 50 cases that all have a judged result of: triage@draft lacks 4 results."},
		Candidates: []eval.Contender{
			{
				Name: "triage@1.2.0", Model: "small", Prompt: refs[0], Reference: true, Accuracy: of(0.956), Low: of(0.855), High: of(0.988), Cost: of(0.000312),
				LatencyP50: of(0.41), LatencyP95: of(1.9), Calls: 50, Frontier: true, Contrasts: []eval.Contrast{},
			},
			{
				Name: "triage@draft", Model: "small", Prompt: refs[1], Missing: 4, Accuracy: of(0.826), Low: of(0.691), High: of(0.909), Cost: of(0.000329),
				LatencyP50: of(0.44), LatencyP95: of(2.1), Calls: 46, By: "triage@1.2.0",
				Contrasts: []eval.Contrast{
					{Metric: "accuracy", Unit: "share", Word: eval.Inconclusive, Change: of(-0.13), Low: of(-0.244), High: of(-0.006), P: of(0.0312), Holm: of(0.0625), N: 46, Worse: 6, Sees: of(0.178), Needs: 84},
					{Metric: "schema_validity", Unit: "share", Word: eval.Unchanged, Change: of(0.0), N: 46},
					{Metric: "cost_per_case", Unit: "USD", Word: eval.Held, Change: of(0.0541), Low: of(0.051), High: of(0.0702), P: of(1e-9), Holm: of(2e-9), N: 46, Worse: 46, Margin: 0.1},
				},
			},
			{
				Name: "triage@1.1.0", Model: "small", Prompt: refs[2], Outside: "nothing of it was judged",
				Contrasts: []eval.Contrast{{Metric: "accuracy", Unit: "share", Word: eval.NotGated, Note: "nothing to compare: no case has a judged result of both"}},
			},
		},
	}}
	return run
}

func TestSideBySideGolden(t *testing.T) {
	for name, columns := range map[string]int{"sidebyside.80.txt": 80, "sidebyside.140.txt": 140} {
		page := terminal(t, beside(), Style{Width: columns})
		checkPage(t, page, columns)
		golden(t, name, page)
	}
	golden(t, "sidebyside.md", render(t, func(w *bytes.Buffer) error { return Markdown(w, beside(), 0) }))
	golden(t, "sidebyside.json", render(t, func(w *bytes.Buffer) error { return JSON(w, beside()) }))
}

// Two groups that differ in nothing but the prompt are two suites of JUnit, with names
// of their own; a fail counts by the gates of its own group.
func TestJUnitTellsPromptsApart(t *testing.T) {
	var results []eval.Result
	for _, version := range []string{"1.1.0", "1.2.0", "draft"} {
		for _, id := range []string{"a", "b"} {
			r := eval.Result{Suite: "triage", Model: "small", Prompt: llm.PromptRef{Name: "triage", Version: version}, Case: id, Status: eval.Pass, Service: time.Second}
			if id == "b" {
				r.Status = eval.Fail
			}
			results = append(results, r)
		}
	}
	run := beside()
	p := parseJUnit(t, render(t, func(w *bytes.Buffer) error { return JUnit(w, run, sequence(results)) }))
	var names, failed []string
	for _, suite := range p.Suites {
		names = append(names, suite.Name)
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failed = append(failed, c.Class+"/"+c.Name)
			}
		}
	}
	if got, want := strings.Join(names, "|"), "triage · small · triage@1.1.0|triage · small · triage@1.2.0|triage · small · triage@draft|gates"; got != want {
		t.Errorf("suites %s, want %s", got, want)
	}
	if got, want := strings.Join(failed, "|"), "triage.small.triage@draft/b|triage.small.triage@draft/accuracy min 0.500"; got != want {
		t.Errorf("failed %s, want %s", got, want)
	}
}
