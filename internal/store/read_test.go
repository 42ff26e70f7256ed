package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// keysOf names results by what they are sorted by.
func keysOf(all []eval.Result) []string {
	keys := []string{}
	for _, r := range all {
		keys = append(keys, fmt.Sprintf("%s/%s/%s/%d %s", r.Suite, r.Model, r.Case, r.Repeat, r.Status))
	}
	return keys
}

func add(t testing.TB, s *Store, run string, rows ...eval.Result) {
	t.Helper()
	for _, r := range rows {
		r.Run = run
		if err := s.AddResult(r); err != nil {
			t.Fatal(err)
		}
	}
}

func row(suite, model, id string, repeat int, status eval.Status, answer string) eval.Result {
	return eval.Result{Suite: suite, Model: model, Case: id, Repeat: repeat, Status: status, Answer: answer, Digest: eval.DigestOf(answer)}
}

// Groups that differ in the prompt alone are read one after the other, and each alone.
func TestResultsAreToldApartByPrompt(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	by := func(version, id string, status eval.Status) eval.Result {
		r := row("a", "small", id, 0, status, "x")
		r.Prompt, r.Treatment = llm.PromptRef{Name: "p", Version: version, Hash: "h" + version}, "t"+version
		return r
	}
	add(t, s, run.ID, by("draft", "c1", eval.Pass), by("1.0.0", "c1", eval.Fail), by("draft", "c2", eval.Fail), by("1.0.0", "c2", eval.Fail))
	endRun(t, s, run)
	for prompt, want := range map[string][]string{
		"":        {"a/small/c1/0 fail", "a/small/c2/0 fail", "a/small/c1/0 pass", "a/small/c2/0 fail"},
		"p@draft": {"a/small/c1/0 pass", "a/small/c2/0 fail"},
		"p@1.0.0": {"a/small/c1/0 fail", "a/small/c2/0 fail"},
		"p@2.0.0": {},
	} {
		f := ResultFilter{Suite: "a", Model: "small", Prompt: prompt}
		if diff := cmp.Diff(want, keysOf(results(t, s, run.ID, f))); diff != "" {
			t.Errorf("%q: %s", prompt, diff)
		}
		if n, err := s.ResultCount(ctx, run.ID, f); err != nil || n != len(want) {
			t.Errorf("%q: counted %d, %v", prompt, n, err)
		}
	}
}

func TestResultsAreSortedAndFiltered(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	old := row("a", "small", "c2", 0, eval.Fail, "other treatment")
	old.Treatment = "old"
	add(t, s, run.ID,
		row("b", "small", "c1", 0, eval.Pass, "x"),
		row("a", "small", "c10", 0, eval.Error, "x"),
		row("a", "small", "c2", 1, eval.Fail, "x"),
		row("a", "large", "c2", 0, eval.Pass, "x"),
		row("a", "small", "c1", 0, eval.Pass, "x"),
		old,
	)
	endRun(t, s, run)
	other := beginRun(t, s, "other")
	add(t, s, other.ID, row("a", "small", "c1", 0, eval.Unjudged, ""))
	endRun(t, s, other)

	for _, test := range []struct {
		f    ResultFilter
		want []string
	}{
		{ResultFilter{}, []string{"a/large/c2/0 pass", "a/small/c1/0 pass", "a/small/c10/0 error", "a/small/c2/0 fail", "a/small/c2/1 fail", "b/small/c1/0 pass"}},
		{ResultFilter{Suite: "b"}, []string{"b/small/c1/0 pass"}},
		{ResultFilter{Model: "large"}, []string{"a/large/c2/0 pass"}},
		{ResultFilter{Status: eval.Fail}, []string{"a/small/c2/0 fail", "a/small/c2/1 fail"}},
		{ResultFilter{Suite: "a", Model: "small", Case: "c1"}, []string{"a/small/c1/0 pass"}},
		{ResultFilter{Case: "none"}, []string{}},
	} {
		if diff := cmp.Diff(test.want, keysOf(results(t, s, run.ID, test.f))); diff != "" {
			t.Errorf("%+v: %s", test.f, diff)
		}
		if n, err := s.ResultCount(ctx, run.ID, test.f); err != nil || n != len(test.want) {
			t.Errorf("%+v: counted %d, %v", test.f, n, err)
		}
	}
	for range s.Results(ctx, run.ID, ResultFilter{}) {
		break // leaves nothing behind: a second reader of the pool would hang at Close
	}
	for _, err := range s.Results(ctx, "nope", ResultFilter{}) {
		wantFault(t, err, fault.Usage, `no run "nope"`)
	}
}

// TestResultsShareNothing: equal scores are parsed once, and must not be one slice.
func TestResultsShareNothing(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	add(t, s, run.ID, sampleResult(run.ID, 1), sampleResult(run.ID, 2))
	endRun(t, s, run)
	n := 0
	for r, err := range s.Results(ctx, run.ID, ResultFilter{}) {
		if n++; err != nil || !r.Scores[0].Pass || r.Tags[0] != "billing" {
			t.Errorf("got %+v, %v", r, err)
		}
		r.Scores[0].Pass, r.Tags[0] = false, "changed"
	}
	if n != 2 {
		t.Errorf("%d results", n)
	}
}

func TestResumedRunKeepsAndReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	run := beginRun(t, s, "run")
	s.Record(sampleCall(run.ID, 1))
	add(t, s, run.ID, row("a", "m", "c1", 0, eval.Pass, "kept"), row("a", "m", "c2", 0, eval.Error, ""))
	if err := s.Close(); err != nil { // the process ends without EndRun
		t.Fatal(err)
	}

	s = openTest(t, path, Options{})
	run = beginRun(t, s, "run")
	s.Record(sampleCall(run.ID, 2))
	add(t, s, run.ID, row("a", "m", "c2", 0, eval.Fail, "asked again"), row("a", "n", "c1", 0, eval.Pass, "x"))
	endRun(t, s, run)
	want := []string{"a/m/c1/0 pass", "a/m/c2/0 fail", "a/n/c1/0 pass"}
	if diff := cmp.Diff(want, keysOf(results(t, s, "run", ResultFilter{}))); diff != "" {
		t.Error(diff)
	}
	if calls := listed(t, s, CallFilter{Run: "run"}); len(calls) != 2 {
		t.Errorf("%d calls", len(calls))
	}
	wantFault(t, s.BeginRun(ctx, run), fault.Usage, "run run is complete")
	add(t, s, "run", row("a", "m", "c3", 0, eval.Pass, "too late"))
	wantFault(t, s.Flush(ctx), fault.Internal, `run "run" was not begun`)
}

func TestFindRun(t *testing.T) {
	s := tempStore(t)
	_, err := s.Run(ctx, Latest)
	wantFault(t, err, fault.Usage, "no run is stored yet", "llmx test")
	_, err = s.Run(ctx, "x")
	wantFault(t, err, fault.Usage, "no run is stored yet")
	for i, id := range []string{"r-111", "r-112", "r-1", "q-200"} {
		run := eval.Run{ID: id, Started: testNow.Add(time.Duration(i) * time.Hour), State: eval.Running}
		if err := s.BeginRun(ctx, run); err != nil {
			t.Fatal(err)
		}
		if id == "r-112" {
			endRun(t, s, run)
		}
	}
	for _, test := range []struct{ id, want string }{
		{"r-111", "r-111"}, {"r-1", "r-1"}, {"q", "q-200"}, {Latest, "q-200"}, {LatestComplete, "r-112"},
	} {
		if run, err := s.Run(ctx, test.id); err != nil || run.ID != test.want {
			t.Errorf("%s: got %q, %v", test.id, run.ID, err)
		}
	}
	_, err = s.Run(ctx, "r-11")
	wantFault(t, err, fault.Usage, `more than one run begins with "r-11"`, "r-111", "r-112")
	_, err = s.Run(ctx, "q-201")
	wantFault(t, err, fault.Usage, `no run "q-201"`, `did you mean "q-200"?`)
	_, err = s.Run(ctx, "")
	wantFault(t, err, fault.Usage, `no run ""`)

	runs, err := s.Runs(ctx, 2)
	if err != nil || len(runs) != 2 || runs[0].ID != "q-200" || runs[1].ID != "r-1" {
		t.Errorf("got %v, %v", runs, err)
	}
}
