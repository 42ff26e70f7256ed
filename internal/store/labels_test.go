package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/prompt"
)

func sampleOverride(label, version string, at time.Time) prompt.Override {
	return prompt.Override{
		Prompt: "triage", Label: label, Version: version, Percent: 2.5, Before: "1.0.0", Until: at.Add(time.Hour),
		Because: "it asks twice", By: "ci", At: at,
	}
}

func TestOverridesAreKeptAndLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s, other := openTest(t, path, Options{}), openTest(t, path, Options{})
	at := testNow.UTC()
	first, err := s.SetOverride(t.Context(), sampleOverride("production", "1.1.0", at))
	if err != nil || first.ID == 0 {
		t.Fatal(first, err)
	}
	second := sampleOverride("production", "1.2.0", at.Add(time.Minute))
	second.Until, second.Percent = time.Time{}, 0
	if second, err = s.SetOverride(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	canary, err := other.SetOverride(t.Context(), sampleOverride("canary", "1.2.0", at.Add(2*time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	inForce, err := other.Overrides(t.Context())
	if diff := cmp.Diff([]prompt.Override{canary, second}, inForce); err != nil || diff != "" {
		t.Error(err, diff)
	}

	end := at.Add(time.Hour)
	for i, want := range []bool{true, false} { // two servers see that its time is up
		ended, err := s.EndOverride(t.Context(), canary.ID, prompt.EndExpired, end.Add(time.Duration(i)))
		if err != nil || ended != want {
			t.Errorf("ended %v, %v, want %v", ended, err, want)
		}
	}
	agreed := sampleOverride("production", "1.0.0", end)
	agreed.Ended, agreed.How = end, prompt.EndAgreed
	if err := s.LogOverride(t.Context(), agreed); err != nil {
		t.Fatal(err)
	}
	first.Ended, first.How = at.Add(time.Minute), prompt.EndReplaced
	second.Ended, second.How = end, prompt.EndReplaced
	canary.Ended, canary.How = end, prompt.EndExpired
	agreed.ID = 4
	log, err := s.OverrideLog(t.Context(), "triage", 10)
	if diff := cmp.Diff([]prompt.Override{agreed, canary, second, first}, log); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if inForce, err = s.Overrides(t.Context()); err != nil || len(inForce) != 0 {
		t.Error(inForce, err)
	}
	for name, want := range map[string]int{"": 2, "other": 0} {
		if log, err = s.OverrideLog(t.Context(), name, 2); err != nil || len(log) != want {
			t.Errorf("%d of %q, %v", len(log), name, err)
		}
	}
}
