package cli_test

import (
	"strings"
	"testing"
)

// What an alias stands for is part of the treatment, and its name is not.
func TestTreatmentIsOfTheResolvedModel(t *testing.T) {
	s := newTickets(t, "")
	treatment := func(model, models string) string {
		t.Helper()
		s.write("llmx.yaml", "version: 1\nproject: tickets\nproviders:\n  sim: {kind: sim}\n  other: {kind: sim}\nmodels:\n  "+models+"\n")
		code, run := s.test("--live", "--model", model)
		if code != 0 || len(run.Groups) != 1 || len(run.Groups[0].Treatment) != 32 || run.Groups[0].Model != model {
			t.Fatalf("exit %d, groups %+v", code, run.Groups)
		}
		return run.Groups[0].Treatment
	}
	usual := treatment("small", "small: {provider: sim, model: dice-1}")
	for models, name := range map[string]string{
		"small: {provider: sim, model: dice-1, sim: {seed: 7}}": "small", // how it draws is no part of its name
		"renamed: {provider: sim, model: dice-1}":               "renamed",
		"dice-1: {provider: sim}":                               "dice-1",
	} {
		if got := treatment(name, models); got != usual {
			t.Errorf("%s: treatment %s, want %s: it is the same model", models, got, usual)
		}
	}
	for _, models := range []string{"small: {provider: sim, model: dice-2}", "small: {provider: other, model: dice-1}", "small: {provider: sim}"} {
		if treatment("small", models) == usual {
			t.Errorf("%s: the treatment is the same, and the model is another", models)
		}
	}
	s.write("prompts/triage/draft.prompty", strings.Replace(ticketPrompt, "Label", "Tag", 1))
	if treatment("small", "small: {provider: sim, model: dice-1}") == usual {
		t.Error("the treatment is the same, and the prompt is another")
	}
}
