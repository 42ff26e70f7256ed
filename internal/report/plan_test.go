package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

// partly is a plan of a project that is recorded in part: a suite on a model, on a
// cascade, and on a model without a price or a key.
func partly() Plan {
	draft := llm.PromptRef{Name: "triage", Version: "draft", Hash: "9f2c41d0"}
	return Plan{
		Version: "0.1.0", Command: "llmx test triage", Replies: "auto", Jobs: 16,
		Groups: []PlanGroup{
			{Suite: "triage", Model: "small", Prompt: draft, Cases: 1200, Results: 3600, Recorded: 3000, Asked: Forecast{
				Requests: 600, Most: 600, Cost: 12_000_000, MostCost: 49_600_000, Input: 120_000, Output: 6000,
				Basis: Basis{Baseline: 400, Mean: 200}, Models: []PlanModel{{"small", 600}},
				Time: PlanTime{Took: 185 * time.Second, Known: true, From: []string{"the baseline of 2026-11-12"}, Held: []string{"rpm 200 of small"}},
			}},
			{Suite: "triage", Model: "thrifty", Prompt: draft, Cases: 1200, Results: 3600, Recorded: 3590, Shared: 2, Asked: Forecast{
				Requests: 8, Most: 16, Cost: 160_000, MostCost: 5_600_000, FirstSteps: 8, Input: 1600, Output: 80,
				Basis: Basis{Mean: 8}, Models: []PlanModel{{"small", 8}}, Time: PlanTime{Took: 700 * time.Millisecond, Known: true, From: []string{"the baseline of 2026-11-12"}},
			}},
			{Suite: "triage", Model: "gift", Prompt: draft, Cases: 1200, Results: 3600, Recorded: 3593, Missing: 7, Wanted: Forecast{
				Requests: 7, Most: 7, Unpriced: 7, Prices: []string{"gift"}, Input: 1400, Output: 280, Models: []PlanModel{{"gift", 7}},
			}},
		},
		Barred:   []string{"llmx.yaml:4:12: the environment variable GIFT_KEY is not set; export GIFT_KEY=…"},
		Warnings: []string{"fixtures/triage.jsonl:9: the line was not written to its end"},
	}
}

func TestPlanGolden(t *testing.T) {
	for _, columns := range []int{80, 120} {
		page := render(t, func(w *bytes.Buffer) error { return PlanPage(w, partly(), Style{Width: columns}) })
		checkPage(t, page, columns)
		golden(t, fmt.Sprintf("plan.%d.txt", columns), page)
	}
	golden(t, "plan.json", render(t, func(w *bytes.Buffer) error { return PlanJSON(w, partly()) }))
	one := partly()
	one.Groups, one.Barred, one.Warnings = one.Groups[:1], nil, nil
	one.Replies, one.Fresh, one.Command = "live", true, "llmx test triage --live --fresh"
	one.Groups[0].Recorded, one.Groups[0].Cached = 0, 3000
	one.Ends = []string{"the run would stop before it is done, as it is to cost about $0.0120 and --max-cost is $0.0100: exit 4"}
	one.Stops = []string{"the environment variable SMALL_KEY is not set; export SMALL_KEY=…"}
	goldenPage(t, "plan.stops.txt", func(w *bytes.Buffer) error { return PlanPage(w, one, Style{}) })
}

// What is not known is never shown, nor written, as nothing.
func TestPlanUnknownIsNotZero(t *testing.T) {
	plan := partly()
	plan.Groups = plan.Groups[2:]
	plan.Groups[0].Asked, plan.Groups[0].Missing = plan.Groups[0].Wanted, 0
	page := render(t, func(w *bytes.Buffer) error { return PlanPage(w, plan, Style{Width: 120}) })
	if strings.Contains(page, "$0") || !strings.Contains(page, "7 to ask, price unknown, time unknown\n") || strings.Count(page, " unknown ") < 2 {
		t.Errorf("got:\n%s", page)
	}
	document := jsonMap(t, render(t, func(w *bytes.Buffer) error { return PlanJSON(w, plan) }))
	ask := document["total"].(map[string]any)["to_ask"].(map[string]any)
	unknown := map[string]any{"nano_usd": nil, "usd": "unknown"}
	for _, key := range []string{"cost", "at_most_cost"} {
		if diff := cmp.Diff(unknown, ask[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if took := ask["time"].(map[string]any); took["seconds"] != nil || took["at_least_seconds"] != nil {
		t.Errorf("the time is %v", took)
	}
}

func TestPlanSentence(t *testing.T) {
	ask := Forecast{Requests: 6, Most: 6, Cost: 12_000_000, MostCost: 50_000_000, Time: PlanTime{Took: 3 * time.Second, Known: true}}
	with := func(change func(f *Forecast)) Forecast { f := ask; change(&f); return f }
	for want, total := range map[string]PlanGroup{
		"9 results: nobody to ask, nothing to pay":     {Results: 9, Recorded: 9},
		"9 results: nobody to ask; 1 reply is missing": {Results: 9, Missing: 1},
		"9 results: 6 to ask, about $0.0120 (at most $0.0500 if every answer is as long as max_tokens lets it be), about 3 s; 3 replies are missing": {Results: 9, Missing: 3, Asked: ask},
		"6 results: 6 to ask, about $0.0120, about 3 s":                                      {Results: 6, Asked: with(func(f *Forecast) { f.Unbounded = 1 })},
		"6 results: 6 to ask, about $0.0120 for 4, and the price of 2 is unknown, about 3 s": {Results: 6, Asked: with(func(f *Forecast) { f.Unpriced = 2 })},
		"6 results: 6 to ask, price unknown, about 3 s":                                      {Results: 6, Asked: with(func(f *Forecast) { f.Unpriced, f.Cost = 6, 0 })},
		"6 results: 6 to ask, about $0.00, less than a second":                               {Results: 6, Asked: with(func(f *Forecast) { f.Cost, f.MostCost, f.Time.Took = 0, 0, 0 })},
		"6 results: 6 to ask, at least about $0.0120 (at most $0.0500 if every cascade goes through all of its steps, with answers as long as max_tokens lets them be), at least 3 s": {Results: 6, Asked: with(func(f *Forecast) { f.FirstSteps, f.Most, f.Time.Known = 6, 12, false })},
	} {
		if got := planSentence(total); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Names and reasons that files hold move no cursor and break no line.
func TestPlanOfHostileNames(t *testing.T) {
	plan := partly()
	for _, key := range sortedKeys(hostile) {
		g := plan.Groups[0]
		g.Suite, g.Model = clip(hostile[key], 2000), key
		plan.Groups = append(plan.Groups, g)
		plan.Warnings = append(plan.Warnings, hostile[key])
		plan.Stops = append(plan.Stops, hostile[key])
	}
	for _, columns := range []int{40, 80, 140} {
		checkPage(t, render(t, func(w *bytes.Buffer) error { return PlanPage(w, plan, Style{Width: columns, Color: columns > 100}) }), 0)
	}
	jsonMap(t, render(t, func(w *bytes.Buffer) error { return PlanJSON(w, plan) }))
}
