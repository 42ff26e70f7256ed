package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/cli"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// ages is a project in a git repository, on a provider that answers by the prompt that
// it is given, and that changes with time.
type ages struct {
	*site
	server *upstream.Server

	mu    sync.Mutex
	asked []string // the prompt of every request: "then" or "now"
	wrong func(edited bool, model string, n int) bool
	reply func(edited bool, model string, n int, reply *upstream.Reply)
}

const agesCases = 40

const editOfPrompt = "Think before you answer.\n"

func newAges(t *testing.T) *ages {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not on PATH")
	}
	a := &ages{wrong: func(bool, string, int) bool { return false }}
	a.server = upstream.New(t, func(model string, messages []upstream.Message, _ map[string]any) upstream.Reply {
		edited := strings.Contains(messages[0].Content, strings.TrimSpace(editOfPrompt))
		n := -1
		fmt.Sscanf(messages[len(messages)-1].Content, "ticket %d", &n)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked = append(a.asked, map[bool]string{false: "then", true: "now"}[edited])
		reply := upstream.Reply{Text: "billing", Usage: &upstream.Usage{Prompt: 40, Completion: 5}}
		if a.wrong(edited, model, n) {
			reply.Text = "bug"
		}
		if a.reply != nil {
			a.reply(edited, model, n, &reply)
		}
		return reply
	})
	a.site = newSite(t, map[string]string{"prompts/triage/draft.prompty": ticketPrompt, ".gitignore": ".llmx/\n"})
	a.settings("  small: {provider: loopback, price: {input: 1, output: 2}}\n")
	a.suite(agesCases, "")
	a.git("init", "--quiet", "--initial-branch=main")
	a.commit("the first")
	return a
}

func (a *ages) settings(models string) {
	a.t.Helper()
	a.write("llmx.yaml", fmt.Sprintf("version: 1\nproject: ages\nproviders:\n  loopback: {kind: openai, base_url: %q}\nmodels:\n%stest: {jobs: 1, replies: live}\n", a.server.URL(), models))
}

func (a *ages) suite(cases int, more string) {
	a.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "suite: tickets\nprompt: triage\nmodels: [small]\n%scases:\n", more)
	for i := range cases {
		fmt.Fprintf(&text, "  - {id: t-%02d, vars: {ticket: \"ticket %d\"}, golden: billing}\n", i, i)
	}
	a.write("suites/tickets.yaml", text.String())
}

// edit makes the draft another prompt.
func (a *ages) edit() {
	a.write("prompts/triage/draft.prompty", strings.Replace(ticketPrompt, "Label the ticket.\n", "Label the ticket.\n"+editOfPrompt, 1))
}

func (a *ages) git(args ...string) string {
	a.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		a.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (a *ages) commit(message string) {
	a.t.Helper()
	a.git("add", "-A")
	a.git("commit", "--quiet", "--message", message)
}

// in runs a command line in a directory, with what git needs of the environment.
func (a *ages) in(dir string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(context.Background(), args, &cli.World{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Dir: dir, Now: time.Now, Width: 120,
		LookupEnv: func(name string) (string, bool) {
			if name == "PATH" {
				return os.LookupEnv("PATH")
			}
			return "", false
		},
	})
	return code, out.String(), errs.String()
}

// compared is what these tests read of a run against a commit.
type compared struct {
	Verdict struct {
		Word      eval.Word
		Sentence  string
		Planned   int
		Against   string
		Unchanged []eval.Group
	}
	Groups []struct {
		Word      eval.Word
		Against   *eval.Comparison
		Confirmed *eval.Confirmed
		Gates     []eval.GateResult
		Warnings  []string
		Metrics   []eval.Metric
	}
	Warnings []string
}

func (a *ages) against(want int, args ...string) compared {
	a.t.Helper()
	a.asked = nil
	code, out, errs := a.in(a.dir, append([]string{"test", "--json"}, args...)...)
	var read compared
	if err := json.Unmarshal([]byte(out), &read); err != nil || code != want {
		a.t.Fatalf("llmx test %v: exit %d, want %d (%v)\n%s%s", args, code, want, err, out, errs)
	}
	return read
}

// One sentence says whose drift it is: of the model since the baseline, or of the edit.
func TestAgainstTellsTheEditFromTheModel(t *testing.T) {
	for name, test := range map[string]struct {
		model, edit int // cases that each spoils
		exit        int
		word        eval.Word
		sentence    string
	}{
		"nobody": {0, 0, 0, eval.Unchanged, "The model: no change shown since "},
		"model":  {12, 0, 0, eval.Unchanged, "Not you: the model moved −30.0 points since "},
		"edit":   {0, 12, 1, eval.Regressed, "It is your edit: −30.0 points ("},
		"both":   {12, 12, 1, eval.Regressed, "Both: the model moved −30.0 points since "},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAges(t)
			if code, _, errs := a.in(a.dir, "test"); code != 0 {
				t.Fatal(errs)
			}
			a.mustRun(0, "baseline", "accept")
			a.commit("the baseline")
			a.edit() // not committed: what is there is the candidate
			a.wrong = func(edited bool, _ string, n int) bool { return n < test.model || edited && n >= agesCases-test.edit }
			got := a.against(test.exit, "--against", "HEAD", "--confirm", "0")
			c := got.Groups[0].Against
			if got.Verdict.Word != test.word || c == nil || !strings.HasPrefix(c.Sentence, test.sentence) {
				t.Fatalf("%s: %+v", got.Verdict.Word, c)
			}
			if c.Model.Shown != (test.model > 0) || c.Prompt.Shown != (test.edit > 0) || c.Model.N != agesCases ||
				c.Model.Low > c.Model.Change || c.Model.High < c.Model.Change || c.Prompt.Low > c.Prompt.Change || c.Prompt.High < c.Prompt.Change {
				t.Errorf("model %+v, prompt %+v", c.Model, c.Prompt)
			}
			if now := count(a.asked, "now"); len(a.asked) != 2*agesCases || now != agesCases || got.Verdict.Planned != agesCases || c.Asked.Judged != agesCases {
				t.Errorf("%d requests, %d of them by the prompt of now; %+v", len(a.asked), now, c.Asked)
			}
			first := 0
			for i := 0; i < len(a.asked); i += 2 {
				if a.asked[i] == a.asked[i+1] {
					t.Fatalf("the arms are not interleaved: %v", a.asked)
				}
				if a.asked[i] == "now" {
					first++
				}
			}
			if first < agesCases/4 || first > agesCases*3/4 {
				t.Errorf("the prompt of now was asked first in %d of %d cases", first, agesCases)
			}
		})
	}
}

func count(list []string, word string) (n int) {
	for _, s := range list {
		if s == word {
			n++
		}
	}
	return n
}

// What was asked beside the candidate is stored, and is nobody's answer: not of a list,
// not of a baseline, not of a case's history.
func TestTheOtherArmIsKeptApart(t *testing.T) {
	a := newAges(t)
	a.edit()
	a.wrong = func(edited bool, _ string, n int) bool { return !edited && n < 20 }
	if got := a.against(0, "--against", "main", "--confirm", "0"); got.Verdict.Word != eval.Improved {
		t.Fatalf("%+v", got.Verdict)
	}
	a.stored(func(s *store.Store) {
		for arm, wantFails := range map[eval.Arm]int{eval.Candidate: 0, eval.Against: 20} {
			fails, all := 0, 0
			for r, err := range s.Results(t.Context(), store.Latest, store.ResultFilter{Arm: arm}) {
				if err != nil {
					t.Fatal(err)
				}
				all++
				if r.Status == eval.Fail {
					fails++
				}
			}
			if all != agesCases || fails != wantFails {
				t.Errorf("arm %q: %d of %d fail, want %d of %d", arm, fails, all, wantFails, agesCases)
			}
		}
		histories, err := s.Histories(t.Context(), "")
		if err != nil || len(histories) != agesCases {
			t.Fatalf("%d histories: %v", len(histories), err)
		}
		for _, h := range histories {
			if h.Draws != 1 || h.Passes != 1 {
				t.Errorf("the other arm is no history of this one: %+v", h)
			}
		}
	})
	if out := a.mustRun(0, "baseline", "accept"); !strings.Contains(out, "40 of 40 answers pass, 1 model") {
		t.Errorf("accepted: %s", out)
	}
	if out := a.mustRun(0, "runs", "show"); !strings.Contains(out, "Results: 40 (40 passed") || !strings.Contains(out, "Your edit: +50.0 points (+31.1 … +64.1). Whether the model moved cannot be told: there is no baseline") {
		t.Errorf("shown: %s", out)
	}
	a.mustRun(0, "rescore")
}

// Only what differs is asked; an alias or a route that points elsewhere differs, a
// comment and a new suite of the same prompt do not.
func TestAgainstAsksOnlyWhatDiffers(t *testing.T) {
	a := newAges(t)
	a.write("llmx.yaml", "# a comment\n"+read(t, a.path("llmx.yaml")))
	a.write("suites/other.yaml", "suite: other\nprompt: triage\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	got := a.against(0, "--against", "main")
	if len(a.asked) != 0 || got.Verdict.Word != eval.Unchanged || len(got.Verdict.Unchanged) != 2 || !strings.Contains(got.Verdict.Sentence, "nothing that decides an answer differs from main (") {
		t.Errorf("%d requests; %+v", len(a.asked), got.Verdict)
	}
	if _, err := os.Stat(a.path(".llmx")); err == nil {
		t.Error("a run in which nothing is asked is stored")
	}

	for name, models := range map[string]string{
		"alias": "  small: {provider: loopback, model: other, price: {input: 1, output: 2}}\n",
		"route": "  one: {provider: loopback, price: {input: 1, output: 2}}\nroutes:\n  small: {use: [one]}\n",
	} {
		a.settings(models)
		if got := a.against(0, "--against", "main"); len(a.asked) != 2*(agesCases+1) || got.Groups[0].Against == nil {
			t.Errorf("%s: %d requests; %+v", name, len(a.asked), got.Verdict)
		}
	}
	a.settings("  small: {provider: loopback, price: {input: 1, output: 2}}\n")

	// one suite asks another prompt, the other one the same
	a.write("prompts/second/draft.prompty", strings.Replace(ticketPrompt, "name: triage", "name: second", 1))
	a.write("suites/other.yaml", "suite: other\nprompt: second\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	got = a.against(0, "--against", "main")
	if len(a.asked) != 1 || len(got.Verdict.Unchanged) != 1 || got.Verdict.Unchanged[0].Suite != "tickets" {
		t.Errorf("a new prompt has nothing to stand beside: %d requests; %+v", len(a.asked), got.Verdict)
	}

	// the suite puts another model in the place of the one before
	a.settings("  small: {provider: loopback, price: {input: 1, output: 2}}\n  large: {provider: loopback, price: {input: 3, output: 4}}\n")
	a.write("suites/other.yaml", "suite: other\nprompt: triage\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	a.commit("two models")
	a.write("suites/other.yaml", "suite: other\nprompt: triage\nmodels: [large]\ncases: [{id: one, vars: {ticket: ticket 1}, golden: billing}]\n")
	got = a.against(0, "--against", "main", "other")
	if len(a.asked) != 2 || got.Groups[0].Against == nil || got.Groups[0].Against.Asked.Model != "small" {
		t.Errorf("%d requests; %+v", len(a.asked), got.Groups)
	}
}

// A clone that was cut short says which command fetches what is missing, and with it the
// run works; a branch that was never checked out is origin's.
func TestAgainstInAShallowClone(t *testing.T) {
	a := newAges(t)
	first := a.git("rev-parse", "HEAD")
	a.git("branch", "stable")
	a.edit()
	a.commit("the edit")
	clone := &ages{site: &site{t, t.TempDir()}, server: a.server}
	clone.git("clone", "--quiet", "--depth=1", "file://"+a.dir, ".")
	for ref, want := range map[string]string{
		"HEAD~1": "git fetch --unshallow",
		"stable": "git fetch --depth=1 origin stable:refs/remotes/origin/stable",
		first:    "git fetch --depth=1 origin " + first,
	} {
		code, _, errs := clone.in(clone.dir, "test", "--against", ref)
		if code != 2 || !strings.Contains(errs, "this clone is shallow") || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d\n%s", ref, code, errs)
		}
	}
	clone.git("fetch", "--quiet", "--depth=1", "origin", "stable:refs/remotes/origin/stable")
	code, out, errs := clone.in(clone.dir, "test", "--against", "stable")
	if code != 0 || !strings.Contains(out, "at origin/stable ("+first[:7]) {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

// What cannot be compared is refused before anything is asked, and says why.
func TestAgainstRefuses(t *testing.T) {
	a := newAges(t)
	first := a.git("rev-parse", "HEAD")
	refused := func(code int, want string, args ...string) {
		t.Helper()
		got, _, errs := a.in(a.dir, append([]string{"test"}, args...)...)
		if got != code || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d, want %d and %q\n%s", args, got, code, want, errs)
		}
	}
	refused(2, `the repository has no commit "mian"`, "--against", "mian")
	refused(2, `did you mean "main"`, "--against", "mian")
	refused(2, `"--help" is no name of a commit`, "--against=--help")
	refused(2, `"^main" is no name of a commit`, "--against", "^main")
	refused(2, "--against is empty", "--against", "")
	refused(2, "--shard and --confirm do not go together", "--against", "main", "--shard", "1/2", "--confirm", "3")

	a.write("llmx.yaml", "version: 1\nmodels: {small: {provider: gone}}\n")
	a.git("commit", "--quiet", "--all", "--message", "broken")
	a.git("checkout", "--quiet", first, "--", "llmx.yaml")
	refused(3, `main:llmx.yaml:2:`, "--against", "main")

	// an input was renamed: the prompt of then cannot be asked the cases of now
	a.git("commit", "--quiet", "--all", "--message", "mended")
	a.write("prompts/triage/draft.prompty", strings.ReplaceAll(ticketPrompt, "ticket:", "text:"))
	a.write("prompts/triage/draft.prompty", strings.ReplaceAll(strings.ReplaceAll(ticketPrompt, "ticket: {", "text: {"), "{{ ticket }}", "{{ text }}"))
	a.write("suites/tickets.yaml", "suite: tickets\nprompt: triage\nmodels: [small]\ncases: [{id: one, vars: {text: ticket 1}, golden: billing}]\n")
	refused(3, "(case one of suite tickets)", "--against", "main")

	a.git("checkout", "--quiet", "--orphan", "empty")
	a.git("rm", "--quiet", "-r", "-f", "--cached", ".")
	a.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
	refused(3, "empty:llmx.yaml: there was no such file yet", "--against", "empty")
	if len(a.asked) != 0 {
		t.Errorf("%d requests", len(a.asked))
	}
	a.remove(".git")
	refused(2, "git finds no repository that the project is in", "--against", "main")
}

// A new input of the prompt is one that the prompt of then does not know; providers are
// those of now, wherever the project stands in its repository.
func TestAgainstAsksTheCasesOfNow(t *testing.T) {
	a := newAges(t)
	inner := &ages{site: &site{t, a.path("deep/er")}, server: a.server}
	inner.settings("  small: {provider: elsewhere, price: {input: 1, output: 2}}\n")
	inner.write("llmx.yaml", strings.Replace(read(t, inner.path("llmx.yaml")), "loopback: {", "elsewhere: {", 1))
	inner.write("llmx.yaml", strings.Replace(read(t, inner.path("llmx.yaml")), a.server.URL(), "http://127.0.0.1:1", 1))
	inner.write("prompts/triage/draft.prompty", ticketPrompt)
	a.commit("a project within, whose provider is gone")
	inner.write("llmx.yaml", strings.Replace(read(t, inner.path("llmx.yaml")), "http://127.0.0.1:1", a.server.URL(), 1))
	inner.write("prompts/triage/draft.prompty", strings.Replace(strings.Replace(ticketPrompt, "---\nsystem", "  tone: {kind: string}\n---\nsystem", 1), "Label the ticket.\n", "Label the ticket. {{ tone }}\n"+editOfPrompt, 1))
	inner.write("suites/tickets.yaml", "suite: tickets\nprompt: triage\nmodels: [small]\ncases: [{id: one, vars: {ticket: ticket 1, tone: kindly}, golden: billing}]\n")
	if code, _, errs := inner.in(inner.dir, "test", "--against", "main~1"); code != 3 || !strings.Contains(errs, "main~1:deep/er/llmx.yaml: there was no such file yet") {
		t.Errorf("exit %d\n%s", code, errs)
	}
	code, out, errs := inner.in(inner.dir, "test", "--against", "main")
	if code != 0 || len(a.asked) != 2 || count(a.asked, "then") != 1 {
		t.Errorf("exit %d, asked %v\n%s%s", code, a.asked, out, errs)
	}
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Where what is asked beside fails, there is nothing to compare with: that is no pass.
func TestAgainstWhatCannotBeAsked(t *testing.T) {
	a := newAges(t)
	a.edit()
	a.reply = func(edited bool, _ string, n int, reply *upstream.Reply) {
		if !edited && n == 7 {
			*reply = upstream.Reply{Status: 400, Body: `{"error": {"message": "no", "code": "invalid_request"}}`}
		}
	}
	got := a.against(4, "--against", "main")
	if got.Verdict.Word != eval.NotGated || !strings.Contains(got.Verdict.Sentence, "the comparison is not whole: 1 of 40 results at main (") {
		t.Errorf("%+v", got.Verdict)
	}
	a.suite(agesCases, "max_errors: 1\n")
	if got := a.against(0, "--against", "main"); got.Verdict.Word != eval.Unchanged || got.Groups[0].Against.Prompt.N != agesCases-1 {
		t.Errorf("%+v", got.Verdict)
	}
}

// Both arms are asked side by side, so what they take can be compared.
func TestAgainstComparesLatency(t *testing.T) {
	a := newAges(t)
	a.suite(12, "gates: {latency_p50: {max_rise: 0.5}}\n")
	a.commit("a gate")
	a.edit()
	a.reply = func(edited bool, _ string, _ int, reply *upstream.Reply) {
		if edited {
			reply.Delay = 60 * time.Millisecond
		}
	}
	got := a.against(1, "--against", "main")
	i := slices.IndexFunc(got.Groups[0].Gates, func(g eval.GateResult) bool { return g.Metric == "latency_p50" })
	if gate := got.Groups[0].Gates[i]; gate.Word != eval.Regressed || gate.Down != 12 || gate.Baseline == nil || *gate.Value < *gate.Baseline {
		t.Errorf("%+v", gate)
	}
	if !strings.Contains(got.Verdict.Sentence, "latency_p50") {
		t.Error(got.Verdict.Sentence)
	}
}

// A run against a commit that was killed goes on in both arms, against the same commit,
// wherever its name points meanwhile.
func TestAgainstGoesOn(t *testing.T) {
	a := newAges(t)
	a.edit()
	whole := a.against(0, "--against", "main", "--fresh")
	a.reply = func(_ bool, _ string, _ int, reply *upstream.Reply) { reply.Delay = 10 * time.Millisecond }
	before := a.server.Count()
	process := a.start("test --against main --jobs 2")
	a.until("the run has come so far", func() bool { return a.server.Count() >= before+agesCases })
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed, which Wait says
	stored := 0
	a.stored(func(s *store.Store) {
		for _, arm := range []eval.Arm{eval.Candidate, eval.Against} {
			n, err := s.ResultCount(t.Context(), store.Latest, store.ResultFilter{Arm: arm})
			if err != nil || n == 0 || n == agesCases {
				t.Errorf("arm %q has %d results: %v", arm, n, err)
			}
			stored += n
		}
	})
	a.commit("the edit, so that main is another commit")
	suite := read(t, a.path("suites/tickets.yaml"))
	a.write("suites/tickets.yaml", strings.Replace(suite, "ticket 39\"}, golden: billing", "ticket 39\"}, golden: bug", 1))
	if code, _, errs := a.in(a.dir, "test", "--resume"); code != 3 || !strings.Contains(errs, "that it had not come to") {
		t.Errorf("with a changed case: exit %d\n%s", code, errs)
	}
	a.write("suites/tickets.yaml", suite)
	got := a.against(0, "--resume", "--jobs", "2")
	if len(a.asked) != 2*agesCases-stored || got.Groups[0].Against.Asked.Judged != agesCases || got.Groups[0].Against.Commit != whole.Groups[0].Against.Commit {
		t.Errorf("%d were asked for, %d were stored; %+v", len(a.asked), stored, got.Groups[0].Against)
	}
	if want := whole.Groups[0].Against.Prompt; *got.Groups[0].Against.Prompt != *want {
		t.Errorf("%+v, want %+v", got.Groups[0].Against.Prompt, want)
	}
}

// With --replay nobody is asked: recordings of both prompts are compared, and say nothing
// of whether the model has moved.
func TestAgainstReplayed(t *testing.T) {
	a := newAges(t)
	a.wrong = func(edited bool, _ string, n int) bool { return edited && n < 10 }
	a.against(0)
	a.mustRun(0, "baseline", "accept")
	a.edit()
	a.against(1, "--against", "main", "--record")
	got := a.against(1, "--against", "main", "--replay")
	if c := got.Groups[0].Against; c.Model != nil || !strings.Contains(c.Unknown, "recorded say nothing of the model of now") {
		t.Errorf("%+v", c)
	}
	if len(a.asked) > 0 || got.Verdict.Word != eval.Regressed || got.Groups[0].Against.Prompt.Change != -0.25 {
		t.Errorf("%d requests: %+v", len(a.asked), got)
	}
	a.remove("fixtures")
	if got := a.against(4, "--against", "main", "--replay"); got.Verdict.Word != eval.NotGated {
		t.Errorf("%+v", got.Verdict)
	}
	a.against(0, "--against", "main", "--replay", "--missing", "neutral")
}
