package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

var (
	alarmColumns = []column{{title: "GATE", least: narrowest}, {title: "FAILS", right: true}, {title: "REGRESSED", right: true}, {title: "INCONCLUSIVE", right: true}}
	noiseColumns = []column{{title: "METRIC", least: narrowest}, {title: "MEAN", right: true}, {title: "NOISE", right: true}, {title: "SEES"}}
)

// SuiteCalibrationPage writes what a suite says of a prompt against itself, and ends
// with gates to paste.
func SuiteCalibrationPage(w io.Writer, suite string, models []eval.Calibration, s Style) error {
	p := newPage(w, s)
	for i := range models {
		p.space()
		p.suiteCalibration(suite, &models[i])
	}
	return p.end()
}

func (p *page) suiteCalibration(suite string, c *eval.Calibration) {
	p.hang("", "  ", span{name(suite, c.Model), strong},
		text(fmt.Sprintf("  %s against itself: %s, %s each; %s of two runs as a test makes them", c.Prompt,
			count(c.Cases, "case", "cases"), count(c.Draws, "answer", "answers"), count(c.Comparisons, "comparison", "comparisons"))))
	if c.Lost != nil {
		p.flow("  ", span{lostDraws(c), doubtful})
	}
	p.space()
	var rows [][]span
	for _, g := range c.Gates {
		rows = append(rows, []span{text(g.Metric + " " + limit(g.Gate, unitIn(c, g.Metric))), {percent(g.Fails), alarmRole(g.Fails)}, text(percent(g.Regressed)), text(percent(g.Inconclusive))})
	}
	rows = append(rows, []span{{"the whole verdict", strong}, {percent(c.FalseAlarms), alarmRole(c.FalseAlarms)}, text(""), text("")})
	p.table("  ", alarmColumns, rows)
	p.flow("  ", span{"nothing had changed: where max_drop or max_rise fails it is a false alarm; where min or max does, the prompt is not what the suite asks for", faint})
	p.space()
	rows = nil
	for _, m := range c.Metrics {
		rows = append(rows, []span{text(m.Name), text(figure(m.Unit, m.Value)), text(amount(m, m.Noise)), {seesWord(m), strong}})
	}
	p.table("  ", noiseColumns, rows)
	p.flow("  ", span{fmt.Sprintf("noise: how far two runs of the same prompt lie apart (standard deviation); seen: called regressed in four of five comparisons, of %d for each change that was tried", c.Simulated), faint})
	p.space()
	p.line(span{"To paste into suites/" + suite + ".yaml", strong})
	for _, line := range gateLines(c) {
		p.long(text(line))
	}
}

// lostDraws says what the figures are without.
func lostDraws(c *eval.Calibration) string {
	text := fmt.Sprintf("%s of %s not judged, and left out (%s)", number(c.Lost.Draws),
		count((c.Cases+c.Lost.Cases)*c.Draws, "answer was", "answers were"), clip(oneLine(c.Lost.Why), 200))
	if c.Lost.Cases > 0 {
		text += "; of " + count(c.Lost.Cases, "case", "cases") + " too few are left, and the figures are without"
	}
	return text
}

// alarmRole marks a rate beyond that of one in twenty.
func alarmRole(rate float64) role {
	if rate > 0.05 {
		return doubtful
	}
	return plain
}

func unitIn(c *eval.Calibration, metric string) string {
	for _, m := range c.Metrics {
		if m.Name == metric {
			return m.Unit
		}
	}
	switch {
	case strings.HasPrefix(metric, "latency_"):
		return unitSeconds
	case metric == eval.MetricCritical || metric == eval.MetricOperational:
		return unitShare
	}
	return ""
}

// amount prints a change of a metric: points of a share, percent of a cost.
func amount(m eval.CalibratedMetric, change float64) string {
	switch m.Unit {
	case unitShare:
		return strconv.FormatFloat(change*100, 'f', 1, 64) + " pt"
	case unitUSD:
		return strconv.FormatFloat(change*100, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(change, 'f', 3, 64)
}

func seesWord(m eval.CalibratedMetric) string {
	word := "drops of ≥ "
	if m.Unit == unitUSD {
		word = "rises of ≥ "
	}
	if m.Sees == nil {
		return "nothing: too few cases"
	}
	return word + amount(m, math.Ceil(*m.Sees*1000-1e-9)/1000)
}

// gateLines are the suggested gates as YAML.
func gateLines(c *eval.Calibration) []string {
	lines := []string{fmt.Sprintf("gates:   # llmx calibrate on %s: %s, %s a case", c.Date, c.Model, count(c.Draws, "draw", "draws"))}
	for i := 0; i < len(c.Suggested); {
		metric := c.Suggested[i].Metric
		var limits []string
		for ; i < len(c.Suggested) && c.Suggested[i].Metric == metric; i++ {
			if c.Suggested[i].Kind == eval.GateMin && c.Suggested[i].Limit == 0 {
				continue // it holds whatever happens
			}
			value := strconv.FormatFloat(c.Suggested[i].Limit, 'f', -1, 64)
			if c.Suggested[i].Kind == eval.GateMax && strings.HasPrefix(metric, "latency_") {
				value = time.Duration(c.Suggested[i].Limit * float64(time.Second)).Round(time.Millisecond).String()
			}
			limits = append(limits, string(c.Suggested[i].Kind)+": "+value)
		}
		if len(limits) == 0 {
			lines = append(lines, "  # "+metric+": it moves too much for any limit")
			continue
		}
		lines = append(lines, "  "+yamlKey(metric)+": {"+strings.Join(limits, ", ")+"}")
	}
	return lines
}

// yamlKey quotes a metric's name where YAML would read something else.
func yamlKey(name string) string {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./", r)) {
			return strconv.Quote(name)
		}
	}
	return name
}

// SuiteCalibrationJSON writes it as one JSON document, as the file has it.
func SuiteCalibrationJSON(w io.Writer, suite string, models []eval.Calibration) error {
	return writeDocument(w, eval.SuiteCalibration{Schema: eval.CalibrationSchema, Suite: suite, Models: models})
}
