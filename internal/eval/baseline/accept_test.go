package baseline

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func stream(results ...eval.Result) iter.Seq2[eval.Result, error] {
	return func(yield func(eval.Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func result(model, id string, repeat int, answer string) eval.Result {
	r := eval.Result{Run: "r2", Suite: "triage", Case: id, InputHash: "in-" + id, CriteriaHash: "cr-" + id, Model: model, Answered: model + "-1",
		Repeat: repeat, Status: eval.Pass, Answer: answer, Digest: eval.DigestOf(answer), Valid: eval.Valid, Finish: llm.FinishStop,
		Cost: llm.KnownCost(100), Service: time.Second}
	if strings.HasPrefix(answer, "wrong") {
		r.Status = eval.Fail
	}
	return r
}

func groupOf(model string, planned int) eval.Group {
	return eval.Group{Suite: "triage", Model: model, Treatment: "t2", Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Planned: planned, Judged: planned}
}

var complete = eval.Run{ID: "r2", State: eval.Complete, Started: time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)}

func TestFromResults(t *testing.T) {
	broken := result("small", "a", 3, "wrong {")
	broken.Valid, broken.Failure, broken.Finish = eval.Violated, &llm.Failure{Class: fault.Contract, Message: "not JSON"}, llm.FinishLength
	scored := result("small", "a", 0, "right")
	scored.Scores = []eval.Score{{Metric: "style", Value: 1, Weight: 2}, {Check: "golden", Value: 1}}
	low := result("small", "a", 1, "wrong")
	low.Scores = []eval.Score{{Metric: "style", Value: 0.25}}
	low.Cost, low.Service = llm.KnownCost(103), 3*time.Second
	other := result("small", "a", 0, "x")
	other.Suite = "another"
	plain := result("large", "a", 0, "right")
	plain.Valid, plain.Cost, plain.StoredBy = eval.NoContract, llm.Cost{}, "recording"

	got, err := FromResults(stream(other, plain, scored, low, result("small", "a", 2, "right"), broken, result("small", "b", 0, strings.Repeat("x", maxText+1))),
		[]eval.Group{groupOf("large", 1), groupOf("small", 5)}, complete)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong, cut := "right", "wrong", "wrong {"
	mean, other100 := llm.Money(101), llm.Money(100)
	want := &eval.Baseline{
		Headers: []eval.BaselineHeader{
			{Suite: "triage", Model: "large", Answered: []string{"large-1"}, Treatment: "t2", Prompt: groupOf("", 0).Prompt, Draws: "recorded", Date: "2026-11-20", Run: "r2"},
			{Suite: "triage", Model: "small", Answered: []string{"small-1"}, Treatment: "t2", Prompt: groupOf("", 0).Prompt, Draws: "live", Date: "2026-11-20", Run: "r2",
				LatencyP50: time.Second, LatencyP95: 3 * time.Second},
		},
		Lines: []eval.BaselineLine{
			{Case: "a", Model: "large", Input: "in-a", Criteria: "cr-a", Passes: 1, Repeats: 1, Valid: -1,
				Answers: []eval.BaselineAnswer{{Digest: eval.DigestOf(right), Text: &right, Count: 1, Passes: 1}}},
			{Case: "a", Model: "small", Input: "in-a", Criteria: "cr-a", Passes: 2, Repeats: 4, Valid: 3, Scores: map[string]float64{"style": 0.75}, Cost: &mean,
				Answers: []eval.BaselineAnswer{
					{Digest: eval.DigestOf(right), Text: &right, Count: 2, Passes: 2},
					{Digest: eval.DigestOf(wrong), Text: &wrong, Count: 1},
					{Digest: eval.DigestOf(cut), Text: &cut, Count: 1, Broken: "not JSON", Finish: llm.FinishLength},
				}},
			{Case: "b", Model: "small", Input: "in-b", Criteria: "cr-b", Passes: 1, Repeats: 1, Valid: 1, Cost: &other100,
				Answers: []eval.BaselineAnswer{{Digest: eval.DigestOf(strings.Repeat("x", maxText+1)), Count: 1, Passes: 1}}},
		},
	}
	if eval.DigestOf(cut) < eval.DigestOf(wrong) {
		a := want.Lines[1].Answers
		a[1], a[2] = a[2], a[1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A line keeps its repair score only where something was repaired: else it says what
// valid and repeats say, and lines of before stay byte for byte.
func TestRepairsAreKeptWhereThereWereSome(t *testing.T) {
	for name, test := range map[string]struct {
		scores []float64 // of the valid repeats
		broken int
		want   map[string]float64
	}{
		"none":        {[]float64{1, 1}, 0, nil},
		"refused":     {[]float64{1}, 1, nil},
		"not counted": {[]float64{0, 0}, 0, nil}, // of a store of before
		"one":         {[]float64{1, 0.5}, 0, map[string]float64{"repair_score": 0.75}},
		"and refused": {[]float64{1, 0.5}, 1, map[string]float64{"repair_score": 0.5}},
	} {
		var results []eval.Result
		for _, score := range test.scores {
			r := result("small", "a", len(results), "right")
			r.RepairScore = score
			results = append(results, r)
		}
		for range test.broken {
			r := result("small", "a", len(results), "wrong")
			r.Valid, r.Failure = eval.Violated, &llm.Failure{Class: fault.Contract, Message: "not JSON"}
			results = append(results, r)
		}
		got, err := FromResults(stream(results...), []eval.Group{groupOf("small", len(results))}, complete)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got.Lines[0].Scores); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnswersAreSortedByCount(t *testing.T) {
	for _, often := range []string{"right", "wrong"} {
		seldom := map[string]string{"right": "wrong", "wrong": "right"}[often]
		b, err := FromResults(stream(result("small", "a", 0, seldom), result("small", "a", 1, often), result("small", "a", 2, often)), []eval.Group{groupOf("small", 3)}, complete)
		if err != nil || b.Lines[0].Answers[0].Digest != eval.DigestOf(often) {
			t.Errorf("%s was given twice: %+v, %v", often, b, err)
		}
	}
}

func TestTextsAreLeftOutOfLargeBaselines(t *testing.T) {
	var results []eval.Result
	for i := range maxTexts + 1 {
		results = append(results, result("small", "a", i, "right"))
	}
	b, err := FromResults(stream(results...), []eval.Group{groupOf("small", maxTexts+1)}, complete)
	if err != nil || b.Lines[0].Answers[0].Text != nil {
		t.Errorf("%d results keep their texts: %v", maxTexts+1, err)
	}
	b, err = FromResults(stream(results[1:]...), []eval.Group{groupOf("small", maxTexts)}, complete)
	if err != nil || b.Lines[0].Answers[0].Text == nil {
		t.Errorf("%d results do not: %v", maxTexts, err)
	}
}

func TestFromResultsRefuses(t *testing.T) {
	failed := result("small", "a", 0, "")
	failed.Status, failed.Failure = eval.Error, &llm.Failure{Class: fault.Network, Message: "connection refused"}
	stopped, filtered := complete, complete
	stopped.State, filtered.Filtered = eval.Interrupted, true
	errors1 := groupOf("small", 2)
	errors1.Judged, errors1.Errors = 1, 1
	good := stream(result("small", "a", 0, "right"))
	for name, test := range map[string]struct {
		results iter.Seq2[eval.Result, error]
		group   eval.Group
		run     eval.Run
		class   fault.Class
		want    string
	}{
		"filtered":     {good, groupOf("small", 1), filtered, fault.Usage, "filtered"},
		"interrupted":  {good, groupOf("small", 1), stopped, fault.Unjudged, "not complete: it is interrupted"},
		"errors":       {good, errors1, complete, fault.Unjudged, "1 of 2 results, 1 errors"},
		"an error":     {stream(failed), groupOf("small", 1), complete, fault.Unjudged, `case "a" on small has no verdict: connection refused`},
		"results lost": {good, groupOf("small", 2), complete, fault.Unjudged, "1 of 2 results"},
		"nothing":      {stream(), groupOf("small", 0), complete, fault.Unjudged, "0 of 0 results"},
		"store":        {func(yield func(eval.Result, error) bool) { yield(eval.Result{}, fault.New(fault.Store, "locked")) }, groupOf("small", 1), complete, fault.Store, "locked"},
	} {
		_, err := FromResults(test.results, []eval.Group{test.group}, test.run)
		if err == nil || fault.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestAcceptCases(t *testing.T) {
	old := header("small")
	old.Accepted = []eval.BaselineAccept{{Cases: []string{"a", "q"}, Because: "first", Date: "2026-11-01"}}
	b := &eval.Baseline{Headers: []eval.BaselineHeader{header("large"), old},
		Lines: []eval.BaselineLine{line("a", "large", "old"), line("a", "small", "old"), line("b", "small", "old")}}
	got, err := AcceptCases(b, stream(result("small", "a", 0, "new"), result("small", "b", 0, "new"), result("small", "new", 0, "new")), []string{"new", "a"}, "the label is new", "2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a: old", "a: new", "b: old", "new: new"}; !slices.Equal(answers(got), want) {
		t.Errorf("lines %q, want %q", answers(got), want)
	}
	want := []eval.BaselineAccept{{Cases: []string{"q"}, Because: "first", Date: "2026-11-01"}, {Cases: []string{"a", "new"}, Because: "the label is new", Date: "2026-11-20"}}
	if diff := cmp.Diff(want, HeaderOf(got, "small").Accepted); diff != "" {
		t.Error(diff)
	}
	if HeaderOf(got, "large").Accepted != nil || len(b.Lines) != 3 || len(b.Headers[1].Accepted) != 1 {
		t.Error("other models and the argument stay as they were")
	}
}

func TestAcceptCasesRefuses(t *testing.T) {
	b := &eval.Baseline{Headers: []eval.BaselineHeader{header("small")}, Lines: []eval.BaselineLine{line("refund", "small", "old")}}
	failed := result("small", "refund", 0, "")
	failed.Status = eval.Unjudged
	good := stream(result("small", "refund", 0, "new"))
	for name, test := range map[string]struct {
		b       *eval.Baseline
		results iter.Seq2[eval.Result, error]
		cases   []string
		because string
		class   fault.Class
		want    string
	}{
		"no reason":     {b, good, []string{"refund"}, " ", fault.Usage, "needs a reason"},
		"no baseline":   {nil, good, []string{"refund"}, "x", fault.Usage, "there is no baseline yet"},
		"no case":       {b, good, nil, "x", fault.Usage, "no case is named"},
		"unknown case":  {b, good, []string{"refnud"}, "x", fault.Usage, `did you mean "refund"?`},
		"unknown model": {b, stream(result("large", "refund", 0, "x")), []string{"refund"}, "x", fault.Usage, `does not know the model "large"`},
		"unjudged":      {b, stream(failed), []string{"refund"}, "x", fault.Unjudged, "has no verdict"},
	} {
		_, err := AcceptCases(test.b, test.results, test.cases, test.because, "2026-11-20")
		if err == nil || fault.ClassOf(err) != test.class || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	broken := func(yield func(eval.Result, error) bool) { yield(eval.Result{}, errors.New("disk")) }
	if _, err := AcceptCases(b, broken, []string{"refund"}, "x", "d"); err == nil {
		t.Error("an error of the store was lost")
	}
}
