package cli_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// ids lists the stored runs, the newest first.
func (s *site) ids() []string {
	s.t.Helper()
	var ids []string
	s.stored(func(kept *store.Store) {
		runs, err := kept.Runs(s.t.Context(), 0)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, run := range runs {
			ids = append(ids, run.ID)
		}
	})
	return ids
}

// keep stores a run that was started at a time, in a state.
func (s *site) keep(id string, started time.Time, state eval.RunState) {
	s.t.Helper()
	s.stored(func(kept *store.Store) {
		run := eval.Run{ID: id, Started: started, State: eval.Running, Groups: []eval.Group{{Suite: "tickets", Model: "small", Planned: ticketCases}}}
		err := kept.BeginRun(s.t.Context(), run)
		if state != eval.Running {
			run.State, run.Ended = state, started
			err = errors.Join(err, kept.EndRun(s.t.Context(), run))
		}
		if err != nil {
			s.t.Fatal(err)
		}
	})
}

func TestRescoreRefusesARunThatIsNotComplete(t *testing.T) {
	s := newTickets(t, "")
	s.mustRun(0, "test", "--live")
	s.keep("going", time.Now(), eval.Running)
	s.keep("stopped", time.Now(), eval.Interrupted)
	before := s.ids()
	for _, id := range []string{"going", "stopped"} {
		code, stdout, stderr := s.run("rescore", id)
		if code != fault.ExitUsage || stdout != "" || !strings.HasPrefix(stderr, "error: the run "+id+" is not complete\n") {
			t.Errorf("rescore %s: exit %d, %q, %q", id, code, stdout, stderr)
		}
	}
	if after := s.ids(); len(before) != 3 || !slices.Equal(after, before) {
		t.Errorf("the runs are %v now, and were %v", after, before)
	}
	s.mustRun(0, "rescore")
}

func TestPruneRemovesOnlyOlderRuns(t *testing.T) {
	s := newTickets(t, "")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for id, age := range map[string]time.Duration{"old": 3 * time.Hour, "just-old": time.Hour + time.Second, "just-young": time.Hour - time.Second, "new": 0} {
		s.keep(id, now.Add(-age), eval.Complete)
	}
	prune := func(said string, want []string, args ...string) {
		t.Helper()
		code, stdout, stderr := s.at(now, append([]string{"runs", "prune"}, args...)...)
		if got := s.ids(); code != 0 || !strings.HasPrefix(stdout, said) || !slices.Equal(got, want) {
			t.Errorf("prune %v: exit %d, %q%q; left %v, want %v", args, code, stdout, stderr, got, want)
		}
	}
	all := []string{"new", "just-young", "just-old", "old"}
	prune("removed 0 runs", all, "--older", "1h") // a hundred are kept, however old
	prune("removed 1 runs", all[:3], "--keep", "3", "--older", "1h")
	prune("removed 1 runs", all[:2], "--keep", "0", "--older", "1h")
	prune("removed 0 runs", all[:2], "--keep", "0", "--older", "1h")
	prune("removed 2 runs", nil, "--keep", "0")
}

// A file that breaks while the run goes on ends it: what was judged stays, and the
// run says when it ended, why, and with which exit code.
func TestAbandonedRunKeepsItsEnd(t *testing.T) {
	s := newTickets(t, "")
	s.write("suites/tickets.yaml", "suite: tickets\nprompt: triage\nmodels: [small]\ncases: [{from: first.jsonl}, {from: second.jsonl}]\n")
	s.write("suites/first.jsonl", `{"id":"a","ticket":"a","golden":"billing"}`+"\n"+`{"id":"b","ticket":"b","golden":"billing"}`+"\n")
	s.write("suites/second.jsonl", `{"id":"c","ticket":"c","golden":"billing"}`+"\n")
	s.answer = func(_, ticket string) upstream.Reply {
		if ticket == "a" { // the second file is not open yet
			s.write("suites/second.jsonl", "{broken\n")
		}
		return upstream.Reply{Text: "billing"}
	}
	code, stdout, stderr := s.run("test", "--live")
	if code != fault.ExitInvalid || stdout != "" || !strings.HasPrefix(stderr, "error: suites/second.jsonl:1:") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	s.stored(func(kept *store.Store) {
		run, err := kept.Run(t.Context(), store.Latest)
		if err != nil {
			t.Fatal(err)
		}
		if run.State != eval.Interrupted || run.Exit != fault.ExitInvalid || run.Verdict != nil {
			t.Errorf("the run is %s with exit %d and the verdict %v", run.State, run.Exit, run.Verdict)
		}
		if run.Failure == nil || run.Failure.Class != fault.Invalid {
			t.Errorf("it could not go on because of %+v", run.Failure)
		}
		if run.Ended.Before(run.Started) || time.Since(run.Ended) > time.Minute {
			t.Errorf("it was started %v and ended %v", run.Started, run.Ended)
		}
		if n, err := kept.ResultCount(t.Context(), run.ID, store.ResultFilter{Status: eval.Pass}); n != 2 || err != nil {
			t.Errorf("%d results were kept, %v; want the 2 before it", n, err)
		}
	})
}
