package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestJSONGolden(t *testing.T) {
	for name, run := range map[string]eval.Run{"regressed": regressed(), "broken": broken()} {
		got := render(t, func(w *bytes.Buffer) error { return JSON(w, run) })
		golden(t, name+".json", got)
		jsonMap(t, got)
	}
}

func TestJSONListsAreNeverNull(t *testing.T) {
	for _, run := range []eval.Run{{}, {Verdict: &eval.Verdict{Groups: []eval.GroupVerdict{{}}}}, {Groups: []eval.Group{{Suite: "a"}}}} {
		m := jsonMap(t, render(t, func(w *bytes.Buffer) error { return JSON(w, run) }))
		for _, key := range []string{"groups", "flips", "failed", "warnings"} {
			if _, ok := m[key].([]any); !ok {
				t.Errorf("%s is %v", key, m[key])
			}
		}
		for _, group := range m["groups"].([]any) {
			for _, key := range []string{"metrics", "gates", "gone", "rebased", "error_classes", "warnings"} {
				if _, ok := group.(map[string]any)[key].([]any); !ok {
					t.Errorf("group: %s is %v", key, group.(map[string]any)[key])
				}
			}
		}
	}
}

// What a terminal would obey is escaped, and still the same text for a parser.
func TestJSONOfHostileAnswers(t *testing.T) {
	run := regressed()
	flips := &run.Verdict.Groups[1].Flips
	*flips = nil
	for _, key := range sortedKeys(hostile) {
		*flips = append(*flips, eval.Flip{Case: key, New: hostile[key]})
	}
	got := render(t, func(w *bytes.Buffer) error { return JSON(w, run) })
	for _, r := range got {
		if r != '\n' && isUnsafe(r) {
			t.Fatalf("the document holds %U", r)
		}
	}
	var d struct {
		Flips []struct {
			Case string `json:"case"`
			New  string `json:"new_answer"`
		} `json:"flips"`
	}
	if err := json.Unmarshal([]byte(got), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Flips) != len(hostile) {
		t.Fatalf("%d flips", len(d.Flips))
	}
	for i, key := range sortedKeys(hostile) {
		if want := strings.ToValidUTF8(hostile[key], "\ufffd"); key != "utf8" && d.Flips[i].New != want {
			t.Errorf("%s: the answer came back as %.80q", key, d.Flips[i].New)
		}
	}
}

// parsed is JUnit as a CI server reads it.
type parsed struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string  `xml:"name,attr"`
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Errors   int     `xml:"errors,attr"`
		Skipped  int     `xml:"skipped,attr"`
		Time     float64 `xml:"time,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Time    float64   `xml:"time,attr"`
			Failure *parsedAt `xml:"failure"`
			Error   *parsedAt `xml:"error"`
			Skipped *parsedAt `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type parsedAt struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Body    string `xml:",chardata"`
}

func parseJUnit(t *testing.T, document string) parsed {
	t.Helper()
	var p parsed
	decoder := xml.NewDecoder(strings.NewReader(document))
	if err := decoder.Decode(&p); err != nil {
		t.Fatalf("%v in:\n%.2000s", err, document)
	}
	failures, errs, tests := 0, 0, 0
	for _, s := range p.Suites {
		f, e, k := 0, 0, 0
		sum := 0.0
		for _, c := range s.Cases {
			sum += c.Time
			if c.Failure != nil {
				f++
			}
			if c.Error != nil {
				e++
			}
			if c.Skipped != nil {
				k++
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != f || s.Errors != e || s.Skipped != k {
			t.Errorf("suite %s says %d/%d/%d/%d, and holds %d/%d/%d/%d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), f, e, k)
		}
		if diff := sum - s.Time; diff > 0.01 || diff < -0.01 {
			t.Errorf("suite %s says %.3f s, its cases %.3f s", s.Name, s.Time, sum)
		}
		tests, failures, errs = tests+s.Tests, failures+f, errs+e
	}
	if p.Tests != tests || p.Failures != failures || p.Errors != errs {
		t.Errorf("the document says %d/%d/%d, and holds %d/%d/%d", p.Tests, p.Failures, p.Errors, tests, failures, errs)
	}
	return p
}

func someResults() []eval.Result {
	failure := &llm.Failure{Class: fault.RateLimited, Status: 429, Message: "too many requests"}
	return []eval.Result{
		{Suite: "math", Model: "small", Case: "a", Status: eval.Pass, Service: 1500 * time.Millisecond, CallID: "c1", Cost: llm.KnownCost(1000)},
		{Suite: "math", Model: "small", Case: "a", Repeat: 1, Status: eval.Fail, Service: 500 * time.Millisecond, CallID: "c2", Answer: "5",
			Scores: []eval.Score{{Check: "golden", Reason: "5 is not 4"}, {Check: "max_cost", Operational: true, Pass: true}}, Cost: llm.KnownCost(2000)},
		{Suite: "triage", Model: "large", Case: "x", Status: eval.Error, Failure: failure, CallID: "c3"},
		{Suite: "triage", Model: "large", Case: "y", Status: eval.Unjudged, Failure: &llm.Failure{Class: fault.Missing, Message: "no recording"}},
		{Suite: "triage", Model: "small", Case: "x", Status: eval.Pass, Service: time.Hour, StoredBy: "recording", CallID: "c4"},
	}
}

func TestJUnitGolden(t *testing.T) {
	got := render(t, func(w *bytes.Buffer) error { return JUnit(w, regressed(), sequence(someResults())) })
	golden(t, "results.junit.xml", got)
	p := parseJUnit(t, got)
	if p.Tests != 11 || p.Failures != 2 || p.Errors != 1 {
		t.Errorf("got %d tests, %d failures, %d errors", p.Tests, p.Failures, p.Errors)
	}
	last := p.Suites[len(p.Suites)-1]
	if last.Name != "gates" || last.Tests != 6 || last.Failures != 2 || last.Skipped != 1 {
		t.Errorf("gates: %+v", last)
	}
}

// A run that passes has no failures, whatever its cases do.
func TestJUnitFailsOnlyWhereTheVerdictDoes(t *testing.T) {
	run := regressed()
	results := someResults()[1:2] // a fail of math on small, whose gates hold
	results = append(results, results[0])
	results[1].Suite = "triage"
	write := func() parsed {
		return parseJUnit(t, render(t, func(w *bytes.Buffer) error { return JUnit(w, run, sequence(results)) }))
	}
	p := write()
	held, lost := p.Suites[0].Cases[0], p.Suites[1].Cases[0]
	if held.Failure != nil || held.Skipped == nil || held.Skipped.Message != "fails, within the gates: golden: 5 is not 4" || p.Suites[0].Skipped != 1 {
		t.Errorf("within the gates: %+v", held)
	}
	if lost.Failure == nil || lost.Failure.Message != "golden: 5 is not 4" {
		t.Errorf("outside of them: %+v", lost)
	}
	run.Verdict.Exit, run.Verdict.Groups[1].Pass, run.Verdict.Groups[1].Gates = fault.ExitOK, true, nil
	if p := write(); p.Failures != 0 {
		t.Errorf("exit 0 with %d failures", p.Failures)
	}
	run.Verdict = nil
	if p := write(); p.Failures != 2 {
		t.Errorf("without a verdict: %d failures", p.Failures)
	}
}

func TestJUnitOfHostileAnswers(t *testing.T) {
	var results []eval.Result
	for _, key := range sortedKeys(hostile) {
		text := hostile[key]
		results = append(results, eval.Result{Suite: "s", Model: "m", Case: key + text, Status: eval.Fail, Answer: text, CallID: text,
			Scores: []eval.Score{{Check: text, Reason: text}}, Failure: &llm.Failure{Class: fault.Class(text), Message: text}})
	}
	var b bytes.Buffer
	if err := JUnit(&b, hostileRun(), sequence(results)); err != nil {
		t.Fatal(err)
	}
	p := parseJUnit(t, b.String())
	for i, key := range sortedKeys(hostile) {
		if key == "cdata" && !strings.Contains(p.Suites[0].Cases[i].Failure.Body, hostile[key]) {
			t.Errorf("the answer came back as %q", p.Suites[0].Cases[i].Failure.Body)
		}
	}
}

func TestJUnitRefusesResultsItCannotCount(t *testing.T) {
	boom := errors.New("the store is gone")
	once := func() iter.Seq2[eval.Result, error] {
		used := false
		return func(yield func(eval.Result, error) bool) {
			if used {
				return
			}
			used = true
			sequence(someResults())(yield)
		}
	}
	unsorted := someResults()
	unsorted[1], unsorted[4] = unsorted[4], unsorted[1]
	tests := map[string]struct {
		results iter.Seq2[eval.Result, error]
		want    string
	}{
		"read once": {once(), "differ between two readings"},
		"unsorted":  {sequence(unsorted), "not sorted by suite, model and prompt"},
		"error":     {func(yield func(eval.Result, error) bool) { yield(eval.Result{}, boom) }, boom.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := JUnit(&bytes.Buffer{}, regressed(), test.results)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestJUnitOfAnEmptyRun(t *testing.T) {
	p := parseJUnit(t, render(t, func(w *bytes.Buffer) error {
		return JUnit(w, eval.Run{Failure: &llm.Failure{Class: fault.Auth, Message: "refused"}}, sequence(nil))
	}))
	if p.Errors != 1 || len(p.Suites) != 1 || p.Suites[0].Cases[0].Error.Message != "refused" {
		t.Errorf("got %+v", p)
	}
}

func TestFigures(t *testing.T) {
	tests := []struct{ got, want string }{
		{percent(0.9667), "96.7 %"}, {percent(1), "100.0 %"}, {percent(0.99996), "99.996 %"}, {percent(0), "0.0 %"}, {percent(0.0002), "0.02 %"},
		{figure("USD", of(0.000312)), "$0.000312"}, {figure("USD", of(1.5)), "$1.50"}, {figure("seconds", of(1.2399)), "1.24 s"},
		{figure("seconds", of(0.34)), "340 ms"}, {figure("score", of(0.5)), "0.500"}, {figure("share", nil), "unknown"},
		{pValue(0.0016), "p = 0.0016"}, {pValue(0.00001), "p < 0.0001"}, {pValue(0.25), "p = 0.250"},
		{change("share", of(0.975), of(0.8)), "-17.5 pt"}, {change("USD", of(2.0), of(2.2)), "+10.0 %"}, {change("score", of(0.5), of(0.6)), "+0.100"},
		{change("share", of(0.5), of(0.5)), "same"}, {change("USD", of(0.0), of(0.5)), "+$0.500"}, {change("share", of(0.5), of(0.50001)), "+0.001 pt"},
		{limit(eval.Gate{Kind: eval.GateMaxRise, Limit: 0.1}, "USD"), "max_rise 10.0 %"}, {limit(eval.Gate{Kind: eval.GateMaxDrop, Limit: 0.02}, "share"), "max_drop 2.0 pt"},
		{limit(eval.Gate{Kind: eval.GateMax, Limit: 3}, "seconds"), "max 3.00 s"},
		{number(1234567), "1,234,567"}, {number(-1234), "-1,234"}, {number(999), "999"}, {count(1, "case", "cases"), "1 case"},
		{lasting(75 * time.Second), "1 min 15 s"}, {lasting(3 * time.Hour), "3 h 00 min"},
	}
	for i, test := range tests {
		if test.got != test.want {
			t.Errorf("%d: got %q, want %q", i, test.got, test.want)
		}
	}
}

func BenchmarkJUnit(b *testing.B) {
	results := make([]eval.Result, 10_000)
	for i := range results {
		results[i] = eval.Result{Suite: "s", Model: "m", Case: fmt.Sprintf("case-%05d", i), Status: eval.Pass}
	}
	for b.Loop() {
		if err := JUnit(&bytes.Buffer{}, eval.Run{}, sequence(results)); err != nil {
			b.Fatal(err)
		}
	}
}
