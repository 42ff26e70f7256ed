package prompt

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"
)

func shareOf(labels []Label, label string, sticky func(i int) string) float64 {
	const calls = 100_000
	n := 0
	for i := range calls {
		if LabelFor("triage", labels, sticky(i)) == label {
			n++
		}
	}
	return 100 * float64(n) / calls
}

func TestACanaryGetsItsShare(t *testing.T) {
	labels := []Label{{Name: "canary", Version: "1.3.0", Percent: 1}, {Name: "production", Version: "1.2.0"}}
	for what, sticky := range map[string]func(int) string{
		"distinct users":       func(i int) string { return fmt.Sprintf("user-%d", i) },
		"addresses":            func(i int) string { return fmt.Sprintf("%d.%d@example.com", i%317, i/317) },
		"nobody: the call's":   func(i int) string { return fmt.Sprintf("9f86d081-%d", i) },
		"numbers without more": func(i int) string { return fmt.Sprint(i) },
	} {
		if share := shareOf(labels, "canary", sticky); math.Abs(share-1) > 0.1 {
			t.Errorf("%s: %.3f %% of the callers, want 1.0 ± 0.1", what, share)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	user := func(i int) string { return fmt.Sprintf("user-%d", i) }
	labels := []Label{{Name: "beta", Percent: 50}, {Name: "canary", Percent: 30}, {Name: "dark"}, {Name: "edge", Percent: 20}, {Name: "production"}}
	for _, label := range labels {
		if share := shareOf(labels, label.Name, user); math.Abs(share-label.Percent) > 0.5 {
			t.Errorf("%s: %.2f %% of the callers, want %g", label.Name, share, label.Percent)
		}
	}
}

// Who has seen the canary stays with it while it grows, for every label alone.
func TestAGrowingShareKeepsThoseWhoAreIn(t *testing.T) {
	with := func(beta, canary float64) []Label {
		return []Label{{Name: "beta", Percent: beta}, {Name: "canary", Percent: canary}}
	}
	for i := range 20_000 {
		user := fmt.Sprintf("user-%d", i)
		for _, grown := range []struct {
			label         string
			before, after []Label
		}{
			{"beta", with(1, 10), with(5, 10)}, {"canary", with(10, 1), with(10, 5)}, {"canary", with(10, 5), with(10, 90)}, {"canary", with(0, 1), with(0, 2)},
		} {
			if LabelFor("triage", grown.before, user) == grown.label && LabelFor("triage", grown.after, user) != grown.label {
				t.Fatalf("%s was in %s and is not, as its share grew from %v to %v", user, grown.label, grown.before, grown.after)
			}
		}
	}
}

// The choice is the same on every machine and in every version: these are its words.
func TestTheChoiceStays(t *testing.T) {
	if got := fmt.Sprintf("%.6f %.6f", draw("triage", "canary", "user-1"), draw("triage", "canary", "user-2")); got != "0.481596 0.810743" {
		t.Errorf("drawn %s", got)
	}
	if draw("a", "bc") == draw("ab", "c") {
		t.Error("two lists of words are drawn as one")
	}
}

func TestSharesThatDoNotGoTogether(t *testing.T) {
	for _, c := range []struct{ labels, want string }{
		{"production: 0.1.0\nbeta: {version: 0.1.0, percent: 60}\ncanary: {version: 0.1.0, percent: 40.5}\n", "prompts/triage/labels.yaml:3:1: the labels of triage have 100.5 % of the callers in all"},
		{"production: {version: 0.1.0, percent: 99}\n", "prompts/triage/labels.yaml:1:1: the label production has a share of the callers"},
		{"production: 0.1.0\nbeta: {version: 0.1.0, percent: 70}\ncanary: {version: 0.1.0, percent: 29.9}\ndark: {version: 0.1.0, percent: 0.1}\n", ""},
	} {
		_, err := NewLibrary(fstest.MapFS{triageLabels: {Data: []byte(c.labels)}}).Labels("triage")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.labels, err, c.want)
		}
	}
}
