package suite

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// labelFamilies are the suite's checks of labels by the first part of their metrics'
// names, each with its classes: those that are given, and those of golden answers.
type labelFamilies map[string]map[string]bool

func (l labelFamilies) add(check eval.Check, c *eval.Case, output llm.Output) {
	labels, is := eval.LabelsOf(check, output)
	if !is {
		return
	}
	classes := l[labels.Metric]
	if classes == nil {
		classes = map[string]bool{}
		l[labels.Metric] = classes
	}
	for _, class := range labels.Classes {
		classes[class] = true
	}
	if c.Golden == nil || len(classes) >= maxWords {
		return
	}
	if want, ok := labels.Want(c.Golden.Value); ok {
		classes[want] = true
	}
}

// metrics are the names that gates may use of them.
func (l labelFamilies) metrics() []string {
	var names []string
	for _, family := range sorted(l) {
		names = append(names, eval.LabelMetrics(family, sorted(l[family]))...)
	}
	return names
}

// labelFamily is the first part of a counted metric's name.
func labelFamily(name string) string {
	whole, _, _ := strings.Cut(name, ".")
	whole = strings.TrimSuffix(strings.TrimSuffix(whole, "_macro"), "_weighted")
	for _, figure := range eval.LabelFigures {
		whole = strings.TrimSuffix(whole, "_"+figure)
	}
	return whole
}

// clash refuses a check's metric that bears the name of one that is counted.
func (l labelFamilies) clash(m meanings) error {
	counted := l.metrics()
	var problems fault.List
	for _, name := range sorted(m) {
		if slices.Contains(counted, name) {
			problems.Add(fault.At(m[name].place, "the metric %q is counted from labels already", name).WithHint("name this one otherwise"))
		}
	}
	return problems.Err()
}
