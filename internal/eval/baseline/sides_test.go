package baseline

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
)

// One side has accepted a model that the other has never asked: both models stay,
// whichever side each is on, and nothing is unsettled.
func TestMergeKeepsAModelOfOneSide(t *testing.T) {
	side := func(model string) string {
		return text(&eval.Baseline{
			Headers: []eval.BaselineHeader{header(model)},
			Lines:   []eval.BaselineLine{line("a", model, "of "+model), line("b", model, "of "+model)},
		})
	}
	for name, file := range map[string]string{
		"theirs": "<<<<<<< HEAD\n" + side("large") + "=======\n" + side("small") + ">>>>>>> feature\n",
		"ours":   "<<<<<<< HEAD\n" + side("small") + "=======\n" + side("large") + ">>>>>>> feature\n",
		"added":  side("large") + "<<<<<<< HEAD\n=======\n" + side("small") + ">>>>>>> feature\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, conflicts, err := Merge([]byte(file))
			if err != nil || len(conflicts) != 0 {
				t.Fatal(conflicts, err)
			}
			want := &eval.Baseline{
				Headers: []eval.BaselineHeader{header("large"), header("small")},
				Lines: []eval.BaselineLine{
					line("a", "large", "of large"), line("a", "small", "of small"),
					line("b", "large", "of large"), line("b", "small", "of small"),
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if dir := t.TempDir(); write(t, dir, got) == "" {
				t.Error("nothing was written")
			}
		})
	}
}

// A run of one case on two models brings the models' results one after the other:
// each model keeps its own line.
func TestAcceptCasesOfTwoModels(t *testing.T) {
	b := &eval.Baseline{
		Headers: []eval.BaselineHeader{header("large"), header("small")},
		Lines:   []eval.BaselineLine{line("a", "large", "old"), line("a", "small", "old")},
	}
	run := stream(result("large", "a", 0, "large new"), result("large", "a", 1, "large new"), result("small", "a", 0, "wrong"))
	got, err := AcceptCases(b, run, []string{"a"}, "the label is new", "2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a: large new", "a: wrong"}; !slices.Equal(answers(got), want) {
		t.Fatalf("lines %q, want %q", answers(got), want)
	}
	for i, want := range []struct {
		model           string
		repeats, passes int
	}{{"large", 2, 2}, {"small", 1, 0}} {
		if l := got.Lines[i]; l.Model != want.model || l.Repeats != want.repeats || l.Passes != want.passes {
			t.Errorf("line %d is of %s, %d of %d passed; want %+v", i, l.Model, l.Passes, l.Repeats, want)
		}
	}
	for _, h := range got.Headers {
		if len(h.Accepted) != 1 || !slices.Equal(h.Accepted[0].Cases, []string{"a"}) {
			t.Errorf("%s keeps %+v: both lines were accepted with the reason", h.Model, h.Accepted)
		}
	}
}
