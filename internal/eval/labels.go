package eval

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Labels are what a check of labels tells apart. Its scores have Want and Got; the
// suite's metrics of them begin with Metric.
type Labels struct {
	Metric  string
	Classes []string                                 // nil: those that occur
	Want    func(golden any) (label string, ok bool) // the label of a golden answer
}

// LabelAccuracy ends the metric that a check of labels has itself: a case's share of
// right labels, averaged over cases.
const LabelAccuracy = "_accuracy"

// LabelFigures are what is counted of the labels besides, over all classes (_macro and
// _weighted) and of one (.CLASS).
var LabelFigures = []string{"f1", "precision", "recall"}

// LabelsOf says what a check of labels tells apart under a prompt's contract; false for
// any other check.
func LabelsOf(c Check, output llm.Output) (Labels, bool) {
	if l, ok := c.(interface {
		Labels(output llm.Output) (Labels, bool)
	}); ok {
		return l.Labels(output)
	}
	return Labels{}, false
}

// LabelMetrics are the names of the metrics that are counted from a check of labels.
func LabelMetrics(family string, classes []string) []string {
	var names []string
	for _, figure := range LabelFigures {
		names = append(names, family+"_"+figure+"_macro", family+"_"+figure+"_weighted")
		for _, class := range classes {
			names = append(names, strings.Join([]string{family + "_" + figure, class}, "."))
		}
	}
	return names
}

// LabelTable is the confusion matrix of one check of labels, with what is counted from
// it as scikit-learn does.
type LabelTable struct {
	Metric   string       `json:"metric"`
	Accuracy float64      `json:"accuracy"`
	Classes  []LabelClass `json:"classes"`
	// Matrix has a row for each class that is right, and a column for each that was
	// answered, the last for none of them; null beyond MaxMatrix classes.
	Matrix [][]int `json:"matrix"`
}

// MaxMatrix bounds the classes of a confusion matrix that is shown.
const MaxMatrix = 50

// LabelClass is one class of a LabelTable.
type LabelClass struct {
	Class     string  `json:"class"`
	Support   int     `json:"support"` // results whose right label it is
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}
