package cli

import (
	"fmt"
	"slices"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/fault"
)

// gateTags are the tags that mean something to a verdict.
var gateTags = []string{eval.TagCritical, eval.TagQuarantine}

// lintTags warns of tags that are nearly such as mean something, each once, and of cases
// that bear two that exclude each other.
func lintTags(one *loaded) ([]*fault.Error, error) {
	var warnings []*fault.Error
	told := map[string]bool{}
	for c, err := range one.Cases() {
		if err != nil {
			return nil, err
		}
		for _, tag := range c.Tags {
			meant := fault.Suggest(tag, gateTags)
			if told[tag] || meant == "" || slices.Contains(gateTags, tag) {
				continue
			}
			told[tag] = true
			warnings = append(warnings, fault.At(c.Place, "the tag %q of case %s means nothing to a verdict", tag, c.ID).WithHint("did you mean %q?", meant))
		}
		if slices.Contains(c.Tags, eval.TagCritical) && c.Quarantined() {
			warnings = append(warnings, fault.At(c.Place, "the case %s is critical, and in quarantine: it is in no gate", c.ID))
		}
	}
	return warnings, nil
}

// tooNarrow is the share of runs without a change from which on a gate that comes to no
// word is told.
const tooNarrow = 0.5

// lintSight warns of margins that the suite cannot see, by its calibration.
func (p *project) lintSight(one *loaded) ([]*fault.Error, error) {
	kept, err := baseline.ReadCalibration(p.fs, baseline.CalibrationPath(one.File))
	if err != nil {
		return nil, err
	}
	var warnings []*fault.Error
	for _, model := range one.models {
		c := kept.Of(model)
		if c.Sight(one.gated.cases, one.gated.results) == nil {
			continue // of other cases
		}
		for _, g := range c.Gates {
			i := slices.Index(one.Gates, g.Gate)
			if i < 0 || i >= len(one.GatePlaces) || g.Inconclusive < tooNarrow {
				continue
			}
			warnings = append(warnings, fault.At(one.GatePlaces[i], "%s of %s on %s comes to no word in %.0f %% of runs in which nothing changed (calibrated on %s)",
				g.Kind, g.Metric, model, 100*g.Inconclusive, c.Date).WithHint("%s", wider(c, g.Gate)))
		}
	}
	return warnings, nil
}

// wider says which margin the suite can see.
func wider(c *eval.Calibration, gate eval.Gate) string {
	for _, g := range c.Suggested {
		if g.Metric == gate.Metric && g.Kind == gate.Kind && g.Limit > gate.Limit {
			return fmt.Sprintf("%s: %v would, or more cases or repeats", g.Kind, g.Limit)
		}
	}
	return "more cases or repeats"
}
