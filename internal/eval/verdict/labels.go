package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// labelTally counts the answers to one check of labels.
type labelTally struct {
	classes []string // nil: those that occur
	matrix  stats.Confusion
	cases   stats.LabelCases // nil where there are too many kinds of them
	count   int
	names   map[string]bool // labels seen
}

// The bounds of what models may answer: further labels are one, and an interval is left
// out where more kinds of cases than that would have to be left out in turn.
const (
	maxLabels     = 500
	maxLabelKinds = 2000
	otherLabel    = "…"
)

// addLabels keeps what a repeat answered to the case's checks of labels.
func (f *caseFold) addLabels(r *eval.Result) {
	for i := range r.Scores {
		s := &r.Scores[i]
		family, is := strings.CutSuffix(s.Metric, eval.LabelAccuracy)
		if s.Want == "" || !is {
			continue
		}
		if f.labels == nil {
			f.labels = map[string][]stats.Labelled{}
		}
		f.labels[family] = append(f.labels[family], stats.Labelled{Want: s.Want, Got: s.Got})
	}
}

// addLabels takes the answers of a case whose repeats have all come.
func (t *Tally) addLabels(f *caseFold) {
	for family, answers := range f.labels {
		tally := t.labels[family]
		if tally == nil {
			tally = &labelTally{matrix: stats.Confusion{}, cases: stats.LabelCases{}, names: map[string]bool{}, classes: t.classesOf(f.c, family)}
			t.labels[family] = tally
		}
		tally.add(answers)
	}
}

func (t *Tally) classesOf(c *eval.Case, family string) []string {
	for _, check := range c.Checks {
		if labels, is := eval.LabelsOf(check, t.settings.Contract.Output); is && labels.Metric == family {
			return labels.Classes
		}
	}
	return nil
}

func (l *labelTally) add(answers []stats.Labelled) {
	slices.SortFunc(answers, func(a, b stats.Labelled) int {
		return cmp.Or(strings.Compare(a.Want, b.Want), strings.Compare(a.Got, b.Got))
	})
	l.count++
	var key strings.Builder
	for i, answer := range answers {
		if !l.names[answer.Got] && len(l.names) >= maxLabels && answer.Got != answer.Want {
			answers[i].Got = otherLabel
		}
		l.names[answers[i].Got] = true
		l.matrix[answers[i]]++
		key.WriteString(answers[i].Want + "\x00" + answers[i].Got + "\x01")
	}
	if l.cases == nil {
		return
	}
	kind := l.cases[key.String()]
	kind.Answers, kind.Cases = answers, kind.Cases+1
	if l.cases[key.String()] = kind; len(l.cases) > maxLabelKinds {
		l.cases = nil
	}
}

// labelFigure reads the name of a figure that is counted from labels: FAMILY_f1_macro,
// FAMILY_precision.CLASS.
func (t *Tally) labelFigure(name string) (l *labelTally, of func(stats.LabelScores) (float64, bool)) {
	for family, tally := range t.labels {
		rest, is := strings.CutPrefix(name, family+"_")
		if !is {
			continue
		}
		for _, figure := range eval.LabelFigures {
			switch {
			case rest == figure+"_macro":
				return tally, func(s stats.LabelScores) (float64, bool) { return s.Macro.Of(figure), true }
			case rest == figure+"_weighted":
				return tally, func(s stats.LabelScores) (float64, bool) { return s.Weighted.Of(figure), true }
			case strings.HasPrefix(rest, figure+"."):
				class := strings.TrimPrefix(rest, figure+".")
				return tally, func(s stats.LabelScores) (float64, bool) {
					for _, one := range s.Classes {
						if one.Class == class {
							return one.Of(figure), true
						}
					}
					return 0, false
				}
			}
		}
	}
	return nil, nil
}

// tryLabels puts an absolute gate to a figure of labels; false where it is none. What
// the missing results would have made of it is not known: there is no best case.
func (t *Tally) tryLabels(out *trial, best bool) bool {
	tally, of := t.labelFigure(out.Metric)
	if tally == nil {
		return false
	}
	value, ok := of(tally.scores())
	switch {
	case best && t.incomplete():
		out.open("what the missing results would have made of %s is not known", out.Metric)
	case !ok:
		out.block("%s is unknown: no case has the class, and no answer", out.Metric)
	default:
		out.Value, out.N = &value, tally.count
		out.specify(value)
	}
	return true
}

func (l *labelTally) scores() stats.LabelScores {
	return l.matrix.Scores(l.matrix.ClassesOf(l.classes))
}

// labelMetrics are the figures that reports show of every check of labels, and those
// that a gate names besides.
func (t *Tally) labelMetrics() []eval.Metric {
	var names []string
	for family := range t.labels {
		names = append(names, family+"_f1_macro", family+"_f1_weighted")
	}
	for _, gate := range t.settings.Gates {
		if l, _ := t.labelFigure(gate.Metric); l != nil && !slices.Contains(names, gate.Metric) {
			names = append(names, gate.Metric)
		}
	}
	slices.Sort(names)
	var figures []eval.Metric
	for _, name := range names {
		tally, of := t.labelFigure(name)
		value, ok := of(tally.scores())
		if !ok {
			continue
		}
		figure := eval.Metric{Name: name, Unit: "score", Value: &value, N: tally.count}
		if tally.cases != nil {
			classes := tally.matrix.ClassesOf(tally.classes) // of all cases, so that leaving one out changes none
			se := stats.JackknifeSE(tally.matrix, tally.cases, func(c stats.Confusion) float64 {
				one, _ := of(c.Scores(classes))
				return one
			})
			if se > 0 {
				low, high := stats.Around(value, se, confidence)
				figure.Low, figure.High = &low, &high
			}
		}
		figures = append(figures, figure)
	}
	return figures
}

// labelTables are the confusion matrices, by name.
func (t *Tally) labelTables() []eval.LabelTable {
	var tables []eval.LabelTable
	for family, tally := range t.labels {
		scores := tally.scores()
		table := eval.LabelTable{Metric: family, Accuracy: scores.Accuracy}
		place := map[string]int{}
		for i, class := range scores.Classes {
			place[class.Class] = i
			table.Classes = append(table.Classes, eval.LabelClass{Class: class.Class, Support: class.Support, Precision: class.Precision, Recall: class.Recall, F1: class.F1})
		}
		if n := len(scores.Classes); n <= eval.MaxMatrix {
			table.Matrix = make([][]int, n)
			for i := range table.Matrix {
				table.Matrix[i] = make([]int, n+1)
			}
			for cell, count := range tally.matrix {
				column, known := place[cell.Got]
				if !known {
					column = n
				}
				table.Matrix[place[cell.Want]][column] += count
			}
		}
		tables = append(tables, table)
	}
	slices.SortFunc(tables, func(a, b eval.LabelTable) int { return strings.Compare(a.Metric, b.Metric) })
	return tables
}
