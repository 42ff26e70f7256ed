package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// drifted is what these tests read of llmx drift --json.
type drifted struct {
	Verdict struct {
		Word     eval.Word
		Sentence string
	}
	Groups []struct {
		Word  eval.Word
		Drift *eval.Drift `json:"model_drift"`
	}
	Warnings []string
}

func (a *ages) drift(want int, args ...string) drifted {
	a.t.Helper()
	a.asked = nil
	code, out, errs := a.in(a.dir, append([]string{"drift", "--json"}, args...)...)
	var read drifted
	if err := json.Unmarshal([]byte(out), &read); err != nil || code != want {
		a.t.Fatalf("llmx drift %v: exit %d, want %d (%v)\n%s%s", args, code, want, err, out, errs)
	}
	return read
}

// accepted is ages with a baseline that was committed beside its prompt.
func accepted(t *testing.T) *ages {
	t.Helper()
	a := newAges(t)
	if code, _, errs := a.in(a.dir, "test"); code != 0 {
		t.Fatal(errs)
	}
	a.mustRun(0, "baseline", "accept")
	a.commit("the baseline")
	return a
}

// The baseline is asked as it was made, whatever became of the files since.
func TestDriftAsksTheBaselineAsItWasMade(t *testing.T) {
	for name, change := range map[string]func(a *ages){
		"the same files":           func(*ages) {},
		"an edited draft, by git":  func(a *ages) { a.edit() },
		"a committed edit, by git": func(a *ages) { a.edit(); a.commit("the edit") },
		"another model, by git": func(a *ages) {
			a.settings("  small: {provider: loopback, model: other, price: {input: 1, output: 2}}\n")
		},
		"an edited draft, the store": func(a *ages) { a.edit(); a.remove(".git") },
	} {
		t.Run(name, func(t *testing.T) {
			a := accepted(t)
			change(a)
			if got := a.drift(0); got.Verdict.Word != eval.Steady || got.Groups[0].Drift.Shown || !strings.Contains(got.Verdict.Sentence, "no drift shown since ") {
				t.Errorf("%+v", got)
			}
			if now := count(a.asked, "now"); now > 0 || len(a.asked) != agesCases {
				t.Errorf("%d requests, %d of them by another prompt", len(a.asked), now)
			}
			a.wrong = func(_ bool, model string, n int) bool { return n < 10 && model == "small" }
			if got := a.drift(1); got.Verdict.Word != eval.Drifted || !strings.HasPrefix(got.Verdict.Sentence, "drifted: tickets on small: the model moved −25.0 points since ") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What cannot be asked as it was is not judged, and an edited release is named, both
// without a call.
func TestDriftWithoutACall(t *testing.T) {
	a := accepted(t)
	refused := func(code int, want string) {
		t.Helper()
		a.asked = nil
		got, _, errs := a.in(a.dir, "drift")
		if got != code || !strings.Contains(errs, want) || len(a.asked) > 0 {
			t.Errorf("exit %d, %d requests, want %d and %q\n%s", got, len(a.asked), code, want, errs)
		}
	}
	a.settings("  small: {provider: loopback, model: other, price: {input: 1, output: 2}}\n")
	a.remove(".git")
	refused(4, "tickets on small: the model small stands for something else than in the baseline of ")
	a.edit()
	a.remove(".llmx")
	refused(4, "is neither in prompts/, nor in git, nor in the store")
	a.remove("suites/tickets.baseline.jsonl")
	refused(4, "no suite has a baseline to ask afresh")

	a.mustRun(0, "prompt", "release", "triage", "--minor")
	a.write("prompts/triage/0.1.0.prompty", strings.Replace(read(t, a.path("prompts/triage/0.1.0.prompty")), "Label", "Name", 1))
	refused(3, "triage@0.1.0")
}

// A suite that has no baseline yet wakes nobody at night, unless it was asked for.
func TestDriftLeavesOutSuitesWithoutBaseline(t *testing.T) {
	a := accepted(t)
	a.write("suites/other.yaml", "suite: other\nprompt: triage\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	if got := a.drift(0); len(got.Groups) != 1 || len(got.Warnings) != 1 || got.Warnings[0] != "the suite other has no baseline to ask afresh" {
		t.Errorf("%+v", got)
	}
	if code, _, errs := a.in(a.dir, "drift", "other"); code != 4 || !strings.Contains(errs, "the suite other has no baseline to ask afresh") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

// A model that got better has moved, too; one that cannot be asked was not judged.
func TestDriftEitherWay(t *testing.T) {
	a := newAges(t)
	a.wrong = func(_ bool, _ string, n int) bool { return n < 10 }
	a.against(1)
	a.mustRun(0, "baseline", "accept")
	a.wrong = func(bool, string, int) bool { return false }
	if got := a.drift(1, "--repeats", "2"); !strings.Contains(got.Verdict.Sentence, "the model moved +25.0 points") || len(a.asked) != 2*agesCases {
		t.Errorf("%d requests: %+v", len(a.asked), got)
	}
	a.reply = func(_ bool, _ string, _ int, reply *upstream.Reply) { *reply = upstream.Reply{Status: 400, Body: "{}"} }
	if got := a.drift(4); got.Verdict.Word != eval.NotGated || !strings.Contains(got.Verdict.Sentence, "0 of 40 results judged") {
		t.Errorf("%+v", got)
	}
}
