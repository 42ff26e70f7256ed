package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestTerminalGolden(t *testing.T) {
	runs := map[string]eval.Run{"regressed": regressed(), "broken": broken()}
	for name, run := range runs {
		for _, s := range []Style{{Width: 80}, {Width: 140}, {Width: 100, Color: true}} {
			file := fmt.Sprintf("%s.%d.txt", name, s.Width)
			if s.Color {
				file = fmt.Sprintf("%s.%d.color.txt", name, s.Width)
			}
			t.Run(file, func(t *testing.T) {
				got := terminal(t, run, s)
				golden(t, file, got)
				checkPage(t, got, s.Width)
			})
		}
	}
}

// The verdict is understood from the first line alone.
func TestHeadlineSaysTheOutcome(t *testing.T) {
	with := func(change func(*eval.Run)) eval.Run {
		run := regressed()
		change(&run)
		return run
	}
	tests := []struct {
		name, want string
		run        eval.Run
	}{
		{"fail", "FAIL  triage on small regressed", regressed()},
		{"could not judge", "COULD NOT JUDGE  15 of 40", broken()},
		{"pass", "PASS  held: nothing lost", with(func(r *eval.Run) {
			r.Verdict.Word, r.Verdict.Exit, r.Verdict.Sentence = eval.Held, 0, "nothing lost"
		})},
		{"interrupted", "INTERRUPTED  ", with(func(r *eval.Run) { r.State = eval.Interrupted })},
		{"no verdict", "COULD NOT JUDGE  key refused", eval.Run{State: eval.Complete, Failure: &llm.Failure{Class: fault.Auth, Message: "key refused"}}},
		{"killed", "NOT FINISHED", eval.Run{State: eval.Running}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first, _, _ := strings.Cut(terminal(t, test.run, Style{Width: 120}), "\n")
			if !strings.HasPrefix(first, test.want) {
				t.Errorf("got %q, want a line that starts with %q", first, test.want)
			}
		})
	}
}

func TestHostileTextsCannotTouchTheTerminal(t *testing.T) {
	run := hostileRun()
	for _, s := range []Style{{Width: 80, Limit: -1}, {Width: 140, Limit: -1, Color: true}, {Width: 40, Limit: -1}} {
		page := terminal(t, run, s)
		checkPage(t, page, 0)
		if len(page) > 400_000 {
			t.Errorf("width %d: the page has %d bytes", s.Width, len(page))
		}
		for _, want := range []string{`\x1b[31m`, `\u202e`, `\x00`, `\u009b`, `good\rbad`, `\xff`, "שלום"} {
			if !strings.Contains(page, want) {
				t.Errorf("width %d: %s is not shown", s.Width, want)
			}
		}
	}
}

func TestHugeRunIsBounded(t *testing.T) {
	page := terminal(t, huge(), Style{})
	checkPage(t, page, 80)
	if n := strings.Count(page, "\n"); n > 1000 {
		t.Errorf("%d lines", n)
	}
	if want := "and 9,980 more: llmx runs show r7k2m9"; !strings.Contains(page, want) {
		t.Errorf("%q is not said", want)
	}
	if !strings.Contains(page, "Worse than the baseline: 10,000 cases") {
		t.Error("the whole number of flips is not said")
	}
}

func TestEmptyRun(t *testing.T) {
	page := terminal(t, eval.Run{ID: "r1", State: eval.Complete, Verdict: &eval.Verdict{Word: eval.NotGated, Exit: 4}}, Style{})
	if !strings.HasPrefix(page, "COULD NOT JUDGE  unjudged\n") || !strings.Contains(page, "0 planned = 0 judged + 0 errors + 0 unjudged") {
		t.Errorf("got:\n%s", page)
	}
}

func TestSumThatDoesNotAddUpIsSaid(t *testing.T) {
	run := regressed()
	run.Verdict.Judged = 69
	if page := terminal(t, run, Style{}); !strings.Contains(page, "70 planned is not 69 judged + 0 errors + 0 unjudged") {
		t.Errorf("got:\n%s", page)
	}
}

func TestNoiseIsATilde(t *testing.T) {
	for _, word := range []eval.Word{eval.Inconclusive, eval.Unchanged} {
		g := regressed().Verdict.Groups[1]
		g.Gates = []eval.GateResult{{Gate: eval.Gate{Metric: "accuracy", Kind: eval.GateMaxDrop}, Word: word, Pass: true}}
		if got := rowsOf(g)[0].change; got != "~" {
			t.Errorf("%s: change is %q", word, got)
		}
	}
	if got := rowsOf(regressed().Verdict.Groups[1])[0].change; got != "-17.5 pt" {
		t.Errorf("a regression's change is %q", got)
	}
}

func TestNextStepsFitTheSituation(t *testing.T) {
	passing := func(change func(*eval.Run)) eval.Run {
		run := regressed()
		run.Verdict.Groups = run.Verdict.Groups[:1]
		run.Verdict.Exit, run.Verdict.Word = 0, eval.Held
		change(&run)
		return run
	}
	tests := []struct {
		name string
		run  eval.Run
		want []string
	}{
		{"regressed", regressed(), []string{"llmx runs show r7k2m9", "llmx explain CALL", "llmx baseline accept r7k2m9"}},
		{"missing replies and errors", broken(), []string{"llmx test triage --model large --record", "llmx test triage --model large"}},
		{"held", passing(func(*eval.Run) {}), nil},
		{"no baseline", passing(func(r *eval.Run) { r.Verdict.Groups[0].HasBaseline = false }), []string{"llmx baseline accept r7k2m9"}},
		{"no baseline, filtered", passing(func(r *eval.Run) { r.Verdict.Groups[0].HasBaseline, r.Filtered = false, true }), nil},
		{"improved", passing(func(r *eval.Run) { r.Verdict.Groups[0].FlipsUp = 3 }), []string{"llmx baseline accept r7k2m9"}},
		{"interrupted", passing(func(r *eval.Run) { r.State = eval.Interrupted }), []string{"llmx test"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, s := range stepsFor(test.run) {
				got = append(got, s.command)
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"r7": "r7", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$(x)": "'$(x)'"} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWriteErrorIsReturned(t *testing.T) {
	if err := Terminal(brokenPipe{}, hostileRun(), Style{}); err == nil {
		t.Error("the write error is lost")
	}
}
