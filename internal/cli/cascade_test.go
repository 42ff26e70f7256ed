package cli

import (
	"encoding/json"
	"testing"
)

// The example's cascade costs at most half of what the large model alone costs, and
// loses at most two points of accuracy, on the simulated models.
func TestTheExampleCascadeIsWorthIt(t *testing.T) {
	dir := copyProject(t, "llmx.yaml", "prompts", "suites", "fixtures")
	_, out, errs := keyless(t, dir, "test", "refund", "--live", "--repeats", "5", "--model", "sim-large,sim-small,thrifty", "--json")
	var run struct {
		Groups []struct {
			Model    string         `json:"model"`
			Answered map[string]int `json:"answered"`
			Metrics  []struct {
				Name  string   `json:"name"`
				Value *float64 `json:"value"`
			} `json:"metrics"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(out), &run); err != nil || len(run.Groups) != 3 {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	figures := map[string]map[string]float64{}
	for _, group := range run.Groups {
		figures[group.Model] = map[string]float64{}
		for _, metric := range group.Metrics {
			if metric.Value != nil {
				figures[group.Model][metric.Name] = *metric.Value
			}
		}
		if group.Model == "thrifty" && (group.Answered["sim/sim-small"] < 100 || group.Answered["sim/sim-large"] < 50) {
			t.Errorf("answered by %v: want both models", group.Answered)
		}
	}
	small, large, thrifty := figures["sim-small"], figures["sim-large"], figures["thrifty"]
	t.Logf("accuracy: small %.3f, large %.3f, cascade %.3f; cost of the cascade: %.2f of the large model's",
		small["accuracy"], large["accuracy"], thrifty["accuracy"], thrifty["cost_per_case"]/large["cost_per_case"])
	if ratio := thrifty["cost_per_case"] / large["cost_per_case"]; !(ratio > 0 && ratio <= 0.5) {
		t.Errorf("the cascade costs %.2f of the large model, want at most half", ratio)
	}
	if loss := large["accuracy"] - thrifty["accuracy"]; !(loss <= 0.02) {
		t.Errorf("the cascade loses %.3f of accuracy, want at most 0.02", loss)
	}
	if gain := thrifty["accuracy"] - small["accuracy"]; !(gain >= 0.03) {
		t.Errorf("the cascade gains %.3f over the small model: too little to show anything", gain)
	}
}
