package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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
		{"nothing judged", "NOT JUDGED  unjudged: none of 36", with(func(r *eval.Run) {
			r.Verdict.Word, r.Verdict.Exit, r.Verdict.Sentence = eval.NotGated, 0, "unjudged: none of 36 results has a reply"
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

// A tilde says that a difference may be chance, and never hides it.
func TestNoiseIsATildeBesideTheFigure(t *testing.T) {
	tests := []struct {
		word      eval.Word
		kind      eval.GateKind
		from, now float64
		want      string
	}{
		{eval.Inconclusive, eval.GateMaxDrop, 0.917, 0.583, "~ -33.4 pt"},
		{eval.Inconclusive, eval.GateMaxDrop, 1, 0, "~ -100 pt"},
		{eval.Inconclusive, eval.GateMaxDrop, 0.9, 0.9, "same"},
		{eval.Unchanged, eval.GateMaxDrop, 0.9, 0.9, "same"},
		{eval.Unchanged, eval.GateMaxDrop, 0.9, 0.8, "-10.0 pt"},
		{eval.Regressed, eval.GateMaxDrop, 0.975, 0.8, "-17.5 pt"},
		{eval.Missed, eval.GateMin, 0.9, 0.8, "-10.0 pt"},
	}
	for _, test := range tests {
		g := eval.GroupVerdict{HasBaseline: true,
			Metrics: []eval.Metric{{Name: "accuracy", Unit: "share", Value: &test.now, Baseline: &test.from, Paired: &test.now}},
			Gates:   []eval.GateResult{{Gate: eval.Gate{Metric: "accuracy", Kind: test.kind}, Word: test.word}}}
		if got := rowsOf(g)[0].change; got != test.want {
			t.Errorf("%s, %v -> %v: change is %q, want %q", test.word, test.from, test.now, got, test.want)
		}
		run := eval.Run{ID: "r", State: eval.Complete, Verdict: &eval.Verdict{Word: test.word, Groups: []eval.GroupVerdict{g}}}
		if page := render(t, func(w *bytes.Buffer) error { return Markdown(w, run, 0) }); !strings.Contains(page, "| "+test.want+" |") {
			t.Errorf("%q is not in:\n%s", test.want, page)
		}
	}
}

// wide is a group with the longest of our own words in every column.
func wide(word eval.Word) eval.GroupVerdict {
	g := eval.GroupVerdict{HasBaseline: true, Word: word, Pass: word != eval.Regressed,
		Group: eval.Group{Suite: "triage", Model: "small", Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Planned: 36, Judged: 36, Cases: 36}, BaselineFrom: "triage@1.0.0 of 2026-11-22, as it was then"}
	for _, name := range []string{"accuracy", "schema_validity", "cost_per_case", "latency_p50", "latency_p95", "operational"} {
		unit, kind, limit := "share", eval.GateMaxDrop, 0.1
		from, now := 1.0, 0.583
		switch {
		case name == "cost_per_case":
			unit, kind, limit, from, now = "USD", eval.GateMaxRise, 1, 0.0000924, 0.0002887
		case strings.HasPrefix(name, "latency"):
			unit, kind, limit, from, now = "seconds", eval.GateMaxRise, 0.15, 1.24, 12.4
		}
		g.Metrics = append(g.Metrics, eval.Metric{Name: name, Unit: unit, Value: &now, Baseline: &from, Paired: &now, N: 36})
		g.Gates = append(g.Gates, eval.GateResult{Gate: eval.Gate{Metric: name, Kind: kind, Limit: limit}, Word: word, Pass: g.Pass,
			Value: &now, Baseline: &from, P: of(0.0078125), Adjusted: of(0.015625), N: 36, Down: 32, Up: 4, Note: "typical case × 1.073"})
	}
	return g
}

func page80(t *testing.T, g eval.GroupVerdict) string {
	t.Helper()
	run := eval.Run{ID: "r", State: eval.Complete, Verdict: &eval.Verdict{Word: g.Word, Exit: 1, Groups: []eval.GroupVerdict{g}, Planned: 36, Judged: 36}}
	page := terminal(t, run, Style{Width: 80})
	checkPage(t, page, 80)
	return page
}

func TestOurWordsAreWholeAt80Columns(t *testing.T) {
	for _, word := range []eval.Word{eval.Inconclusive, eval.Regressed, eval.Held, eval.Unchanged} {
		g := wide(word)
		page := page80(t, g)
		wants := []string{"max_drop 10.0 pt", "max_rise 100.0 %", string(word), "as it was then"}
		for _, m := range g.Metrics {
			wants = append(wants, m.Name+" ")
		}
		for _, want := range wants {
			if !strings.Contains(strings.Join(strings.Fields(page), " "), want) {
				t.Errorf("%s: %q is not whole", word, want)
			}
		}
		if strings.Contains(page, "…") {
			t.Errorf("%s: something is cut:\n%s", word, page)
		}
	}
	first := wide(eval.NotGated)
	first.HasBaseline = false
	if page := page80(t, first); !strings.Contains(page, "no baseline\n") || strings.Contains(page, "…") {
		t.Errorf("without a baseline:\n%s", page)
	}
}

// Gates that pass by what was found take no lines of their own for it.
func TestOnlyGatesThatDoNotSettleExplainThemselves(t *testing.T) {
	for word, lines := range map[eval.Word]int{eval.Held: 0, eval.Improved: 0, eval.Unchanged: 0, eval.Inconclusive: 6, eval.Regressed: 6} {
		page := page80(t, wide(word))
		if got := strings.Count(page, "32 worse, 4 better of 36 cases"); got != lines {
			t.Errorf("%s: figures stand %d times, want %d", word, got, lines)
		}
		if got := strings.Count(page, "typical case"); got != lines {
			t.Errorf("%s: notes stand %d times, want %d", word, got, lines)
		}
		run := eval.Run{State: eval.Complete, Verdict: &eval.Verdict{Groups: []eval.GroupVerdict{wide(word)}}}
		if page := terminal(t, run, Style{Width: 140}); strings.Count(page, "32 worse, 4 better") != 6 {
			t.Errorf("%s: at 140 columns the figures have room beside:\n%s", word, page)
		}
	}
}

func TestALatencyGateSaysOnceWhatItNeeds(t *testing.T) {
	g := eval.GroupVerdict{Group: eval.Group{Judged: 12, Planned: 12}, Metrics: []eval.Metric{{Name: "latency_p95", Unit: "seconds", Value: of(1.2), N: 12, Note: "of 12 calls; a gate needs 59"}}}
	if page := page80(t, g); !strings.Contains(page, "1.20 s") || !strings.Contains(page, "  of 12 calls; a gate needs 59\n") {
		t.Errorf("without a gate:\n%s", page)
	}
	for _, kind := range []eval.GateKind{eval.GateMax, eval.GateMaxRise} {
		g.Gates = append(g.Gates, eval.GateResult{Gate: eval.Gate{Metric: "latency_p95", Kind: kind, Limit: 3}, Word: eval.NotGated, Pass: true, Note: "needs 59 calls, there are 12"})
		if page := page80(t, g); strings.Count(page, "59") != 1 {
			t.Errorf("%s:\n%s", kind, page)
		}
	}
	// A gate that says nothing of it leaves the metric's note.
	g.Gates = g.Gates[1:]
	if page := page80(t, g); strings.Count(page, "59") != 1 || !strings.Contains(page, "no baseline") {
		t.Errorf("no baseline:\n%s", page)
	}
}

func TestNotesSayWhatTheFiguresSpeakOf(t *testing.T) {
	calls := []eval.Metric{{Name: "latency_p50", Unit: "seconds", N: 3}}
	tests := []struct {
		name, replies string
		change        func(*eval.GroupVerdict)
		want, never   string
	}{
		{"recorded", "auto", func(g *eval.GroupVerdict) {}, "replies recorded on 2026-11-12; no model was asked", "--record"},
		{"cached", "live", func(g *eval.GroupVerdict) { g.Draws = "cached" }, "the figures speak of answers from the cache, given on 2026-11-12; no model was asked", "recorded"},
		{"recorded and cached", "auto", func(g *eval.GroupVerdict) { g.Draws = "mixed" }, "recorded or cached on 2026-11-12; no model was asked", "--record"},
		{"recorded and live", "auto", func(g *eval.GroupVerdict) { g.Draws, g.Metrics = "mixed", calls }, "kept from before, given on 2026-11-12; others are of now", "no model was asked"},
		{"a step cached, another asked", "live", func(g *eval.GroupVerdict) { g.Draws, g.Metrics, g.Asked = "mixed", nil, 2 }, "others are of now", "no model was asked"},
		{"recorded and live, not kept", "auto", func(g *eval.GroupVerdict) { g.Draws, g.Metrics = "mixed", calls }, "asked live and not recorded: --record keeps them", ""},
		{"live, not kept", "auto", func(g *eval.GroupVerdict) { g.Draws = "live" }, "asked live and not recorded: --record keeps them", ""},
		{"live as asked", "live", func(g *eval.GroupVerdict) { g.Draws = "live" }, "", "--record"},
		{"simulated", "auto", func(g *eval.GroupVerdict) { g.Draws, g.Answered = "live", map[string]int{"sim/small": 3} }, "", "--record"},
		{"same", "auto", func(g *eval.GroupVerdict) {}, "nothing that decides an answer differs", ""},
		{"regressed", "auto", func(g *eval.GroupVerdict) { g.Word = eval.Regressed }, "", "nothing that decides"},
		{"not judged", "auto", func(g *eval.GroupVerdict) { g.Word = eval.NotGated }, "", "nothing that decides"},
		{"no result", "auto", func(g *eval.GroupVerdict) { g.Judged = 0 }, "", "nothing that decides"},
		{"rebased", "auto", func(g *eval.GroupVerdict) { g.Rebased = []string{"a"} }, "", "nothing that decides"},
		{"rescored", "auto", func(g *eval.GroupVerdict) { g.Rescored = 2 }, "", "nothing that decides"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := regressed().Verdict.Groups[0]
			test.change(&g)
			got := strings.Join(notesOf(g, test.replies), "\n")
			if !strings.Contains(got, test.want) || test.never != "" && strings.Contains(got, test.never) {
				t.Errorf("got %q, want %q and not %q", got, test.want, test.never)
			}
		})
	}
}

func TestFailedCasesAreSortedByTheBaseline(t *testing.T) {
	run := regressed()
	first := run.Verdict.Groups[1]
	first.Suite, first.HasBaseline, first.Flips, first.FlipsDown = "first", false, nil, 0
	first.Failed, first.FailedCases = []eval.Failed{{Case: "fresh", Passes: "0/1"}, {Case: "raw", Passes: "0/1"}}, 5
	run.Verdict.Groups = append(run.Verdict.Groups, first)
	page := terminal(t, run, Style{Width: 80})
	document := render(t, func(w *bytes.Buffer) error { return Markdown(w, run, 0) })
	for _, section := range []struct{ title, id string }{
		{"Failing, new to the baseline: 1 case", "voice-mail"}, {"Failing as in the baseline: 1 case", "spam"}, {"Failing: 2 cases", "fresh"},
	} {
		for kind, text := range map[string]string{"page": page, "document": document} {
			_, after, found := strings.Cut(text, section.title)
			if at := strings.Index(after, section.id); !found || at < 0 || strings.Contains(after[:at], "Failing") {
				t.Errorf("%s: %s is not under %q in:\n%s", kind, section.id, section.title, text)
			}
			if !strings.Contains(text, "3 more cases fail") {
				t.Errorf("%s: the cases that the verdict does not list are not counted", kind)
			}
		}
	}
}

func withErrors(run func(func(*eval.Run)) eval.Run, class fault.Class) eval.Run {
	return run(func(r *eval.Run) {
		r.Verdict.Errors = 1
		r.Verdict.Groups[0].ErrorClasses = []eval.ErrorClass{{Class: class, Count: 1}}
	})
}

func confirming(run func(func(*eval.Run)) eval.Run, why string) eval.Run {
	return run(func(r *eval.Run) {
		r.Verdict.Confirming = &eval.Beside{Planned: 9, Errors: 1}
		r.Verdict.Groups[0].Confirmed = &eval.Confirmed{Times: 3, Cases: 3, Missing: 1, MissingWhy: why}
	})
}

// against lets one result be missing of what a run is compared with.
func against(r *eval.Run, why string) {
	r.Verdict.Groups[0].Against = &eval.Comparison{Ref: "main", MissingErrors: 1, MissingWhy: why}
}

// A run that lay interrupted overnight has not taken the night.
func TestARunThatWentOnSaysSo(t *testing.T) {
	run := regressed()
	run.Selection.Resumed, run.Ended = 1, run.Started.Add(9*time.Hour)
	var page strings.Builder
	if err := Terminal(&page, run, Style{Width: 200}); err != nil {
		t.Fatal(err)
	}
	if text := page.String(); strings.Contains(text, "took") || !strings.Contains(text, ", done 9 h 00 min after it began, with a pause, run r7k2m9") {
		t.Errorf("%s", text)
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
		{"missing replies and errors", broken(), []string{"llmx test triage --model large --record", "llmx test --resume r8"}},
		{"missing replies under a limit", passing(func(r *eval.Run) { r.Command, r.Verdict.Unjudged = "llmx test --max-cost 0.01", 3 }), []string{"llmx test --max-cost 0.01 --dry-run"}},
		{"errors of a key", withErrors(passing, fault.Auth), nil},
		{"errors beside", passing(func(r *eval.Run) {
			r.Verdict.Beside = &eval.Beside{Planned: 9, Errors: 1}
			against(r, "server_error: x")
		}), []string{"llmx test --resume r7k2m9"}},
		{"errors beside that stay", passing(func(r *eval.Run) { r.Verdict.Beside = &eval.Beside{Planned: 9, Errors: 1}; against(r, "auth: x") }), nil},
		{"errors of what confirms", confirming(passing, "network: x"), []string{"llmx test --resume r7k2m9"}},
		{"errors of what confirms that stay", confirming(passing, "bad_request: x"), nil},
		{"errors of a drift", passing(func(r *eval.Run) {
			r.Command, r.Selection.Drift, r.Verdict.Errors = "llmx drift", true, 1
			r.Verdict.Groups[0].ErrorClasses = []eval.ErrorClass{{Class: fault.ServerError, Count: 1}}
		}), []string{"llmx drift"}},
		{"held", passing(func(*eval.Run) {}), nil},
		{"no baseline", passing(func(r *eval.Run) { r.Verdict.Groups[0].HasBaseline = false }), []string{"llmx baseline accept r7k2m9"}},
		{"nothing but a gate that needs a baseline", passing(func(r *eval.Run) {
			r.Verdict.Exit, r.Verdict.Word, r.Verdict.Groups[0].HasBaseline = 4, eval.NotGated, false
		}), []string{"llmx baseline accept r7k2m9"}},
		{"no baseline, filtered", passing(func(r *eval.Run) { r.Verdict.Groups[0].HasBaseline, r.Filtered = false, true }), nil},
		{"improved", passing(func(r *eval.Run) { r.Verdict.Groups[0].FlipsUp = 3 }), []string{"llmx baseline accept r7k2m9"}},
		{"interrupted", passing(func(r *eval.Run) { r.State = eval.Interrupted }), []string{"llmx test --resume r7k2m9"}},
		{"an interrupted drift", passing(func(r *eval.Run) { r.Command, r.State, r.Selection.Drift = "llmx drift", eval.Interrupted, true }), []string{"llmx drift"}},
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
		if got := ShellWord(in); got != want {
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
