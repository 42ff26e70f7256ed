package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// passing are the ids and times of a document, which are of one run alone.
var passing = regexp.MustCompile(`("(?:run|call|started|duration_ms)": )("[^"]*"|\d+)|run \d{8}-\d{6}-[0-9a-f]{4}`)

func timeless(document string) string { return passing.ReplaceAllString(document, `$1""`) }

// Parts that ran on machines of their own make the run of one that did it all: byte for
// byte, but for ids and times.
func TestMergedPartsAreTheWhole(t *testing.T) {
	s := newKilled(t, 0)
	suite := strings.Replace(s.read("suites/tickets.yaml"), "{min: 0.5}", "{max_drop: 0.02}", 1)
	s.write("suites/tickets.yaml", suite)
	s.mustRun(4, "test", "--record") // nothing to compare with yet
	s.mustRun(0, "baseline", "accept")
	// Another answer to some of the cases, so that there are flips to find again.
	recordings := s.read("fixtures/tickets.jsonl")
	s.write("fixtures/tickets.jsonl", strings.Replace(recordings, `"text":"billing"`, `"text":"bug"`, 25))
	const parts = 3
	whole := s.mustRun(1, "test", "--replay", "--json")
	if !strings.Contains(whole, `"flips_down": `) || strings.Contains(whole, `"flips_down": 0`) {
		t.Fatalf("nothing has flipped:\n%s", whole)
	}
	var stores, ids []string
	for part := 1; part <= parts; part++ {
		machine := &site{t, t.TempDir()}
		if err := os.CopyFS(machine.dir, os.DirFS(s.dir)); err != nil {
			t.Fatal(err)
		}
		machine.remove(".llmx")
		shard := fmt.Sprintf("%d/%d", part, parts)
		out := machine.mustRun(0, "test", "--replay", "--json", "--shard", shard)
		if !strings.Contains(out, "part "+shard+" of a run: ") || strings.Contains(out, "regressed") || strings.Contains(out, `"p":`) {
			t.Errorf("a part says:\n%s", out)
		}
		if code, _, errs := machine.run("baseline", "accept"); code != 2 || !strings.Contains(errs, "part") {
			t.Errorf("a part was accepted as a baseline: exit %d, %s", code, errs)
		}
		stores = append(stores, filepath.Join(machine.dir, ".llmx", "llmx.db"))
		s.mustRun(0, "test", "--replay", "--json", "--shard", shard)
		ids = append(ids, strings.Fields(s.mustRun(0, "runs", "--limit", "1"))[6])
	}
	for name, given := range map[string][]string{"stores of three machines": stores, "runs of one store": ids} {
		merged := s.mustRun(1, append([]string{"runs", "merge", "--json"}, given...)...)
		if diff := cmp.Diff(timeless(whole), timeless(merged)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	refused := func(code int, want string, given ...string) {
		t.Helper()
		got, _, errs := s.run(append([]string{"runs", "merge"}, given...)...)
		if got != code || !strings.Contains(errs, want) {
			t.Errorf("merging %v: exit %d, %q; want exit %d, %q", given, got, errs, code, want)
		}
	}
	refused(2, "part 2/3 is missing", stores[0], stores[2])
	refused(2, "are both part 1/3", stores[0], ids[0], stores[1])
	refused(2, "is a whole run, and no part of one", regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{4}`).FindString(whole))
	refused(2, `there is no run "20010101"`, "20010101")
	s.write("suites/tickets.yaml", strings.Replace(suite, "\"ticket 3\"", "\"ticket three\"", 1))
	refused(3, "case t-03 of suite tickets is another one in "+stores[0], stores...)
	s.write("suites/tickets.yaml", suite+"  - {id: new, vars: {ticket: new}, golden: billing}\n")
	refused(3, "case new of suite tickets has 0 results in all parts, want 2", stores...)
	if list := s.mustRun(0, "runs"); strings.Contains(list, "interrupted") {
		t.Errorf("a merge that was refused has left a run to resume:\n%s", list)
	}
	s.write("suites/tickets.yaml", suite)
	s.write("prompts/triage/draft.prompty", ticketPrompt+"\nBe quick.\n")
	refused(3, "the prompt triage@draft of the suite tickets has changed", stores...)
}

// The cases that came out so before can be shared, too: the run is named, so that every
// machine takes the same ones.
func TestMergedPartsOfOnly(t *testing.T) {
	s := newKilled(t, 0)
	s.mustRun(0, "test", "--record")
	run := strings.Fields(s.mustRun(0, "runs"))[6]
	only := []string{"test", "--replay", "--json", "--only", "failed", "--of", run}
	whole := s.mustRun(1, only...)
	if !strings.Contains(whole, `"planned": 16,`) {
		t.Fatalf("not what failed:\n%s", whole)
	}
	var ids []string
	for _, shard := range []string{"1/3", "2/3", "3/3"} {
		s.mustRun(0, append(only, "--shard", shard)...)
		ids = append(ids, strings.Fields(s.mustRun(0, "runs", "--limit", "1"))[6])
	}
	if diff := cmp.Diff(timeless(whole), timeless(s.mustRun(1, append([]string{"runs", "merge", "--json"}, ids...)...))); diff != "" {
		t.Error(diff)
	}
	s.mustRun(0, "test", "--replay", "--json", "--shard", "2/3")
	other := strings.Fields(s.mustRun(0, "runs", "--limit", "1"))[6]
	if code, _, errs := s.run("runs", "merge", ids[0], other, ids[2]); code != 2 || !strings.Contains(errs, "were asked for different things") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

// Parts that compare with a commit have both arms, and are compared once they are merged.
func TestMergedPartsAgainstACommit(t *testing.T) {
	a := newAges(t)
	a.suite(agesCases, "gates: {accuracy: {max_drop: 0.02}}\n")
	a.commit("a margin")
	a.wrong = func(edited bool, _ string, n int) bool { return edited && n < 9 || n == 12 }
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := a.in(a.dir, args...)
		if code != want {
			t.Fatalf("llmx %v: exit %d, want %d\n%s%s", args, code, want, out, errs)
		}
		return out
	}
	merge := func(want int) string {
		t.Helper()
		return run(want, append([]string{"runs", "merge", "--json"}, a.newest(3)...)...)
	}

	// Nothing differs: nobody is asked, and the parts are there to be merged.
	whole := run(0, "test", "--against", "main", "--json")
	for _, shard := range []string{"1/3", "2/3", "3/3"} {
		run(0, "test", "--against", "main", "--json", "--shard", shard)
	}
	if diff := cmp.Diff(timeless(whole), timeless(merge(0))); diff != "" || len(a.asked) > 0 {
		t.Errorf("%d were asked\n%s", len(a.asked), diff)
	}

	a.edit()
	run(1, "test", "--record", "--against", "main", "--confirm", "0")
	whole = run(1, "test", "--replay", "--against", "main", "--json")
	if !strings.Contains(whole, `"word": "regressed"`) || !strings.Contains(whole, "Your edit: −22.5 points") {
		t.Fatalf("not worse:\n%s", whole)
	}
	for _, shard := range []string{"1/3", "2/3", "3/3"} {
		out := run(0, "test", "--replay", "--against", "main", "--json", "--shard", shard)
		if !strings.Contains(out, "part "+shard+" of a run: ") || strings.Contains(out, "regressed") || strings.Contains(out, "Your edit") || !strings.Contains(out, "is told once all parts are merged.") {
			t.Errorf("a part says:\n%s", out)
		}
	}
	if diff := cmp.Diff(timeless(whole), timeless(merge(1))); diff != "" {
		t.Error(diff)
	}
	a.reply = func(_ bool, _ string, n int, reply *upstream.Reply) {
		if n == 1 {
			*reply = upstream.Reply{Status: 400, Body: "{}"}
		}
	}
	if code, out, _ := a.in(a.dir, "test", "--live", "--against", "main", "--shard", "2/3"); code != 4 {
		t.Errorf("a part with errors: exit %d\n%s", code, out)
	}
}

// newest are the ids of the last runs.
func (a *ages) newest(n int) []string {
	a.t.Helper()
	code, out, errs := a.in(a.dir, "runs", "--limit", fmt.Sprint(n))
	if code != 0 {
		a.t.Fatal(errs)
	}
	return regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{4}`).FindAllString(out, -1)
}

// There may be more machines than a suite, or a run, has cases.
func TestMergedPartsWithoutCases(t *testing.T) {
	s := newTickets(t, "")
	s.write("suites/one.yaml", "suite: one\nprompt: triage\nmodels: [small]\ncases: [{id: alone, vars: {ticket: one}, golden: billing}]\n")
	s.mustRun(0, "test", "--record")
	whole := s.mustRun(0, "test", "--replay", "--json")
	const parts = ticketCases + 1
	ids := func() (ids []string) {
		for part := 1; part <= parts; part++ {
			out := s.mustRun(0, "test", "--replay", "--json", "--shard", fmt.Sprintf("%d/%d", part, parts))
			if part == parts && !strings.Contains(out, "part 4/4 of a run: it has no case") {
				t.Errorf("a part without a case says:\n%s", out)
			}
			ids = append(ids, regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{4}`).FindString(s.mustRun(0, "runs", "--limit", "1")))
		}
		return ids
	}()
	if diff := cmp.Diff(timeless(whole), timeless(s.mustRun(0, append([]string{"runs", "merge", "--json"}, ids...)...))); diff != "" {
		t.Error(diff)
	}
	if code, _, errs := s.run("baseline", "accept", ids[parts-1]); code != 2 || !strings.Contains(errs, "has no result") {
		t.Errorf("exit %d, %s", code, errs)
	}
	if code, _, errs := s.run("test", "--replay", "--filter", "nothing", "--shard", "1/2"); code != 4 || !strings.Contains(errs, "no case is selected") {
		t.Errorf("exit %d, %s", code, errs)
	}
	// A suite that nobody had when the parts were asked is found.
	s.write("suites/new.yaml", "suite: new\nprompt: triage\nmodels: [small]\ncases: [{id: x, vars: {ticket: one}, golden: billing}]\n")
	if code, _, errs := s.run(append([]string{"runs", "merge"}, ids...)...); code != 3 || !strings.Contains(errs, "case x of suite new has 0 results in all parts") {
		t.Errorf("exit %d, %s", code, errs)
	}
}
