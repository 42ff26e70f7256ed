package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// goldenPage renders, checks what holds for every page, and compares with a file.
func goldenPage(t *testing.T, file string, write func(w *bytes.Buffer) error) {
	t.Helper()
	got := render(t, write)
	checkPage(t, got, 0)
	golden(t, file, got)
}

func TestRunListGolden(t *testing.T) {
	killed := eval.Run{ID: "r9", Started: now.Add(-30 * time.Second), State: eval.Running, Groups: []eval.Group{{Suite: "triage", Planned: 12_000}}}
	s := Style{Now: now}
	runs := []eval.Run{killed, broken(), regressed()}
	goldenPage(t, "runs.txt", func(w *bytes.Buffer) error { return RunList(w, runs, s) })
	many := regressed()
	many.ID, many.Started = "20261109-102244-d255", now.Add(-73*time.Hour)
	for _, suite := range []string{"invoice", "word-problem", "yet-another-suite"} {
		many.Groups = append(many.Groups, eval.Group{Suite: suite, Planned: 36, Judged: 36, Prompt: llm.PromptRef{Name: suite, Version: "draft"}})
	}
	runs = append(runs, many)
	for _, columns := range []int{80, 120} {
		file := fmt.Sprintf("runs.%d.txt", columns)
		goldenPage(t, file, func(w *bytes.Buffer) error { return RunList(w, runs, Style{Now: now, Width: columns}) })
	}
	page := render(t, func(w *bytes.Buffer) error { return RunList(w, runs, s) })
	checkPage(t, page, 80)
	if strings.Contains(page, "…") || !strings.Contains(page, "math +4") {
		t.Errorf("suites are cut:\n%s", page)
	}
	goldenPage(t, "runs.none.txt", func(w *bytes.Buffer) error { return RunList(w, nil, s) })
}

func TestRunShowGolden(t *testing.T) {
	s := Style{Now: now}
	goldenPage(t, "show.txt", func(w *bytes.Buffer) error { return RunShow(w, regressed(), sequence(someResults()), s) })
	goldenPage(t, "show.none.txt", func(w *bytes.Buffer) error {
		return RunShow(w, eval.Run{ID: "r9", Started: noon, State: eval.Running}, sequence(nil), s)
	})
}

func TestRunShowIsBoundedAndFailingFirst(t *testing.T) {
	var results []eval.Result
	for i := range 5000 {
		status := eval.Pass
		if i > 4990 {
			status = eval.Fail
		}
		results = append(results, eval.Result{Suite: "s", Model: "m", Case: fmt.Sprintf("case-%04d", i), Status: status, Answer: strings.Repeat("x", 1000)})
	}
	page := render(t, func(w *bytes.Buffer) error { return RunShow(w, regressed(), sequence(results), Style{Limit: 12}) })
	_, table, _ := strings.Cut(page, "RESULT  CASE")
	rows := strings.Split(strings.TrimSpace(table), "\n")[1:]
	if len(rows) != 13 || !strings.Contains(rows[0], "fail    case-4991") || !strings.Contains(rows[9], "pass    case-0000") {
		t.Errorf("got:\n%s", table)
	}
	if !strings.Contains(rows[12], "and 4,988 more: llmx runs show r7k2m9 --limit 5000") {
		t.Errorf("the last line is %q", rows[12])
	}
}

// twoRuns are the results of two runs that differ in every way.
func twoRuns() (a, b []eval.Result) {
	r := func(id string, repeat int, status eval.Status, answer string) eval.Result {
		return eval.Result{Suite: "triage", Model: "small", Case: id, Repeat: repeat, Status: status, Answer: answer, Digest: eval.DigestOf(answer), InputHash: "i" + id}
	}
	a = []eval.Result{r("a", 0, eval.Pass, "same"), r("b", 0, eval.Pass, `{"x":1,"y":2}`), r("b", 1, eval.Pass, "yes"), r("c", 0, eval.Fail, "no"),
		r("d", 0, eval.Pass, "the quick brown fox"), r("e", 0, eval.Pass, "gone"), r("g", 0, eval.Error, ""), r("h", 0, eval.Pass, "old input")}
	b = []eval.Result{r("a", 0, eval.Pass, "same"), r("b", 0, eval.Fail, `{"y":3,"x":1}`), r("b", 1, eval.Pass, "yes"), r("c", 0, eval.Pass, "yes"),
		r("d", 0, eval.Pass, "the quick red fox"), r("f", 0, eval.Pass, "new"), r("g", 0, eval.Pass, "ok"), r("h", 0, eval.Pass, "new input"), r("i", 0, eval.Pass, "new")}
	b[1].Scores = []eval.Score{{Check: "golden", Reason: "y is 3, not 2"}}
	b[7].InputHash = "other"
	return a, b
}

func TestDiffRunsGolden(t *testing.T) {
	a, b := twoRuns()
	old := regressed()
	old.ID = "r6"
	s := Style{Now: now}
	goldenPage(t, "diff.txt", func(w *bytes.Buffer) error { return DiffRuns(w, old, regressed(), sequence(a), sequence(b), s) })
}

func TestDiffCounts(t *testing.T) {
	a, b := twoRuns()
	d := runDiff{most: 1}
	if err := d.merge(sequence(a), sequence(b)); err != nil {
		t.Fatal(err)
	}
	got := []int{d.same, d.worse.all, d.better.all, d.changed.all, d.asked, d.unsettled, d.onlyA, d.onlyB}
	if want := []int{2, 1, 1, 1, 1, 1, 1, 2}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDiffOfTheSameRun(t *testing.T) {
	a, _ := twoRuns()
	page := render(t, func(w *bytes.Buffer) error {
		return DiffRuns(w, regressed(), regressed(), sequence(a[:6]), sequence(a[:6]), Style{})
	})
	if !strings.HasPrefix(page, "SAME  every answer is the same") {
		t.Errorf("got:\n%s", page)
	}
}

func TestDiffOfRunsWithNothingInCommonIsNotTheSame(t *testing.T) {
	a, b := twoRuns()
	for _, other := range [][]eval.Result{nil, b[8:], b[7:8], b[6:7]} { // none, another case, another input, an error before
		page := render(t, func(w *bytes.Buffer) error {
			return DiffRuns(w, eval.Run{ID: "a"}, eval.Run{ID: "b"}, sequence(a[6:]), sequence(other), Style{})
		})
		if !strings.HasPrefix(page, "NOTHING TO COMPARE") {
			t.Errorf("got:\n%s", page)
		}
	}
}

func TestDiffRefusesUnsortedResults(t *testing.T) {
	a, b := twoRuns()
	unsorted := []eval.Result{a[1], a[0]}
	for i, err := range []error{
		DiffRuns(&bytes.Buffer{}, eval.Run{}, eval.Run{}, sequence(unsorted), sequence(b), Style{}),
		DiffRuns(&bytes.Buffer{}, eval.Run{}, eval.Run{}, sequence(b), sequence(unsorted), Style{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "not sorted") {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

func TestDiffOfLongRunsIsBounded(t *testing.T) {
	var a, b []eval.Result
	for i := range 20_000 {
		r := eval.Result{Suite: "s", Model: "m", Case: fmt.Sprintf("case-%05d", i), Status: eval.Pass, Answer: "old", Digest: "1"}
		a = append(a, r)
		r.Status, r.Answer, r.Digest = eval.Fail, "new", "2"
		b = append(b, r)
	}
	page := render(t, func(w *bytes.Buffer) error {
		return DiffRuns(w, eval.Run{ID: "a"}, eval.Run{ID: "b"}, sequence(a), sequence(b), Style{})
	})
	if !strings.Contains(page, "and 19,980 more") || strings.Count(page, "\n") > 150 {
		t.Errorf("%d lines", strings.Count(page, "\n"))
	}
}

func aCall() *llm.Call {
	return &llm.Call{
		ID: "c2", Started: noon, Prompt: llm.PromptRef{Name: "triage", Version: "draft", Hash: "9f2c41d0"}, Vars: json.RawMessage(`{"ticket":"charged twice"}`),
		Model: "default", Answered: "gpt-4o", Origin: llm.Origin{Run: "r7", Suite: "triage", Case: "refund"}, Finish: llm.FinishStop, Answer: `{"label":"bug"}`,
		Queue: 10 * time.Millisecond, Service: 1240 * time.Millisecond, FirstToken: 200 * time.Millisecond, Total: 1900 * time.Millisecond,
		Turns: []llm.Turn{
			{Kind: "ask", Options: llm.Options{"temperature": json.RawMessage("0"), "max_tokens": json.RawMessage("200")}, Output: llm.Output{Kind: llm.OutputJSON},
				Messages: []llm.Message{llm.Text(llm.System, "You label support tickets.\nBe brief."), {Role: llm.User, Parts: []llm.Part{
					{Kind: llm.PartText, Text: "charged twice \x1b[2J"}, {Kind: llm.PartImage, Media: &llm.Media{Type: "image/png", Name: "bill.png", Data: make([]byte, 2048)}}}}},
				Attempts: []llm.Attempt{
					{Provider: "openai", Model: "small", Wire: "gpt-4o-mini", Service: 40 * time.Millisecond, Failure: &llm.Failure{Class: fault.RateLimited, Status: 429, Message: "slow down"}, Cost: llm.KnownCost(0)},
					{Provider: "openai", Model: "large", Wire: "gpt-4o", Service: 1200 * time.Millisecond, ResponseID: "resp-1", Usage: llm.Usage{Input: 1200, Output: 30, CachedInput: 1000}, Cost: llm.KnownCost(3_300_000), Paid: llm.KnownCost(3_300_000), Finish: llm.FinishStop},
				},
				Answer: "Sure: bug", Violation: "the answer is not JSON"},
			{Kind: "re-ask", Messages: []llm.Message{llm.Text(llm.User, "Only JSON, please.")}, Answer: `{"label":"bug"}`,
				Repairs:  []llm.Repair{{Name: "quotes", Weight: 0.1, Line: 1, Col: 2, Times: 4}, {Name: "trailing_comma", Weight: 0.05, Line: 2, Col: 17, Times: 1}},
				Attempts: []llm.Attempt{{Provider: "openai", Wire: "gpt-4o", Stored: &llm.Stored{By: "recording"}, Cost: llm.KnownCost(1000)}}},
		},
	}
}

func TestExplainGolden(t *testing.T) {
	s := Style{Now: now}
	result := &eval.Result{Status: eval.Fail, Scores: []eval.Score{{Check: "schema", Pass: true, Value: 1}, {Check: "golden", Reason: `label is "bug", not "billing"`},
		{Check: "max_cost", Metric: "frugal", Value: 1, Pass: true, Operational: true}}}
	goldenPage(t, "explain.txt", func(w *bytes.Buffer) error { return Explain(w, aCall(), result, s) })

	failed := aCall()
	failed.Turns, failed.Answer, failed.Finish = failed.Turns[:1], "", ""
	failed.Failure = &llm.Failure{Class: fault.TimeoutTotal, Message: "no answer within 60 s"}
	goldenPage(t, "explain.failed.txt", func(w *bytes.Buffer) error { return Explain(w, failed, nil, s) })

	stored := aCall()
	stored.Turns = nil
	stored.Stored = &llm.Stored{By: "recording", At: noon, Origin: "written"}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, stored, nil, s) })
	if !strings.Contains(page, "a recording of 2026-11-12, origin: written") || !strings.Contains(page, "nothing was asked") {
		t.Errorf("got:\n%s", page)
	}
	if err := Explain(&bytes.Buffer{}, nil, nil, s); fault.ClassOf(err) != fault.Internal {
		t.Errorf("no call: got %v", err)
	}
}

func TestExplainSaysWhenAStoredAnswerWasGiven(t *testing.T) {
	call := aCall()
	call.Stored = &llm.Stored{By: "recording", At: noon, Service: 33 * time.Millisecond}
	call.Turns = call.Turns[1:]
	call.Turns[0].Attempts[0].Stored, call.Turns[0].Attempts[0].Cost = call.Stored, llm.Cost{}
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, Style{}) })
	for _, want := range []string{"time      from a recording of 2026-11-12 (33 ms then)\n", "attempt 1: from a recording of 2026-11-12 (33 ms then)", "cost      price unknown\n", "0 out  price unknown"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in:\n%s", want, page)
		}
	}
	if strings.Contains(page, "served") {
		t.Errorf("nothing was served now:\n%s", page)
	}
}

func TestExplainTellsEmptyFromNotStored(t *testing.T) {
	const lost = "not stored (store.content in llmx.yaml)"
	bare := func() *llm.Call {
		call := aCall()
		call.Vars, call.Answer = nil, ""
		for i := range call.Turns {
			call.Turns[i].Messages, call.Turns[i].Answer = nil, ""
		}
		return call
	}
	empty := aCall()
	empty.Answer = ""
	failed := bare()
	failed.Failure = &llm.Failure{Class: fault.TimeoutTotal, Message: "no answer within 60 s"}
	kept := &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("yes"), Answer: "yes, kept"}
	tests := []struct {
		name   string
		call   *llm.Call
		result *eval.Result
		times  int // inputs, two turns, the answer
		want   string
	}{
		{"left out", bare(), &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("yes")}, 4, "inputs    " + lost},
		{"left out, no result", bare(), nil, 4, "messages: " + lost},
		{"in the result alone", bare(), kept, 3, "  yes, kept\n"},
		{"empty, content left out", bare(), &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("")}, 3, "(empty answer)"},
		{"failed, content left out", failed, nil, 3, "(empty answer)"},
		{"empty", empty, &eval.Result{Status: eval.Pass, Digest: eval.DigestOf("")}, 0, "(empty answer)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := render(t, func(w *bytes.Buffer) error { return Explain(w, test.call, test.result, Style{}) })
			if strings.Count(page, lost) != test.times || !strings.Contains(page, test.want) {
				t.Errorf("want %d times %q, and %q, in:\n%s", test.times, lost, test.want, page)
			}
		})
	}
}

func TestDiffTellsEmptyFromNotStored(t *testing.T) {
	a, b := twoRuns()
	for _, results := range [][]eval.Result{a, b} {
		for i := range results {
			results[i].Answer = ""
		}
	}
	page := render(t, func(w *bytes.Buffer) error {
		return DiffRuns(w, eval.Run{ID: "a"}, eval.Run{ID: "b"}, sequence(a), sequence(b), Style{})
	})
	if strings.Count(page, "answers: not stored (store.content in llmx.yaml)") != 3 || strings.Contains(page, "the answer is the same") {
		t.Errorf("got:\n%s", page)
	}
}

func TestExplainIsBounded(t *testing.T) {
	call := aCall()
	for range 500 {
		call.Turns[0].Messages = append(call.Turns[0].Messages, llm.Text(llm.User, hostile["long"]))
	}
	call.Vars = json.RawMessage(`"` + hostile["oneword"] + `"`)
	call.Answer = hostile["oneword"]
	page := render(t, func(w *bytes.Buffer) error { return Explain(w, call, nil, Style{}) })
	if len(page) > 60_000 || !strings.Contains(page, "490 messages left out") {
		t.Errorf("%d bytes", len(page))
	}
}

func TestPromptDiffGolden(t *testing.T) {
	a := "---\nname: triage\nmodel: {id: small}\n---\nsystem:\nYou label tickets.\nBe kind.\nuser:\n{{ ticket }}\n"
	b := strings.Replace(a, "Be kind.\n", "Be brief.\n\tNever guess.\n", 1)
	goldenPage(t, "prompt.diff.txt", func(w *bytes.Buffer) error {
		return PromptDiff(w, "triage@1.2.0", "triage@draft", []byte(a), []byte(b), Style{})
	})
	for want, other := range map[string]string{"are the same": a, "only the newline": strings.TrimSuffix(a, "\n")} {
		page := render(t, func(w *bytes.Buffer) error { return PromptDiff(w, "x", "y", []byte(a), []byte(other), Style{}) })
		if !strings.Contains(page, want) {
			t.Errorf("%q is not said in:\n%s", want, page)
		}
	}
}

func TestProblemsGolden(t *testing.T) {
	list := fault.List{
		fault.At(fault.Place{File: "suites/triage.yaml", Line: 3, Col: 5}, "unknown key %q", "expct").WithHint("did you mean %q? allowed: expect, golden", "expect"),
		fault.New(fault.Auth, "the key was refused (401)\x1b[2J").WithHint("set OPENAI_API_KEY\nor use --replay"),
		fault.As(errors.New("index out of range")),
	}
	goldenPage(t, "problems.txt", func(w *bytes.Buffer) error { return Problems(w, list, Style{}) })
	goldenPage(t, "warnings.txt", func(w *bytes.Buffer) error { return Warnings(w, []string{"one", "two\nlines"}, Style{}) })
	if page := render(t, func(w *bytes.Buffer) error { return Problems(w, nil, Style{}) }); page != "" {
		t.Errorf("no error: got %q", page)
	}
	wrapped := fmt.Errorf("while testing: %w", list)
	if page := render(t, func(w *bytes.Buffer) error { return Problems(w, wrapped, Style{}) }); strings.Count(page, "error: ") != 3 {
		t.Errorf("a wrapped list gives:\n%s", page)
	}
}

type writes struct{ list []string }

func (w *writes) Write(data []byte) (int, error) {
	w.list = append(w.list, string(data))
	return len(data), nil
}

func TestProgress(t *testing.T) {
	var w writes
	p := NewProgress(&w, Style{Width: 80})
	for _, err := range []error{
		p.Clear(),
		p.Update(4200, 10_000, 0, llm.KnownCost(12_300_000), 2*time.Second),
		p.Update(10, 10_000, 2, llm.Cost{}, time.Minute),
		p.Update(0, 0, 0, llm.KnownCost(0), 0),
		p.Clear(),
		p.Clear(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"\r\x1b[K 42 %  4,200 of 10,000  2,100/s  ETA 3 s  spent $0.0123",
		"\r\x1b[K  0 %  10 of 10,000  2 errors  10.0/min  ETA 16 h 39 min  spent unknown",
		"\r\x1b[K0 cases  spent $0.00",
		"\r\x1b[K",
	}
	if strings.Join(w.list, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", w.list, want)
	}
	var none *Progress
	if none.Update(1, 2, 0, llm.Cost{}, 0) != nil || none.Clear() != nil {
		t.Error("a nil progress draws")
	}
	narrow := NewProgress(&w, Style{Width: 40})
	narrow.Update(1, 1_000_000_000, 123_456, llm.KnownCost(1), time.Hour)
	if got := strings.TrimPrefix(w.list[len(w.list)-1], toStart); width(got) > 39 {
		t.Errorf("%q is wider than the terminal", got)
	}
}

func BenchmarkDiffRuns(b *testing.B) {
	results := make([]eval.Result, 100_000)
	for i := range results {
		results[i] = eval.Result{Suite: "s", Model: "m", Case: fmt.Sprintf("case-%06d", i), Status: eval.Pass, Digest: "d", Answer: "yes"}
	}
	for b.Loop() {
		if err := DiffRuns(&bytes.Buffer{}, eval.Run{}, eval.Run{}, sequence(results), sequence(results), Style{}); err != nil {
			b.Fatal(err)
		}
	}
}
