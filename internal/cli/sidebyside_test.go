package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// sideBySide asks two prompts of two models.
const sideBySide = "--prompt triage@0.1.0,triage@draft --model small,big --reference triage@draft,big"

// newSideBySide is newKilled with a release beside the draft, and with a second model,
// which is wrong more seldom.
func newSideBySide(t *testing.T, delay time.Duration) *tickets {
	s := newKilled(t, delay)
	s.answer = func(model, ticket string) upstream.Reply {
		reply := upstream.Reply{Text: "billing", Delay: delay}
		var order int
		if _, err := fmt.Sscanf(ticket, "ticket %d", &order); err != nil {
			t.Error(err)
		}
		if every := map[string]int{"small": 3, "big": 11}[model]; order%every == 0 {
			reply.Text = "bug"
		}
		return reply
	}
	s.mustRun(0, "prompt", "release", "triage", "--minor")
	s.write("prompts/triage/draft.prompty", strings.Replace(ticketPrompt, "Label the ticket.", "Label this ticket.", 1))
	return s
}

// besideOf is what a document says side by side, without what clocks have a say in.
func besideOf(t *testing.T, document string) any {
	t.Helper()
	var run struct {
		Verdict struct {
			SideBySide []map[string]any `json:"side_by_side"`
		}
	}
	if err := json.Unmarshal([]byte(document), &run); err != nil || len(run.Verdict.SideBySide) != 1 {
		t.Fatalf("%v\n%s", err, document)
	}
	for _, one := range run.Verdict.SideBySide[0]["candidates"].([]any) {
		for _, key := range []string{"latency_p50", "latency_p95"} {
			delete(one.(map[string]any), key)
		}
	}
	return run.Verdict.SideBySide[0]
}

// A run of several prompts and models that is killed goes on to the same verdict: no
// result is taken for that of another prompt.
func TestResumeSideBySide(t *testing.T) {
	args := strings.Fields("test --live --fresh --jobs 4 " + sideBySide)
	whole := newSideBySide(t, 0)
	document := whole.mustRun(0, append(args, "--json")...)
	want, wantBeside := judgement(t, document), besideOf(t, document)
	const planned = 4 * killedCases * killedRepeats
	for _, point := range []int{20, 150, 290} {
		s := newSideBySide(t, 2*time.Millisecond)
		process := s.start(strings.Join(args, " "))
		s.until("the run has come so far", func() bool { return s.server.Count() >= point })
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait() // it was killed, which Wait says
		stored := strings.Count(s.mustRun(0, "runs", "show", "--json"), "\n")
		before := s.server.Count()
		out := s.mustRun(0, "test", "--resume", "--json", "--jobs", "4")
		if again := s.server.Count() - before; again != planned-stored {
			t.Errorf("%d were asked for, %d of %d were stored", again, stored, planned)
		}
		if diff := cmp.Diff(want, judgement(t, out)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(wantBeside, besideOf(t, out)); diff != "" {
			t.Error(diff)
		}
	}
}

// The parts of such a run make the whole, byte for byte.
func TestMergedPartsAreTheWholeSideBySide(t *testing.T) {
	s := newSideBySide(t, 0)
	s.mustRun(0, strings.Fields("test --record "+sideBySide)...)
	args := strings.Fields("test --replay --json " + sideBySide)
	whole := s.mustRun(0, args...)
	if strings.Count(whole, `"metric": "accuracy"`) != 7 || !strings.Contains(whole, `"word": "regressed"`) { // four gates, three comparisons
		t.Fatalf("it says:\n%s", whole)
	}
	var stores []string
	for _, part := range []string{"1/2", "2/2"} {
		machine := &site{t, t.TempDir()}
		if err := os.CopyFS(machine.dir, os.DirFS(s.dir)); err != nil {
			t.Fatal(err)
		}
		machine.remove(".llmx")
		if out := machine.mustRun(0, append(args, "--shard", part)...); strings.Contains(out, "side_by_side") {
			t.Errorf("a part says:\n%s", out)
		}
		stores = append(stores, filepath.Join(machine.dir, ".llmx", "llmx.db"))
	}
	merged := s.mustRun(0, append([]string{"runs", "merge", "--json"}, stores...)...)
	if diff := cmp.Diff(timeless(whole), timeless(merged)); diff != "" {
		t.Error(diff)
	}
	// The answers of before, scored again, say the same; but each was of a call of its own time.
	if diff := cmp.Diff(besideOf(t, whole), besideOf(t, s.mustRun(0, "rescore", "--json"))); diff != "" {
		t.Error(diff)
	}
}
