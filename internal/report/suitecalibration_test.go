package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func calibrated() eval.Calibration {
	gate := func(metric string, kind eval.GateKind, limit float64) eval.Gate {
		return eval.Gate{Metric: metric, Kind: kind, Limit: limit}
	}
	return eval.Calibration{
		Model: "small", Prompt: llm.PromptRef{Name: "triage", Version: "draft"}, Date: "2026-11-10", Draws: 10, Cases: 36, Results: 36, Comparisons: 1000, Simulated: 200,
		FalseAlarms: 0.274,
		Gates: []eval.CalibratedGate{
			{Gate: gate("accuracy", eval.GateMin, 0.9), Fails: 0.01},
			{Gate: gate("accuracy", eval.GateMaxDrop, 0.05), Fails: 0.25, Regressed: 0.004, Inconclusive: 0.86},
			{Gate: gate(eval.MetricCritical, eval.GateMin, 1), Fails: 0.02},
			{Gate: gate("cost_per_case", eval.GateMaxRise, 0.1)},
			{Gate: gate("latency_p95", eval.GateMax, 2.5)},
		},
		Metrics: []eval.CalibratedMetric{
			{Name: "accuracy", Unit: "share", Value: of(0.953), Noise: 0.031, Sees: of(0.1389), Power: 0.83},
			{Name: "cost_per_case", Unit: "USD", Value: of(0.000136), Noise: 0.004, Sees: of(0.02), Power: 0.9},
			{Name: "tone", Unit: "score", Value: of(0.4), Noise: 0.3},
		},
		Suggested: []eval.Gate{gate("accuracy", eval.GateMin, 0.88), gate("accuracy", eval.GateMaxDrop, 0.095), gate("cost_per_case", eval.GateMaxRise, 0.1),
			gate("latency_p95", eval.GateMax, 2.5), gate("to: ne", eval.GateMin, 0.2), gate("urgent", eval.GateMin, 0)},
	}
}

func TestSuiteCalibrationGolden(t *testing.T) {
	got := render(t, func(w *bytes.Buffer) error {
		return SuiteCalibrationPage(w, "triage", []eval.Calibration{calibrated()}, Style{Width: 80})
	})
	golden(t, "calibration.txt", got)
	checkPage(t, got, 80)
	golden(t, "calibration.json", render(t, func(w *bytes.Buffer) error {
		return SuiteCalibrationJSON(w, "triage", []eval.Calibration{calibrated()})
	}))
	short := calibrated()
	short.Lost = &eval.LostDraws{Draws: 12, Cases: 1, Results: 1, Why: "up: connection\nreset"}
	page := render(t, func(w *bytes.Buffer) error {
		return SuiteCalibrationPage(w, "triage", []eval.Calibration{short}, Style{Width: 200})
	})
	if want := "\n  12 of 370 answers were not judged, and left out (up: connection reset); of 1 case too few are left, and the figures are without\n"; !strings.Contains(page, want) {
		t.Errorf("%q is not in\n%s", want, page)
	}
	// It ends with the gates, as they are pasted.
	if tail := got[strings.Index(got, "gates:"):]; !strings.HasSuffix(tail, "\n  \"to: ne\": {min: 0.2}\n  # urgent: it moves too much for any limit\n") {
		t.Errorf("the gates are\n%s", tail)
	}
}
