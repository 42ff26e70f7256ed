package stats

import (
	"math"
	"slices"
)

// Labelled is one answer of a classifier: the right label, and the one that was given,
// "" for none.
type Labelled struct{ Want, Got string }

// Confusion counts answers by right and given label.
type Confusion map[Labelled]int

// ClassScore says how well one class is told.
type ClassScore struct {
	Class                 string
	Support               int // answers whose right label it is
	Precision, Recall, F1 float64
}

// LabelScores are the figures of a confusion matrix.
type LabelScores struct {
	Accuracy        float64
	Macro, Weighted ClassScore // means over the classes: plain, and by support
	Classes         []ClassScore
}

// Of gives a figure: "f1", "precision" or "recall".
func (c ClassScore) Of(figure string) float64 {
	return map[string]float64{"f1": c.F1, "precision": c.Precision, "recall": c.Recall}[figure]
}

// ClassesOf lists the classes: of those that are given the ones that occur, as right
// labels or as answers, then what else is a right label; where none are given all labels
// that occur, sorted. A class that nothing has would pull every mean down.
func (c Confusion) ClassesOf(given []string) []string {
	occurs, right := map[string]bool{}, map[string]bool{}
	for cell := range c {
		occurs[cell.Want], occurs[cell.Got], right[cell.Want] = true, true, true
	}
	var classes, others []string
	for _, class := range given {
		if occurs[class] {
			classes = append(classes, class)
		}
	}
	for label := range occurs {
		if label != "" && !slices.Contains(given, label) && (given == nil || right[label]) {
			others = append(others, label)
		}
	}
	slices.Sort(others)
	return append(classes, others...)
}

// Scores are precision, recall and F1 as scikit-learn's classification_report gives
// them for these classes, with zero_division=0: what has no denominator is 0. An answer
// that is none of the classes counts against the recall of the right one alone.
func (c Confusion) Scores(classes []string) LabelScores {
	right, given, total, hits := map[string]int{}, map[string]int{}, 0, 0
	for cell, n := range c {
		right[cell.Want] += n
		given[cell.Got] += n
		total += n
		if cell.Want == cell.Got {
			hits += n
		}
	}
	s := LabelScores{Accuracy: over(float64(hits), float64(total)), Macro: ClassScore{Support: total}, Weighted: ClassScore{Support: total}}
	supports := 0
	for _, class := range classes {
		hit := float64(c[Labelled{class, class}])
		one := ClassScore{Class: class, Support: right[class], Precision: over(hit, float64(given[class])), Recall: over(hit, float64(right[class]))}
		one.F1 = over(2*hit, float64(given[class]+right[class]))
		s.Classes = append(s.Classes, one)
		s.Macro.add(one, 1)
		s.Weighted.add(one, float64(one.Support))
		supports += one.Support
	}
	s.Macro.divide(float64(len(classes)))
	s.Weighted.divide(float64(supports))
	return s
}

func (c *ClassScore) add(one ClassScore, weight float64) {
	c.Precision += weight * one.Precision
	c.Recall += weight * one.Recall
	c.F1 += weight * one.F1
}

func (c *ClassScore) divide(by float64) {
	c.Precision, c.Recall, c.F1 = over(c.Precision, by), over(c.Recall, by), over(c.F1, by)
}

func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// LabelCases are the cases behind a confusion matrix, folded: how many cases have the
// same answers. The key is the answers of one case, in any one order.
type LabelCases map[string]LabelCase

// LabelCase is what one case answered, and how many cases answered so.
type LabelCase struct {
	Answers []Labelled
	Cases   int
}

// JackknifeSE is the standard error of a figure of the matrix by leaving out one case at
// a time (Efron & Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5): the
// repeats of a case leave together. It is 0 for less than two cases.
func JackknifeSE(all Confusion, cases LabelCases, figure func(Confusion) float64) float64 {
	n, mean := 0.0, 0.0
	values := make(map[string]float64, len(cases))
	for key, one := range cases {
		for _, answer := range one.Answers {
			all[answer]--
		}
		values[key] = figure(all)
		for _, answer := range one.Answers {
			all[answer]++
		}
		n += float64(one.Cases)
		mean += float64(one.Cases) * values[key]
	}
	if n < 2 {
		return 0
	}
	mean /= n
	sum := 0.0
	for key, one := range cases {
		sum += float64(one.Cases) * (values[key] - mean) * (values[key] - mean)
	}
	return math.Sqrt((n - 1) / n * sum)
}
