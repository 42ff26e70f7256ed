package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", file, diff)
	}
}

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// checkPage holds what must be true of every page for a terminal.
func checkPage(t *testing.T, page string, columns int) {
	t.Helper()
	if !utf8.ValidString(page) {
		t.Error("the page is not UTF-8")
	}
	for i, line := range strings.Split(strings.TrimSuffix(page, "\n"), "\n") {
		bare := colors.ReplaceAllString(line, "")
		if strings.TrimRight(bare, " ") != bare {
			t.Errorf("line %d ends in a space: %q", i+1, line)
		}
		for _, r := range bare {
			if isUnsafe(r) {
				t.Errorf("line %d holds %U: %q", i+1, r, line)
			}
		}
		if w := width(bare); columns > 0 && w > columns {
			t.Errorf("line %d has %d columns of %d: %q", i+1, w, columns, bare)
		}
	}
}

func render(t *testing.T, write func(w *bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func terminal(t *testing.T, run eval.Run, s Style) string {
	t.Helper()
	return render(t, func(w *bytes.Buffer) error { return Terminal(w, run, s) })
}

func of[T any](v T) *T { return &v }

var (
	noon = time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC)
	now  = noon.Add(90 * time.Minute)
)

// regressed is a run as a newcomer sees it first: a prompt edit broke one suite of
// two.
func regressed() eval.Run {
	draft := llm.PromptRef{Name: "triage", Version: "draft", Hash: "9f2c41d09f2c41d0"}
	triage := eval.GroupVerdict{
		Group: eval.Group{Suite: "triage", Model: "small", Prompt: draft, Treatment: "a1b2c3", Planned: 40, Judged: 40, Cases: 40},
		Word:  eval.Regressed, Paired: 40, HasBaseline: true, BaselineFrom: "triage@1.2.0, 2026-11-12, recorded",
		Metrics: []eval.Metric{
			{Name: "accuracy", Unit: "share", Value: of(0.8), N: 40, Baseline: of(0.975), Paired: of(0.8)},
			{Name: "schema_validity", Unit: "share", Value: of(1.0), N: 40, Baseline: of(1.0), Paired: of(1.0)},
			{Name: "cost_per_case", Unit: "USD", Value: of(0.000322), N: 40, Baseline: of(0.000312), Paired: of(0.000322)},
			{Name: "latency_p95", Unit: "seconds", N: 0, Note: "no uncached call to measure"},
		},
		Gates: []eval.GateResult{
			{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMin, Limit: 0.95}, Word: eval.Missed, Value: of(0.8), N: 40},
			{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMaxDrop, Limit: 0.02}, Word: eval.Regressed, Value: of(0.8), Baseline: of(0.975),
				P: of(0.0078125), Adjusted: of(0.015625), Test: "exact paired", N: 40, Down: 7},
			{Gate: eval.Gate{Metric: "schema_validity", Kind: eval.GateMin, Limit: 1}, Word: eval.Met, Pass: true, Value: of(1.0), N: 40},
			{Gate: eval.Gate{Metric: "cost_per_case", Kind: eval.GateMax, Limit: 0.002}, Word: eval.Met, Pass: true, Value: of(0.000322), N: 40},
			{Gate: eval.Gate{Metric: "latency_p95", Kind: eval.GateMax, Limit: 3}, Word: eval.NotGated, Pass: true},
		},
		Flips: []eval.Flip{
			{Suite: "triage", Model: "small", Case: "refund-angry", Tags: []string{"billing", "critical"}, Before: "1/1", After: "0/1", Worse: true,
				Reason: `golden: label is "bug", not "billing"`, Old: of(`{"label":"billing","urgency":5}`), New: `{"urgency":4,"label":"bug"}`},
			{Suite: "triage", Model: "small", Case: "refund-polite", Before: "1/1", After: "0/1", Worse: true,
				Reason: "the answer is not JSON: it starts with \"Sure\"", Old: of(`{"label":"billing","urgency":2}`), New: "Sure! The label is billing, and the urgency is 2."},
			{Suite: "triage", Model: "small", Case: "greeting", Before: "1/1", After: "0/1", Worse: true, Reason: "contains: \"support\" is not in the answer",
				Old: of("Thanks for writing to support, we will look at your ticket today."), New: "Thanks for writing, we will look at your ticket tomorrow."},
		},
		FlipsDown: 7,
		Failed: []eval.Failed{
			{Case: "spam", Tags: []string{"edge"}, Passes: "0/1", Reason: `golden: label is "account", not "other"`, Known: true},
			{Case: "voice-mail", Passes: "0/1", Reason: `golden: label is "account", not "other"`},
		},
		FailedCases: 9, Draws: "recorded", DrawsFrom: noon, DrawsTo: noon, Answered: map[string]int{"gpt-4o-mini-2024-07-18": 40},
		New: 1, Gone: []string{"old-case"},
	}
	for i := range 4 {
		triage.Flips = append(triage.Flips, eval.Flip{Suite: "triage", Model: "small", Case: fmt.Sprintf("invoice-%d", i+1), Before: "1/1", After: "0/1", Worse: true,
			Reason: `golden: label is "account", not "billing"`, Old: of(`{"label": "billing"}`), New: `{"label": "account"}`})
	}
	for _, f := range triage.Flips {
		triage.Failed = append(triage.Failed, eval.Failed{Case: f.Case, Passes: f.After, Reason: f.Reason, Known: true})
	}
	math := eval.GroupVerdict{
		Group: eval.Group{Suite: "math", Model: "small", Prompt: llm.PromptRef{Name: "math", Version: "draft"}, Treatment: "d4e5f6", Planned: 30, Judged: 30, Cases: 30},
		Word:  eval.Unchanged, Pass: true, Paired: 30, HasBaseline: true, BaselineFrom: "math@1.0.0, 2026-11-12, recorded", SameTreatment: true,
		Metrics: []eval.Metric{{Name: "accuracy", Unit: "share", Value: of(29.0 / 30), N: 30, Baseline: of(29.0 / 30), Paired: of(29.0 / 30)}},
		Gates: []eval.GateResult{{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMaxDrop, Default: true}, Word: eval.Unchanged, Pass: true,
			Value: of(29.0 / 30), Baseline: of(29.0 / 30), N: 30}},
		Draws: "recorded", DrawsFrom: noon, DrawsTo: noon,
	}
	v := eval.Verdict{
		Word: eval.Regressed, Exit: fault.ExitGate, Sentence: "triage on small regressed: accuracy fell from 97.5 % to 80.0 % (p = 0.0078)",
		Groups: []eval.GroupVerdict{math, triage}, Planned: 70, Judged: 70, Cost: llm.KnownCost(22_540_000), Paid: llm.KnownCost(0),
	}
	return eval.Run{
		ID: "r7k2m9", Started: noon, Ended: noon.Add(1240 * time.Millisecond), State: eval.Complete, Command: "llmx test", Replies: "auto",
		Version: "0.1.0", Groups: []eval.Group{math.Group, triage.Group}, Verdict: &v, Word: v.Word, Exit: v.Exit, Spent: llm.KnownCost(0),
		Warnings: []string{"prompts/triage/draft.prompty:7:3: the input \"tone\" is declared and never used"},
	}
}

// advised is a run whose gates leave a good deal open.
func advised() eval.Run {
	run := regressed()
	g := run.Verdict.Groups[1]
	g.Word, g.Pass, g.Flips, g.FlipsDown, g.Failed, g.FailedCases, g.Gone = eval.Missed, false, nil, 0, nil, 0, nil
	g.Metrics = append(g.Metrics[:1:1], append([]eval.Metric{{Name: eval.MetricCritical, Unit: "share", Value: of(0.75), N: 4}}, g.Metrics[1:]...)...)
	cost := llm.Money(3_520_000)
	g.Gates = []eval.GateResult{
		{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMaxDrop, Limit: 0.02}, Word: eval.Inconclusive, Pass: true, Value: of(0.8), Baseline: of(0.825),
			P: of(0.5), Adjusted: of(0.5), Test: "exact paired", N: 40, Down: 3, Up: 2, Bound: of(0.12), Sees: of(0.16),
			Note: "it passes by on_inconclusive: pass; a drop of 16.0 points could have been seen with 40 cases; about 900 cases, or 10 repeats of these here and in the baseline, would settle it: 720 more answers, about $0.00352 and 3 min",
			Settle: &eval.Settle{Both: true, Cases: &eval.Effort{Cases: 900, Repeats: 1, Results: 860, Cost: &cost, Seconds: 200},
				Repeats: &eval.Effort{Cases: 40, Repeats: 10, Results: 720, Cost: &cost, Seconds: 170}}},
		{Gate: eval.Gate{Metric: eval.MetricCritical, Kind: eval.GateMin, Limit: 1, Default: true}, Word: eval.Missed, Value: of(0.75), N: 4, Note: "1 of 4 cases failed: refund-angry"},
	}
	g.BaselinePrompt = "triage@1.2.0"
	g.Quarantine = &eval.Quarantine{Cases: 3, Failing: 1, Missing: 1, Failed: []eval.Failed{{Case: "sarcasm", Tags: []string{"quarantine"}, Passes: "0/1", Reason: "golden: label: want bug"}}}
	g.Alerts = []eval.Alert{
		{Tag: "billing", Cases: 12, Before: 1, After: 0.5, Down: 6, P: 0.015625, Adjusted: 0.046875},
		{Case: "refund-angry", Cases: 1, Before: 1, After: 0.1, Down: 1, P: 0.0001, Adjusted: 0.004},
	}
	g.Sight, g.Clusters = &eval.Sight{Drop: 0.143, Calibrated: "2026-11-10"}, 31
	g.CostChange = &eval.CostChange{Before: 0.000312, After: 0.000322, Tokens: 0.00002, Price: -0.00001}
	run.Selection.Models = []string{"small", "large"}
	v := *run.Verdict
	v.Word, v.Sentence, v.Groups = eval.Missed, "gate missed: triage on small: critical: 1 of 4 cases failed: refund-angry", []eval.GroupVerdict{g}
	run.Verdict, run.Word = &v, v.Word
	return run
}

// broken is a run that could not be judged.
func broken() eval.Run {
	g := eval.GroupVerdict{
		Group: eval.Group{Suite: "triage", Model: "large", Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Planned: 40, Judged: 25, Errors: 3, Unjudged: 12, Cases: 40},
		Word:  eval.NotGated,
		Metrics: []eval.Metric{{Name: "accuracy", Unit: "share", Value: of(1.0), N: 25},
			{Name: "latency_p95", Unit: "seconds", Value: of(1.24), N: 12, Note: "of 12 calls; a gate needs 59"}},
		Gates: []eval.GateResult{{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMin, Limit: 1, Default: true}, Word: eval.NotGated, Value: of(1.0), N: 25}},
		Draws: "mixed", DrawsFrom: noon.AddDate(0, 0, -3), DrawsTo: noon,
		ErrorClasses: []eval.ErrorClass{
			{Class: fault.RateLimited, Count: 3, First: "openai: 429 too many requests, after 3 attempts"},
			{Class: fault.Missing, Count: 12, First: "no recorded reply for case refund-angry on large, and no key to ask with"},
		},
		Answered: map[string]int{"gpt-4o": 20, "gpt-4o-mini": 5},
	}
	v := eval.Verdict{Word: eval.NotGated, Exit: fault.ExitUnjudged, Sentence: "15 of 40 cases have no answer", Groups: []eval.GroupVerdict{g},
		Planned: 40, Judged: 25, Errors: 3, Unjudged: 12}
	return eval.Run{ID: "r8", Started: noon, Ended: noon.Add(75 * time.Second), State: eval.Complete, Command: "llmx test triage --model large",
		Groups: []eval.Group{g.Group}, Verdict: &v, Word: v.Word, Exit: v.Exit, Replies: "auto", Version: "0.1.0"}
}

// hostile are answers that a model should not have given.
var hostile = map[string]string{
	"ansi":     "red \x1b[31mtext\x1b[0m and \x1b]8;;http://evil\x07link",
	"return":   "good\rbad\r\n\ttabbed\bback",
	"fence":    "text\n```\n</details> <script>alert(1)</script>\n````\n@octocat | pipe #1",
	"cdata":    "]]> <a href=\"x\"> & 'quote' \"double\"",
	"zero":     "a\x00b\x01c\x7f\u0085\u009b31m",
	"bidi":     "abc \u202egnp.exe\u202c \u2066x\u2069 \u200b\ufeff",
	"hebrew":   "שלום עולם, the label is חיוב",
	"utf8":     "broken \xff\xfe\xc3( bytes",
	"empty":    "",
	"spaces":   "   \n\t\n ",
	"long":     strings.Repeat("lorem ipsum ", 90_000),
	"oneword":  strings.Repeat("x", 1<<20),
	"marks":    "e" + strings.Repeat("\u0301", 50_000),
	"deep":     strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
	"emoji":    strings.Repeat("👩‍👩‍👧‍👦 日本語", 40),
	"nonchar":  "\ufffe\uffff\U000e0041",
	"longtail": strings.Repeat("same ", 20_000) + "END",
}

// hostileRun has every hostile text as an answer, a reason, an id and a tag.
func hostileRun() eval.Run {
	run := regressed()
	g := &run.Verdict.Groups[1]
	g.Flips, g.Failed = nil, nil
	old := `{"label":"billing"}`
	for _, key := range sortedKeys(hostile) {
		bad := hostile[key]
		if len(bad) > 1<<18 && key != "oneword" {
			bad = bad[:1<<16]
		}
		g.Flips = append(g.Flips,
			eval.Flip{Suite: "triage", Model: "small", Case: key + bad, Tags: []string{bad}, Before: "1/1", After: "0/1", Worse: true, Reason: bad, Old: &old, New: bad},
			eval.Flip{Suite: "triage", Model: "small", Case: key + "-2", Before: "0/1", After: "1/1", Reason: bad, Old: of(bad), New: bad + " more", Accepted: bad})
		g.Failed = append(g.Failed, eval.Failed{Case: "f" + bad, Passes: "0/1", Reason: bad, Tags: []string{bad}})
		run.Warnings = append(run.Warnings, bad)
		g.ErrorClasses = append(g.ErrorClasses, eval.ErrorClass{Class: fault.Class("c" + key), Count: 1, First: bad})
		g.Metrics[0].Note = bad
	}
	g.Quarantine = &eval.Quarantine{Cases: len(g.Failed), Failing: len(g.Failed), Failed: g.Failed}
	for _, f := range g.Failed[:5] {
		g.Alerts = append(g.Alerts, eval.Alert{Tag: f.Reason, Cases: 3}, eval.Alert{Case: f.Case, Cases: 1})
	}
	g.Gates[1].Settle = &eval.Settle{Repeats: &eval.Effort{Repeats: 5}}
	run.Selection.Filter, run.Selection.Tags = hostile["ansi"], []string{hostile["fence"], hostile["bidi"]}
	g.FlipsDown, g.FlipsUp, g.FailedCases = len(hostile), len(hostile), len(hostile)
	run.Verdict.Sentence += hostile["ansi"] + hostile["fence"]
	return run
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

// huge is a run of 10,000 flips over 50 groups, and as many failed cases.
func huge() eval.Run {
	run := regressed()
	template := run.Verdict.Groups[1]
	run.Verdict.Groups = nil
	answer := strings.Repeat("`@everyone` <b>| ", 200)
	for i := range 50 {
		g := template
		g.Suite, g.Flips, g.Failed = fmt.Sprintf("suite-%02d", i), nil, nil
		g.Pass = i > 2
		for j := range 200 {
			id := fmt.Sprintf("case-%05d", i*200+j)
			g.Flips = append(g.Flips, eval.Flip{Suite: g.Suite, Model: g.Model, Case: id, Before: "1/1", After: "0/1", Worse: true, Reason: answer, Old: of(answer + "old"), New: answer})
			g.Failed = append(g.Failed, eval.Failed{Case: "f" + id, Passes: "0/1", Reason: answer})
		}
		g.FlipsDown, g.FailedCases, g.Warnings = 200, 200, []string{answer}
		run.Verdict.Groups = append(run.Verdict.Groups, g)
	}
	return run
}

func sequence(results []eval.Result) iter.Seq2[eval.Result, error] {
	return func(yield func(eval.Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func jsonMap(t *testing.T, data string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(data), &m); err != nil {
		t.Fatal(err)
	}
	return m
}
