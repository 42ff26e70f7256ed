package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
)

// What a run leaves open, and what is kept out of its gates, stands on every page.
func TestAdvisedGolden(t *testing.T) {
	golden(t, "advised.txt", terminal(t, advised(), Style{Width: 80}))
	golden(t, "advised.md", render(t, func(w *bytes.Buffer) error { return Markdown(w, advised(), 0) }))
	golden(t, "advised.json", render(t, func(w *bytes.Buffer) error { return JSON(w, advised()) }))
}

func TestTheCommandThatSettlesAGate(t *testing.T) {
	const again = "llmx test triage --model small --repeats 10 --record"
	tests := map[string]struct {
		change func(run *eval.Run, g *eval.GroupVerdict)
		want   string
	}{
		"here and in a baseline that can be asked again": {func(*eval.Run, *eval.GroupVerdict) {},
			"llmx test triage --prompt triage@1.2.0 --model small --repeats 10 --record; llmx baseline accept --suite triage && " + again},
		"in a baseline that cannot": {func(_ *eval.Run, g *eval.GroupVerdict) { g.BaselinePrompt = "" }, ""},
		"in a baseline of a draft, which a commit has": {func(run *eval.Run, g *eval.GroupVerdict) {
			g.BaselinePrompt, g.BaselineCommit = "", "1234567"
			run.Selection.Confirm = 5
		}, "llmx test triage --model small --against 1234567 --confirm 0 --repeats 10 --live"},
		"in a baseline of what is asked now": {func(_ *eval.Run, g *eval.GroupVerdict) { g.BaselinePrompt, g.SameTreatment = "", true },
			"llmx test triage --model small --repeats 10 --live; llmx baseline accept --suite triage && llmx test triage --model small --repeats 10 --live --fresh"},
		"here alone": {func(_ *eval.Run, g *eval.GroupVerdict) { g.Gates[0].Settle.Both = false }, again},
		"as the run was": {func(run *eval.Run, g *eval.GroupVerdict) {
			g.Gates[0].Settle.Both = false
			run.Replies = "live"
			run.Selection = eval.Selection{Prompt: "triage@1.3.0", Filter: "^a b", Tags: []string{"x", "y"}, Sample: 10}
		}, "llmx test triage --prompt triage@1.3.0 --filter '^a b' --tag x,y --sample 10 --repeats 10 --live"},
		"against a commit, which has the repeats too": {func(run *eval.Run, g *eval.GroupVerdict) {
			g.Against, g.BaselinePrompt = &eval.Comparison{Ref: "main (1234567)"}, ""
			run.Replies = "live"
			run.Selection = eval.Selection{Against: "main", Confirm: 5}
		}, "llmx test triage --against main --repeats 10 --live"},
		"against a release, unconfirmed": {func(run *eval.Run, g *eval.GroupVerdict) {
			g.Against = &eval.Comparison{Ref: "main (1234567)"}
			run.Replies = "live"
			run.Selection = eval.Selection{Against: "main"}
		}, "llmx test triage --against main --confirm 0 --repeats 10 --live"},
		"more cases alone": {func(_ *eval.Run, g *eval.GroupVerdict) { g.Gates[0].Settle.Repeats = nil }, ""},
	}
	for name, test := range tests {
		run := advised()
		test.change(&run, &run.Verdict.Groups[0])
		told := settling(run)
		if got := commandOf(told.Verdict.Groups[0].Gates[0]); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if page := terminal(t, run, Style{Width: 80}); test.want != "" && !strings.Contains(page, "\n    "+test.want+"\n") {
			t.Errorf("%s: the command is not in one piece:\n%s", name, page)
		}
		if commandOf(run.Verdict.Groups[0].Gates[0]) != "" {
			t.Errorf("%s: the caller's verdict was changed", name)
		}
	}
}

func TestACostIsToldApartOnlyWhereItChanged(t *testing.T) {
	for _, test := range []struct {
		change *eval.CostChange
		want   string
	}{
		{nil, ""},
		{&eval.CostChange{Before: 1, After: 1}, ""},
		{&eval.CostChange{Before: 0, After: 1, Tokens: 1}, ""},
		{&eval.CostChange{Before: 2, After: 3, Tokens: 1.5, Price: -0.5}, "cost of a case +50.0 %: tokens +75.0 %, prices -25.0 %, who answered 0 %"},
		{&eval.CostChange{Before: 2, After: 2, Tokens: 0.5, Routing: -0.5}, "cost of a case 0 %: tokens +25.0 %, prices 0 %, who answered -25.0 %"},
	} {
		if got := costNote(test.change); got != test.want {
			t.Errorf("%+v: %q, want %q", test.change, got, test.want)
		}
	}
}
