package stats

import (
	"math"
	"strconv"
	"testing"
)

// confusionOf counts pairs of whole numbers; −1 is no label.
func confusionOf(want, got []int) Confusion {
	c := Confusion{}
	name := func(n int) string {
		if n < 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for i := range want {
		c[Labelled{name(want[i]), name(got[i])}]++
	}
	return c
}

// The figures are those that scikit-learn's reference prints in its examples, to as many
// digits: sklearn.metrics.classification_report
// (https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html),
// f1_score and precision_recall_fscore_support (…/sklearn.metrics.f1_score.html,
// …/sklearn.metrics.precision_recall_fscore_support.html).
func TestScoresAreThoseOfScikitLearn(t *testing.T) {
	report := confusionOf([]int{0, 1, 2, 2, 2}, []int{0, 0, 2, 2, 1})
	s := report.Scores(report.ClassesOf(nil))
	check(t, "class 0", s.Classes[0], ClassScore{"0", 1, 0.50, 1.00, 0.67})
	check(t, "class 1", s.Classes[1], ClassScore{"1", 1, 0.00, 0.00, 0.00})
	check(t, "class 2", s.Classes[2], ClassScore{"2", 3, 1.00, 0.67, 0.80})
	check(t, "macro avg", s.Macro, ClassScore{"", 5, 0.50, 0.56, 0.49})
	check(t, "weighted avg", s.Weighted, ClassScore{"", 5, 0.70, 0.60, 0.61})
	if s.Accuracy != 0.6 {
		t.Errorf("accuracy %v", s.Accuracy)
	}
	// With labels=[1, 2, 3] of y_pred = [1, 1, 0], y_true = [1, 1, 1]; 2 and 3 are in neither.
	given := confusionOf([]int{1, 1, 1}, []int{1, 1, 0})
	s = given.Scores([]string{"1", "2", "3"})
	check(t, "class 1 of given labels", s.Classes[0], ClassScore{"1", 3, 1.00, 0.67, 0.80})
	check(t, "class 3 of given labels", s.Classes[2], ClassScore{"3", 0, 0, 0, 0})
	check(t, "macro avg of given labels", s.Macro, ClassScore{"", 3, 0.33, 0.22, 0.27})
	check(t, "weighted avg of given labels", s.Weighted, ClassScore{"", 3, 1.00, 0.67, 0.80})

	f1 := confusionOf([]int{0, 1, 2, 0, 1, 2}, []int{0, 2, 1, 0, 0, 1})
	s = f1.Scores(f1.ClassesOf(nil))
	check(t, "f1_score macro", s.Macro, ClassScore{"", 6, 0.22, 0.33, 0.27})
	check(t, "f1_score weighted", s.Weighted, ClassScore{"", 6, 0.22, 0.33, 0.27})
	for i, want := range []float64{0.8, 0, 0} {
		if s.Classes[i].F1 != want {
			t.Errorf("f1_score of class %d is %v, want %v", i, s.Classes[i].F1, want)
		}
	}
}

func check(t *testing.T, about string, got, want ClassScore) {
	t.Helper()
	for _, pair := range [][2]float64{{got.Precision, want.Precision}, {got.Recall, want.Recall}, {got.F1, want.F1}} {
		if math.Abs(math.Round(pair[0]*100)/100-pair[1]) > 1e-9 || got.Support != want.Support || got.Class != want.Class {
			t.Errorf("%s: %+v, want %+v", about, got, want)
			return
		}
	}
}

// An answer without a label is wrong, and no class.
func TestNoLabelIsNoClass(t *testing.T) {
	c := confusionOf([]int{1, 1, 2, 2}, []int{1, -1, 2, 2})
	s := c.Scores(c.ClassesOf(nil))
	if len(s.Classes) != 2 || s.Accuracy != 0.75 || s.Classes[0].Recall != 0.5 || s.Classes[0].Precision != 1 {
		t.Errorf("%+v", s)
	}
}

// The jackknife of a share is its textbook error, and repeats of a case leave together.
func TestJackknifeOfAShare(t *testing.T) {
	yes, no := Labelled{"a", "a"}, Labelled{"a", "b"}
	accuracy := func(c Confusion) float64 { return c.Scores(nil).Accuracy }
	single := LabelCases{"y": {[]Labelled{yes}, 30}, "n": {[]Labelled{no}, 10}}
	got := JackknifeSE(Confusion{yes: 30, no: 10}, single, accuracy)
	if want := math.Sqrt(0.75 * 0.25 / 39); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	doubled := LabelCases{"y": {[]Labelled{yes, yes}, 30}, "n": {[]Labelled{no, no}, 10}}
	if twice := JackknifeSE(Confusion{yes: 60, no: 20}, doubled, accuracy); math.Abs(twice-got) > 1e-12 {
		t.Errorf("equal repeats narrow the error from %v to %v", got, twice)
	}
}
