package cli_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// kills is how many random points of a run TestResumeAfterKill kills it at.
var kills = flag.Int("resume.kills", 10, "how often TestResumeAfterKill kills a run")

const (
	killedCases   = 40
	killedRepeats = 2
)

// newKilled is a project whose model answers one case of five wrong, each after a delay.
func newKilled(t *testing.T, delay time.Duration) *tickets {
	s := newTickets(t, "")
	s.answer = func(_, ticket string) upstream.Reply {
		reply := upstream.Reply{Text: "billing", Delay: delay}
		var order int
		if _, err := fmt.Sscanf(ticket, "ticket %d", &order); err != nil {
			t.Error(err)
		}
		if order%5 == 0 {
			reply.Text = "bug"
		}
		return reply
	}
	var suite strings.Builder
	fmt.Fprintf(&suite, "suite: tickets\nprompt: triage\nmodels: [small]\nrepeats: %d\ngates: {accuracy: {min: 0.5}}\ncases:\n", killedRepeats)
	for i := range killedCases {
		fmt.Fprintf(&suite, "  - {id: t-%02d, vars: {ticket: \"ticket %d\"}, golden: billing}\n", i, i)
	}
	s.write("suites/tickets.yaml", suite.String())
	return s
}

// holdAfter lets no answer but so many go, however slow the one who kills is, until release.
func (s *tickets) holdAfter(answers int) (release func()) {
	var asked atomic.Int64
	held, answer := make(chan struct{}), s.answer
	s.answer = func(model, ticket string) upstream.Reply {
		if asked.Add(1) > int64(answers) {
			<-held
		}
		return answer(model, ticket)
	}
	return func() { close(held) }
}

// judgement is what must be the same of a run, however often it was cut short.
func judgement(t *testing.T, document string) map[string]any {
	t.Helper()
	var run struct {
		Verdict map[string]any
		Groups  []map[string]any
	}
	if err := json.Unmarshal([]byte(document), &run); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	kept := map[string]any{}
	for _, key := range []string{"word", "exit", "sentence", "planned", "judged", "errors", "unjudged"} {
		if run.Verdict[key] == nil {
			t.Fatalf("the verdict has no %s:\n%s", key, document)
		}
		kept[key] = run.Verdict[key]
	}
	for i, group := range run.Groups {
		kept[fmt.Sprint("gates ", i)], kept[fmt.Sprint("failed ", i)] = group["gates"], group["failed_cases"]
	}
	return kept
}

// TestResumeAfterKill kills a run at random points, and lets it go on: the verdict is
// that of a run that nobody disturbed, every case is there once, and what was stored is
// not asked for again.
func TestResumeAfterKill(t *testing.T) {
	whole := newKilled(t, 0)
	want := judgement(t, whole.mustRun(0, "test", "--live", "--fresh", "--jobs", "4", "--json"))
	const planned = killedCases * killedRepeats
	random := rand.New(rand.NewPCG(1, 2))
	for i := range *kills {
		point := 1 + random.IntN(planned-1)
		t.Run(fmt.Sprintf("%d after %d", i, point), func(t *testing.T) {
			s := newKilled(t, 4*time.Millisecond)
			release := s.holdAfter(point)
			process := s.start("test --live --fresh --jobs 4")
			s.until("the run has come so far", func() bool { return s.server.Count() >= point })
			if err := process.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = process.Wait() // it was killed, which Wait says
			release()
			stored := 0
			if code, out, _ := s.run("runs", "show", "--json"); code == 0 {
				stored = strings.Count(out, "\n")
			}
			before := s.server.Count()
			code, out, errs := s.run("test", "--resume", "--json", "--jobs", "4")
			if stored == 0 && code == 2 && strings.Contains(errs, "resume") {
				return // it was killed before it began
			}
			if code != 0 {
				t.Fatalf("exit %d: %s", code, errs)
			}
			if again := s.server.Count() - before; again != planned-stored {
				t.Errorf("%d were asked for, %d of %d were stored", again, stored, planned)
			}
			if diff := cmp.Diff(want, judgement(t, out)); diff != "" {
				t.Error(diff)
			}
			// What was paid is in the run, whatever became of the case that it was paid for.
			var costs struct {
				Rows []struct {
					Name string
					Paid struct {
						USD string
					}
				}
			}
			if err := json.Unmarshal([]byte(s.mustRun(0, "cost", "--by", "run", "--json")), &costs); err != nil || len(costs.Rows) != 1 {
				t.Fatalf("%v: %+v", err, costs)
			}
			if runs := s.mustRun(0, "runs"); !strings.Contains(runs, "$"+costs.Rows[0].Paid.USD) {
				t.Errorf("the run has paid $%s, and is listed as\n%s", costs.Rows[0].Paid.USD, runs)
			}
			if n := strings.Count(s.mustRun(0, "runs", "show", "--json"), "\n"); n != planned {
				t.Errorf("%d results are stored, want %d", n, planned)
			}
		})
	}
}

// cutShort kills a run that is under way, and gives what its suite says.
func cutShort(t *testing.T) (s *tickets, suite string) {
	s = newKilled(t, 20*time.Millisecond)
	process := s.start("test tickets --live --fresh --jobs 1 --filter t-")
	s.until("something is stored", func() bool {
		code, out, _ := s.run("runs", "show", "--json")
		return code == 0 && strings.Count(out, "\n") > 4
	})
	if code, _, errs := s.run("test", "--resume"); code != 2 || !strings.Contains(errs, "is under way in another process") {
		t.Errorf("of a run that lives: exit %d, %q", code, errs)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()
	return s, s.read("suites/tickets.yaml")
}

func TestResumeRefusesWhatHasChanged(t *testing.T) {
	s, suite := cutShort(t)
	refused := func(code int, want string, args ...string) {
		t.Helper()
		got, _, errs := s.run(append([]string{"test"}, args...)...)
		if got != code || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d, %q; want exit %d, %q", args, got, errs, code, want)
		}
	}
	asked := s.server.Count()
	for _, change := range []struct{ before, after, want string }{
		{"ticket 1\"}, golden: billing", "ticket 1\"}, golden: bug", "the golden answer or the checks of case t-01 of suite tickets have changed"},
		{"ticket 39\"}, golden: billing", "ticket 39\"}, golden: bug", "cases of the suite tickets were changed, added or taken out that it had not come to"},
		{"\"ticket 0\"", "\"ticket 200\"", "the input of case t-00 of suite tickets has changed"},
		{"repeats: 2", "repeats: 3", "tickets on small had 80 results planned, and now has 120"},
		{"models: [small]", "models: [big]", "tickets on big is new; tickets on small is no more"},
	} {
		s.write("suites/tickets.yaml", strings.Replace(suite, change.before, change.after, 1))
		refused(3, change.want, "--resume", "--jobs", "1")
	}
	s.write("suites/tickets.yaml", suite)
	s.write("prompts/triage/draft.prompty", ticketPrompt+"\nBe quick.\n")
	refused(3, "the prompt triage@draft of the suite tickets has changed", "--resume")
	s.write("prompts/triage/draft.prompty", ticketPrompt)
	refused(2, "--filter stands beside --resume", "--resume", "--filter", "t-1")
	refused(2, "a suite stands beside --resume", "--resume=latest", "tickets")
	refused(2, `there is no run "tikets"`, "--resume", "tikets")
	if s.server.Count() != asked {
		t.Errorf("%d requests were made by runs that were refused", s.server.Count()-asked)
	}
	run := strings.Fields(s.mustRun(0, "runs"))[6]
	s.mustRun(0, "test", "--resume", run)
	refused(2, "is complete: there is nothing to resume", "--resume", run)
	refused(2, "no run was cut short", "--resume")
	if !strings.Contains(s.mustRun(0, "runs", "show", run), "--filter t-") {
		t.Error("the run has lost its command")
	}
}

// Which cases are flaky is told by all runs, and a run that was cut short goes on with
// those that were flaky when it began.
func TestResumeOfWhatWasFlaky(t *testing.T) {
	s := newKilled(t, 0)
	var asked atomic.Int64
	var flaky, delay atomic.Int64
	s.answer = func(_, ticket string) upstream.Reply {
		reply := upstream.Reply{Text: "billing", Delay: time.Duration(delay.Load())}
		var order int64
		if _, err := fmt.Sscanf(ticket, "ticket %d", &order); err == nil && order < flaky.Load() && asked.Add(1)%2 == 0 {
			reply.Text = "bug"
		}
		return reply
	}
	flaky.Store(2)
	s.mustRun(0, "test", "--live", "--fresh", "--jobs", "1", "--repeats", "6", "--filter", "t-0", "--confirm", "0")
	delay.Store(int64(20 * time.Millisecond))
	process := s.start("test --live --fresh --jobs 1 --only flaky --repeats 10 --confirm 0")
	s.until("something is stored", func() bool {
		code, out, _ := s.run("runs", "show", "--json")
		return code == 0 && strings.Count(out, "\n") > 2 && strings.Count(out, "\n") < 20
	})
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()
	delay.Store(0)
	run := strings.Fields(s.mustRun(0, "runs", "--limit", "1"))[6]
	flaky.Store(4)
	s.mustRun(0, "test", "--live", "--fresh", "--jobs", "1", "--repeats", "6", "--filter", "t-0", "--confirm", "0")
	out := s.mustRun(0, "test", "--json", "--resume", run)
	if !strings.Contains(out, `"planned": 20,`) {
		t.Errorf("not the two cases that were flaky:\n%s", out)
	}
}
