package cli_test

import (
	"strings"
	"testing"
)

// Of a suite that the commit knows nothing of, what flipped flipped against the baseline
// that was accepted, and is not said to be worse than at the commit.
func TestAgainstNamesTheBaselineOfWhatIsNew(t *testing.T) {
	a := newAges(t)
	a.wrong = func(edited bool, _ string, n int) bool { return edited && n < 3 }
	second := strings.Replace(ticketPrompt, "name: triage", "name: second", 1)
	a.write("prompts/second/draft.prompty", second)
	a.write("suites/other.yaml", "suite: other\nprompt: second\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	a.mustRun(0, "test", "--live")
	a.mustRun(0, "baseline", "accept")
	a.write("prompts/second/draft.prompty", strings.Replace(second, "Label the ticket.\n", "Label the ticket.\n"+editOfPrompt, 1))
	a.edit()
	page := func(want string, args ...string) {
		t.Helper()
		_, out, errs := a.in(a.dir, append([]string{"test", "--against", "main", "--confirm", "0"}, args...)...)
		if !strings.Contains(out, want) {
			t.Errorf("%v: no %q in\n%s%s", args, want, out, errs)
		}
	}
	at := "at main (" + a.git("rev-parse", "--short", "main") + ")"
	page("New: "+at+" nothing of it was asked; it is compared with the baseline.", "other")
	page("Worse than the baseline: 1 case\n", "other")
	page("Worse than "+at+": ", "tickets")
	page("Worse than " + at + ", or than the baseline: ")
}

// The prompts of a submodule are not in the repository that --against reads: they are not
// taken for prompts that the commit did not have.
func TestAgainstRefusesPromptsOfASubmodule(t *testing.T) {
	a := newAges(t)
	hash := a.git("rev-parse", "HEAD")
	a.git("rm", "--quiet", "-r", "--cached", "prompts")
	a.git("update-index", "--add", "--cacheinfo", "160000,"+hash+",prompts")
	a.git("commit", "--quiet", "--message", "prompts are a submodule")
	code, _, errs := a.in(a.dir, "test", "--against", "main")
	if code != 3 || !strings.Contains(errs, "main:prompts: it is a repository of its own there (a submodule)") || len(a.asked) != 0 {
		t.Errorf("exit %d, %d requests\n%s", code, len(a.asked), errs)
	}
}
