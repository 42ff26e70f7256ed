package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestWhatChecksAskIsToldApart(t *testing.T) {
	run := regressed()
	run.Verdict.Eval = eval.Eval{Calls: 1200, Asked: 3, Cost: llm.KnownCost(2 * llm.USD), Paid: llm.Cost{}}
	run.Verdict.Groups[0].Eval = run.Verdict.Eval
	for format, page := range map[string]string{
		"terminal": terminal(t, run, Style{Width: 200}),
		"markdown": render(t, func(w *bytes.Buffer) error { return Markdown(w, run, 0) }),
	} {
		if !strings.Contains(page, "; for 1,200 questions of checks cost $2.00 at list price, paid unknown") {
			t.Errorf("%s does not say what checks asked:\n%s", format, page)
		}
	}
	if page := terminal(t, run, Style{Width: 200}); !strings.Contains(page, "no model was asked but by checks, 3 times") {
		t.Errorf("it says that nobody was asked:\n%s", page)
	}
	if strings.Contains(terminal(t, regressed(), Style{Width: 200}), "of checks") {
		t.Error("checks that ask nobody are told")
	}
}
