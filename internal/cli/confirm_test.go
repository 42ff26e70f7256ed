package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
	"github.com/llmx-dev/llmx/internal/store"
)

// What flipped is asked anew in both arms, and the verdict is that of the new answers: a
// flip by chance does not come back, a regression does.
func TestConfirm(t *testing.T) {
	const flips, times = 10, 5
	for name, test := range map[string]struct {
		stays bool
		exit  int
		word  eval.Word
		want  eval.Confirmed
	}{
		"by chance":    {false, 0, eval.Inconclusive, eval.Confirmed{Times: times, Cases: flips, Same: flips}},
		"a regression": {true, 1, eval.Regressed, eval.Confirmed{Times: times, Cases: flips, Down: flips}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAges(t)
			a.edit()
			a.wrong = func(edited bool, _ string, n int) bool {
				return edited && n < flips && (test.stays || len(a.asked) <= 2*agesCases)
			}
			got := a.against(test.exit, "--against", "main")
			group := got.Groups[0]
			if got.Verdict.Word != test.word || group.Confirmed == nil || *group.Confirmed != test.want || group.Against.Prompt.Shown != test.stays {
				t.Errorf("%+v: %+v, %+v", got.Verdict, group.Confirmed, group.Against.Prompt)
			}
			if want := 2*agesCases + 2*flips*times; len(a.asked) != want {
				t.Errorf("%d requests, want %d", len(a.asked), want)
			}
			if gate := group.Gates[0]; !strings.Contains(gate.Test, "asked for anew") || !strings.Contains(gate.Note, "10 cases flipped, asked 5 times anew in both arms") {
				t.Errorf("%+v", gate)
			}
			a.stored(func(s *store.Store) {
				for arm, want := range map[eval.Arm]int{eval.Candidate: agesCases, eval.Against: agesCases, eval.Confirm: flips * times, eval.ConfirmAgainst: flips * times} {
					if n, err := s.ResultCount(t.Context(), store.Latest, store.ResultFilter{Arm: arm}); err != nil || n != want {
						t.Errorf("arm %q has %d results, want %d: %v", arm, n, want, err)
					}
				}
			})
		})
	}
}

// Without a commit the other arm is what the baseline was made with, wherever that is
// found; where it is not, that is said.
func TestConfirmAgainstTheBaseline(t *testing.T) {
	a := accepted(t)
	a.edit()
	a.wrong = func(edited bool, _ string, n int) bool { return n < 8 } // the model, and not the edit
	got := a.against(1, "--live", "--fresh", "--confirm", "3")
	if gate := got.Groups[0].Gates[0]; gate.Word != eval.Regressed || !strings.Contains(gate.Note, "does not show that it is the edit") {
		t.Errorf("%+v", gate) // what was accepted is lost, whoever has lost it
	}
	if want := agesCases + 2*8*3; len(a.asked) != want || count(a.asked, "then") != 8*3 {
		t.Errorf("%d requests, %d of them by the prompt of then", len(a.asked), count(a.asked, "then"))
	}
	if c := got.Groups[0].Confirmed; c == nil || *c != (eval.Confirmed{Times: 3, Cases: 8, Same: 8}) {
		t.Errorf("%+v", c)
	}
	if w := got.Groups[0].Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "8 cases that flipped fail now by the prompt of the baseline too: it may be the model that has moved") {
		t.Errorf("%q", w)
	}
	for _, want := range []int{agesCases + 2*8*3, 0} { // the second time out of the cache, for all of it
		if got := a.against(1, "--live", "--filter", "t-", "--confirm", "3"); len(a.asked) > want || got.Groups[0].Confirmed == nil || got.Groups[0].Confirmed.Same != 8 {
			t.Errorf("%d requests, want %d at most: %+v", len(a.asked), want, got.Groups[0].Confirmed)
		}
	}
	a.remove(".git")
	a.remove(".llmx")
	got = a.against(1, "--live", "--fresh", "--confirm", "3")
	if len(a.asked) != agesCases || got.Verdict.Word != eval.Regressed || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "what flipped was not confirmed: the prompt triage@draft of ") {
		t.Errorf("%d requests: %+v %q", len(a.asked), got.Verdict, got.Warnings)
	}
	for _, args := range [][]string{{"--confirm", "3", "--replay"}, {"--confirm", "-1"}, {"--confirm", "3", "--shard", "1/2"}} {
		if code, _, errs := a.in(a.dir, append([]string{"test"}, args...)...); code != 2 || !strings.Contains(errs, "--confirm") {
			t.Errorf("%v: exit %d\n%s", args, code, errs)
		}
	}
}

// A run that was killed while it confirmed goes on with that, and what is recorded are the
// first answers alone.
func TestConfirmGoesOn(t *testing.T) {
	const flips = 10
	a := newAges(t)
	a.edit()
	a.wrong = func(edited bool, _ string, n int) bool { return edited && n < flips }
	whole := a.against(1, "--against", "main", "--record")
	if lines := strings.Count(read(t, a.path("fixtures/tickets.jsonl")), "\n"); lines != 2*agesCases {
		t.Errorf("%d replies are recorded, want %d", lines, 2*agesCases)
	}
	a.reply = func(_ bool, _ string, _ int, reply *upstream.Reply) { reply.Delay = 10 * time.Millisecond }
	before := a.server.Count()
	process := a.start("test --against main --jobs 2")
	a.until("it confirms", func() bool { return a.server.Count() >= before+2*agesCases+6*flips })
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed, which Wait says
	got := a.against(1, "--resume", "--jobs", "2")
	if len(a.asked) >= 2*flips*5 || len(a.asked) == 0 || *got.Groups[0].Confirmed != *whole.Groups[0].Confirmed || got.Verdict.Sentence != whole.Verdict.Sentence || got.Verdict.Against != whole.Verdict.Against {
		t.Errorf("%d requests: %+v, %+v; want %+v", len(a.asked), got.Verdict, got.Groups[0].Confirmed, whole.Groups[0].Confirmed)
	}
}
