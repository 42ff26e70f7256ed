package report

import (
	"fmt"
	"io"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// CalibrationSchema names the shape of a calibration's JSON.
const CalibrationSchema = "llmx.calibration/1"

// MaxProblems bounds the answers that are listed as not judged.
const MaxProblems = 10

// Calibration is how a check compares with what people say.
type Calibration struct {
	Schema string `json:"schema"`
	Suite  string `json:"suite"`
	Check  string `json:"check"`  // its metric, or its name
	Labels string `json:"labels"` // the file

	Agreement stats.Agreement `json:"-"`
	BothPass  int             `json:"both_pass"`
	FalsePass int             `json:"false_pass"` // the check passes what people fail
	FalseFail int             `json:"false_fail"` // and fails what they pass
	BothFail  int             `json:"both_fail"`

	Order stats.Order `json:"-"`
	// Of a preference, which is asked in both orders: how often the verdict changes with
	// the order. Toward is from −1, the second place wins then, to 1, the first does.
	PositionBias *Interval `json:"position_bias,omitempty"`
	Toward       *float64  `json:"position_bias_toward_first,omitempty"`

	Eval  eval.Eval    `json:"-"`
	Spent documentEval `json:"spent"` // by a check that asks a model

	Errors   int      `json:"errors"`   // answers that it could not judge, left out
	Problems []string `json:"problems"` // the first of them

	Accuracy      Interval  `json:"accuracy"`
	Kappa         *Interval `json:"kappa"` // null where chance alone agrees
	FalsePassRate *Interval `json:"false_pass_rate"`
	FalseFailRate *Interval `json:"false_fail_rate"`

	Raw       *Interval `json:"raw_pass_rate,omitempty"`
	Corrected *Interval `json:"corrected_pass_rate,omitempty"` // Rogan–Gladen, within Lang and Reiczigel's interval
	NotShown  int       `json:"not_shown,omitempty"`           // answers of the run that the check did not see, left out
	Note      string    `json:"note,omitempty"`                // why nothing is corrected
}

// PassRate is what a check found over answers, of a run or told: none where Answers is 0.
type PassRate struct {
	Share   float64
	Answers int
	// Of a run, whose answers to one case are alike: how many cases, and how many answers
	// that have nothing to do with each other would say as much.
	Cases     int
	Effective float64
	NotShown  int // answers that the check did not see, in none of these
}

// Interval is a figure with its 95 % interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int     `json:"n"`
	Cases int     `json:"cases,omitempty"` // whose answers these are
}

const calibrationConfidence = 0.95

// Conclude counts the figures, and corrects a pass rate.
func (c *Calibration) Conclude(rate PassRate) {
	a := c.Agreement
	c.BothPass, c.FalsePass, c.FalseFail, c.BothFail = a.BothPass, a.FalsePass, a.FalseFail, a.BothFail
	c.Problems = filled(c.Problems)
	if share := wilson(a.Accuracy(), a.N()); share != nil {
		c.Accuracy = *share
	}
	c.FalsePassRate, c.FalseFailRate = wilson(a.FalsePassRate(), a.Failed()), wilson(a.FalseFailRate(), a.Passed())
	if kappa, low, high, ok := a.Kappa(calibrationConfidence); ok {
		c.Kappa = &Interval{Value: kappa, Low: low, High: high, N: a.N()}
	}
	c.Spent = evalOf(c.Eval)
	if c.Order.Pairs > 0 {
		c.PositionBias = wilson(c.Order.Bias(), c.Order.Pairs)
		toward := c.Order.Toward()
		c.Toward = &toward
	}
	c.correct(rate)
}

func (c *Calibration) correct(rate PassRate) {
	if rate.Answers == 0 {
		return
	}
	c.NotShown = rate.NotShown
	low, high := stats.Wilson(rate.Share, rate.Effective, calibrationConfidence)
	c.Raw = &Interval{rate.Share, low, high, rate.Answers, rate.Cases}
	p, low, high, err := c.Agreement.Corrected(rate.Share, rate.Effective, calibrationConfidence)
	if err != nil {
		c.Note = "nothing can be corrected: " + err.Error()
		return
	}
	c.Corrected = &Interval{p, low, high, rate.Answers, rate.Cases}
}

func wilson(share float64, n int) *Interval {
	if n == 0 {
		return nil
	}
	low, high := stats.Wilson(share, float64(n), calibrationConfidence)
	return &Interval{Value: share, Low: low, High: high, N: n}
}

// CalibrationJSON writes it as one JSON document.
func CalibrationJSON(w io.Writer, c Calibration) error { return writeDocument(w, c) }

// CalibrationTerminal writes it for people.
func CalibrationTerminal(w io.Writer, c Calibration, s Style) error {
	p := newPage(w, s)
	p.hang("", "  ", span{name(c.Suite, c.Check), strong}, text(" against "+count(c.Agreement.N(), "human label", "human labels")), span{"  " + c.Labels, faint})
	if c.Agreement.N() == 0 {
		return p.unjudged(c)
	}
	p.space()
	cells := [][]span{
		{text("people: pass"), text(number(c.BothPass)), text(number(c.FalseFail))},
		{text("people: fail"), text(number(c.FalsePass)), text(number(c.BothFail))},
	}
	l := p.lay("  ", []column{{title: ""}, {title: "CHECK: PASS", right: true}, {title: "CHECK: FAIL", right: true}}, cells)
	p.titles(l)
	for _, row := range cells {
		p.line(l.line(row)...)
	}
	p.space()
	p.intervals([]namedInterval{
		{"accuracy", &c.Accuracy, "answers"}, {"Cohen's kappa", c.Kappa, "answers"},
		{"false passes", c.FalsePassRate, "that people fail"}, {"false fails", c.FalseFailRate, "that people pass"},
		{"verdict changes with the order", c.PositionBias, "pairs"},
		{"pass rate, raw", c.Raw, "answers"}, {"pass rate, corrected", c.Corrected, "answers"},
	})
	if c.PositionBias != nil && c.Order.First+c.Order.Second > 0 {
		p.flow("  ", text(fmt.Sprintf("of these the first place won %d times, the second %d times", c.Order.First, c.Order.Second)))
	}
	if c.Eval.Calls > 0 {
		p.flow("  ", span{fmt.Sprintf("for %s of the check %s", count(c.Eval.Calls, "question", "questions"), priced(c.Eval.Cost, c.Eval.Paid)), faint})
	}
	if c.NotShown > 0 {
		p.flow("  ", text("the check was not shown "+count(c.NotShown, "answer", "answers")+" of the run: the pass rate is of the others"))
	}
	if c.Note != "" {
		p.flow("  ", span{c.Note, doubtful})
	}
	return p.unjudged(c)
}

// unjudged lists the answers that are in no figure.
func (p *page) unjudged(c Calibration) error {
	if c.Errors > 0 {
		p.space()
		p.flow("  ", span{count(c.Errors, "answer", "answers") + " could not be judged, and left out:", doubtful})
		for _, problem := range c.Problems {
			p.flow("    ", text(clip(problem, maxSentence)))
		}
	}
	return p.end()
}

type namedInterval struct {
	name string
	*Interval
	of string
}

func (p *page) intervals(list []namedInterval) {
	var rows [][]span
	for _, one := range list {
		if one.Interval == nil || one.N == 0 {
			continue
		}
		show := percent
		if one.name == "Cohen's kappa" {
			show = func(v float64) string { return fmt.Sprintf("%.3f", v) }
		}
		of := "of " + number(one.N) + " " + one.of
		if one.Cases > 0 {
			of += " to " + count(one.Cases, "case", "cases")
		}
		rows = append(rows, []span{text(one.name), text(show(one.Value)), text(show(one.Low) + " to " + show(one.High)), {of, faint}})
	}
	l := p.lay("  ", []column{{title: ""}, {title: "VALUE", right: true}, {title: "95 % INTERVAL"}, {title: ""}}, rows)
	p.titles(l)
	for _, row := range rows {
		p.line(l.line(row)...)
	}
}
