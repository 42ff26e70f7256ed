package eval

import "github.com/llmx-dev/llmx/internal/llm"

// CalibrationSchema names the shape of a suite's calibration, as a file and as JSON.
const CalibrationSchema = "llmx.suite_calibration/1"

// SuiteCalibration is what a suite says of a prompt against itself, one entry a model:
// suites/NAME.calibration.json.
type SuiteCalibration struct {
	Schema string        `json:"schema"`
	Suite  string        `json:"suite"`
	Models []Calibration `json:"models"` // sorted by model
}

// Calibration is a suite on one model: the same answers, split at random into a
// baseline and a candidate, judged again and again.
type Calibration struct {
	Model     string        `json:"model"`
	Prompt    llm.PromptRef `json:"prompt"`
	Treatment string        `json:"treatment"`
	Date      string        `json:"date"` // YYYY-MM-DD of the run
	Run       string        `json:"run"`  // that gave the answers

	Draws       int `json:"draws"`       // answers to each case
	Cases       int `json:"cases"`       // those in quarantine left out
	Results     int `json:"results"`     // of one arm: cases × their repeats
	Comparisons int `json:"comparisons"` // of the prompt with itself
	// Lost are answers that were not judged, and are in none of these; nil for none.
	Lost      *LostDraws `json:"lost,omitempty"`
	Simulated int        `json:"simulated"` // comparisons for each drop that was tried

	FalseAlarms float64            `json:"false_alarms"` // share of comparisons whose verdict fails
	Gates       []CalibratedGate   `json:"gates"`
	Metrics     []CalibratedMetric `json:"metrics"`
	Suggested   []Gate             `json:"suggested"` // gates that the suite can hold to
}

// LostDraws are answers of a calibration that were not judged: errors, in most cases.
type LostDraws struct {
	Draws   int    `json:"draws"`
	Cases   int    `json:"cases"`   // of which too few are left for two arms: left out
	Results int    `json:"results"` // of these cases, in one arm
	Why     string `json:"why"`     // of one of them
}

// CalibratedGate is what became of a gate where nothing had changed, as shares of all
// comparisons.
type CalibratedGate struct {
	Gate
	Fails        float64 `json:"fails"`
	Regressed    float64 `json:"regressed"`
	Inconclusive float64 `json:"inconclusive"`
}

// CalibratedMetric is how much a metric moves where nothing has changed, and the least
// change for the worse that shows as regressed in four comparisons of five. The unit is
// the metric's; of cost both are shares.
type CalibratedMetric struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"`
	Value *float64 `json:"value"` // mean over all answers
	Noise float64  `json:"noise"` // standard deviation of the difference between two runs
	Sees  *float64 `json:"sees"`  // null: no change that was tried
	Power float64  `json:"power"` // share of comparisons that show it; 0 where there is none
}

// Of gives the calibration of a model; nil for none.
func (s *SuiteCalibration) Of(model string) *Calibration {
	if s == nil {
		return nil
	}
	for i := range s.Models {
		if s.Models[i].Model == model {
			return &s.Models[i]
		}
	}
	return nil
}

// MadeOf reports whether it was made of a suite of so many cases and results: those that it
// had to leave out are the suite's all the same, and a few less show no less.
func (c *Calibration) MadeOf(cases, results int) bool {
	if c.Lost != nil {
		cases, results = cases-c.Lost.Cases, results-c.Lost.Results
	}
	return c.Cases == cases && c.Results == results
}

// Sight is the calibration's for a run of so many cases and results; nil where it was
// made of others, or says nothing of accuracy.
func (c *Calibration) Sight(cases, results int) *Sight {
	if c == nil || !c.MadeOf(cases, results) {
		return nil
	}
	for _, m := range c.Metrics {
		if m.Name != "accuracy" {
			continue
		}
		sight := &Sight{Drop: 1, Calibrated: c.Date}
		if m.Sees != nil {
			sight.Drop = *m.Sees
		}
		return sight
	}
	return nil
}
