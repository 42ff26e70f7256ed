package eval

import "testing"

// A calibration that had to leave out a case was taken for one of another suite, and no
// verdict said any more what the suite sees.
func TestSightOfACalibrationThatLostACase(t *testing.T) {
	sees := 0.1
	c := Calibration{Cases: 19, Results: 57, Date: "2026-11-26", Metrics: []CalibratedMetric{{Name: "accuracy", Sees: &sees}}}
	if c.Sight(19, 57) == nil || c.Sight(20, 60) != nil {
		t.Error("it is of 19 cases")
	}
	c.Lost = &LostDraws{Draws: 8, Cases: 1, Results: 3}
	if got := c.Sight(20, 60); got == nil || got.Drop != 0.1 || c.Sight(19, 57) != nil {
		t.Errorf("it is of 20 cases, of which one was left out: %+v", got)
	}
	if (*Calibration)(nil).Sight(1, 1) != nil {
		t.Error("there is none")
	}
}
