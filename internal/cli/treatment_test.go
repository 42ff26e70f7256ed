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
		"small: {provider: sim, model: dice-1, sim: {seed: 1, accuracy: 1}}": "small", // as it is without
		"small: {provider: sim, model: dice-1, sim: {latency: {p50: 1ms}}}":  "small", // no answer is another for it
		"renamed: {provider: sim, model: dice-1}":                            "renamed",
		"dice-1: {provider: sim}":                                            "dice-1",
	} {
		if got := treatment(name, models); got != usual {
			t.Errorf("%s: treatment %s, want %s: it is the same model", models, got, usual)
		}
	}
	for _, models := range []string{"small: {provider: sim, model: dice-2}", "small: {provider: other, model: dice-1}", "small: {provider: sim}",
		"small: {provider: sim, model: dice-1, sim: {seed: 7}}", "small: {provider: sim, model: dice-1, sim: {accuracy: 0.9}}",
		"small: {provider: sim, model: dice-1, sim: {malformed: 0.1}}", "small: {provider: sim, model: dice-1, sim: {confidence: sure}}"} {
		if treatment("small", models) == usual {
			t.Errorf("%s: the treatment is the same, and the model is another", models)
		}
	}
	s.write("prompts/triage/draft.prompty", strings.Replace(ticketPrompt, "Label", "Tag", 1))
	if treatment("small", "small: {provider: sim, model: dice-1}") == usual {
		t.Error("the treatment is the same, and the prompt is another")
	}
}

// Of a route all is part of the treatment that decides which model answers, and nothing
// of how patiently it is asked, nor where in the file the route stands.
func TestTreatmentOfARoute(t *testing.T) {
	s := newTickets(t, "")
	treatment := func(before, route string) string {
		t.Helper()
		s.write("llmx.yaml", "version: 1\nproject: tickets\nproviders:\n  sim: {kind: sim}\nmodels:\n  a: {provider: sim}\n  b: {provider: sim}\n"+
			before+"routes:\n  r: {"+route+"}\n")
		code, run := s.test("--live", "--model", "r")
		if len(run.Groups) != 1 || len(run.Groups[0].Treatment) != 32 {
			t.Fatalf("%s: exit %d, groups %+v", route, code, run.Groups)
		}
		return run.Groups[0].Treatment
	}
	const rules = "use: [a, b], rules: [{when: {tags: [x], tokens: {max: 9}, characters: {min: 3}}, use: [b]}]"
	for name, same := range map[string][2]string{
		"retries": {"use: [a, b]", "use: [a, b], retry: {max_attempts: 9}, timeout: {idle: 9s}, breaker: {open_for: 9s}, restart: true"},
		"weights": {"use: [a, b], weights: {a: 1, b: 2}", "use: [a, b], weights: {b: 2, a: 1}"},
		"rules":   {rules, rules},
	} {
		if treatment("", same[0]) != treatment("\n# a line more\n", same[1]) {
			t.Errorf("%s: the treatment of %s is not that of %s", name, same[0], same[1])
		}
	}
	seen := map[string]string{}
	for _, route := range []string{
		"use: [a]", "use: [b]", "use: [a, b]", "use: [b, a]", "use: [a, b], weights: {a: 1, b: 2}", "use: [a, b], weights: {a: 2, b: 1}",
		"use: [a, b], weights: {a: 1, b: 2}, sticky: ticket", rules, strings.Replace(rules, "max: 9", "max: 8", 1),
		strings.Replace(rules, "min: 3", "min: 4", 1), strings.Replace(rules, "tags: [x]", "tags: [y]", 1), strings.Replace(rules, "use: [b]", "use: [b, a]", 1),
		"use: [a, b], cascade: {}", "use: [a, b], cascade: {accept: [{contains: x}]}", "use: [a, b], cascade: {accept: [{contains: y}]}",
	} {
		got := treatment("", route)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have one treatment", route, other)
		}
		seen[got] = route
	}
}
