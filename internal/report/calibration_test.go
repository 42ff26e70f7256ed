package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// Both rates have the interval of as many answers as the cases are worth, and say cases
// and answers; what the check was not shown is told.
func TestCalibrationOfARun(t *testing.T) {
	held := func(effective float64) (*Calibration, string) {
		c := &Calibration{Suite: "tickets", Check: "tone", Agreement: stats.Agreement{BothPass: 90, FalseFail: 10, FalsePass: 20, BothFail: 80}}
		c.Conclude(PassRate{Share: 0.5, Answers: 40, Cases: 10, Effective: effective, NotShown: 3})
		var out bytes.Buffer
		if err := CalibrationTerminal(&out, *c, Style{Width: 120}); err != nil {
			t.Fatal(err)
		}
		return c, out.String()
	}
	c, page := held(10)
	for _, want := range []string{"of 40 answers to 10 cases", "the check was not shown 3 answers of the run: the pass rate is of the others"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if low, high := stats.Wilson(0.5, 10, 0.95); c.Raw.Low != low || c.Raw.High != high || c.Raw.N != 40 || c.Raw.Cases != 10 {
		t.Errorf("raw: %+v", c.Raw)
	}
	if p, low, high, _ := c.Agreement.Corrected(0.5, 10, 0.95); *c.Corrected != (Interval{p, low, high, 40, 10}) {
		t.Errorf("corrected: %+v", c.Corrected)
	}
	if more, _ := held(40); more.Corrected.High-more.Corrected.Low >= c.Corrected.High-c.Corrected.Low {
		t.Errorf("of more answers it is no surer: %+v, %+v", more.Corrected, c.Corrected)
	}
	// there is none to correct
	none := &Calibration{Agreement: c.Agreement}
	if none.Conclude(PassRate{}); none.Raw != nil || none.Corrected != nil || none.Note != "" {
		t.Errorf("%+v", none)
	}
}
