package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/cli"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// site is a project in a directory of its own, on which whole commands run
// in-process.
type site struct {
	t   testing.TB
	dir string
}

func newSite(t testing.TB, files map[string]string) *site {
	t.Helper()
	s := &site{t, t.TempDir()}
	for name, text := range files {
		s.write(name, text)
	}
	return s
}

// on is the same site, reporting to a subtest.
func (s *site) on(t testing.TB) *site { return &site{t, s.dir} }

func (s *site) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) remove(name string) {
	s.t.Helper()
	if err := os.RemoveAll(s.path(name)); err != nil {
		s.t.Fatal(err)
	}
}

// run is one command line; it gives the exit code and both streams.
func (s *site) run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(context.Background(), args, &cli.World{
		Stdin: bytes.NewReader(nil), Stdout: &out, Stderr: &errs, Dir: s.dir, Now: time.Now, Width: 120,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	return code, out.String(), errs.String()
}

func (s *site) mustRun(want int, args ...string) (stdout string) {
	s.t.Helper()
	code, stdout, stderr := s.run(args...)
	if code != want {
		s.t.Fatalf("llmx %v: exit %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout
}

// test is llmx test with --json: the exit code and the document.
func (s *site) test(args ...string) (int, runDocument) {
	s.t.Helper()
	code, stdout, stderr := s.run(append([]string{"test", "--json"}, args...)...)
	var document runDocument
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		s.t.Fatalf("llmx test %v: exit %d, no document: %v\n%s%s", args, code, err, stdout, stderr)
	}
	return code, document
}

// runDocument is what these tests read of a run's JSON.
type runDocument struct {
	Run     string
	Replies string
	State   eval.RunState
	Verdict struct {
		Word                              eval.Word
		Exit                              int
		Sentence                          string
		Planned, Judged, Errors, Unjudged int
	}
	Groups   []groupDocument
	Flips    []eval.Flip
	Failed   []eval.Failed
	Warnings []string
}

type groupDocument struct {
	Suite, Model  string
	Treatment     string
	Word          eval.Word
	Cases, Judged int
	FailedCases   int  `json:"failed_cases"`
	FlipsDown     int  `json:"flips_down"`
	FlipsUp       int  `json:"flips_up"`
	HasBaseline   bool `json:"has_baseline"`
	SameTreatment bool `json:"same_treatment"`
	Paired        int
	Draws         string
	Metrics       []eval.Metric
	Gates         []eval.GateResult
}

func (g groupDocument) metric(t testing.TB, name string) eval.Metric {
	t.Helper()
	for _, m := range g.Metrics {
		if m.Name == name && m.Value != nil {
			return m
		}
	}
	t.Fatalf("no metric %s in %v", name, g.Metrics)
	return eval.Metric{}
}

func (g groupDocument) gate(t testing.TB, metric string) eval.GateResult {
	t.Helper()
	for _, gate := range g.Gates {
		if gate.Metric == metric {
			return gate
		}
	}
	t.Fatalf("no gate on %s in %v", metric, g.Gates)
	return eval.GateResult{}
}

// journey is a suite of word problems and two models on a loopback server that
// answer it: real ones where the GSM8K release is there, made-up ones elsewhere.
type journey struct {
	*site
	server    *upstream.Server
	before    string // models
	now       string
	solutions map[string]map[string]string // by model, by question
	held      map[string]bool              // questions that the model now answers only once open is closed
	open      chan struct{}
}

// newJourney sets the suite, the server and the first model up. The model now
// answers the first so many cases at once, and holds the others back until
// release.
func newJourney(t *testing.T, problems []problem, before, now string, first int) *journey {
	t.Helper()
	j := &journey{
		before: before, now: now, solutions: map[string]map[string]string{before: {}, now: {}},
		held: map[string]bool{}, open: make(chan struct{}),
	}
	j.server = upstream.New(t, j.answer)
	t.Cleanup(j.release) // before the server waits for its requests to end
	var cases strings.Builder
	for i, p := range problems {
		writeLine(t, &cases, map[string]any{"id": caseID(i), "question": p.question, "golden": p.golden})
		j.held[p.question] = i >= first
		for model, solutions := range j.solutions {
			solutions[p.question] = p.solutions[model]
		}
	}
	j.site = newSite(t, map[string]string{
		"prompts/solve/draft.prompty": wordProblemPrompt,
		"suites/gsm8k.yaml":           wordProblemSuite,
		"suites/gsm8k.jsonl":          cases.String(),
	})
	j.point(before)
	return j
}

// point makes the alias candidate stand for a model.
func (j *journey) point(model string) {
	j.t.Helper()
	j.write("llmx.yaml", fmt.Sprintf(`version: 1
project: journey
providers:
  loopback: {kind: openai, base_url: %q}
models:
  candidate: {provider: loopback, model: %s, price: {input: 1, output: 2}}
cache: {exact: {ttl: 24h}}
test: {jobs: 8}
`, j.server.URL(), model))
}

func (j *journey) answer(model string, messages []upstream.Message, _ map[string]any) upstream.Reply {
	question := messages[len(messages)-1].Content
	if model == j.now && j.held[question] {
		<-j.open
	}
	solution, ok := j.solutions[model][question]
	if !ok {
		return upstream.Reply{Status: 404, Body: `{"error":{"message":"no such question"}}`}
	}
	return upstream.Reply{
		Text: solution, Pieces: 3, Model: model + "-2021",
		Usage: &upstream.Usage{Prompt: len(question) / 4, Completion: len(solution) / 4},
	}
}

// release lets every held request go on.
func (j *journey) release() {
	select {
	case <-j.open:
	default:
		close(j.open)
	}
}

// asked counts the requests that a piece of work makes.
func (j *journey) asked(work func()) int {
	before := j.server.Count()
	work()
	return j.server.Count() - before
}

// arithmetic makes up problems for two models, of which each is wrong here and
// there: "first" in a tenth of the cases, "second" in a fifth.
func arithmetic(n int) []problem {
	random := rand.New(rand.NewPCG(1, 2))
	problems := make([]problem, n)
	for i := range problems {
		a, b := 1000+random.IntN(9000), random.IntN(1000)
		solve := func(wrongOf10 int) string {
			sum := a + b
			if random.IntN(10) < wrongOf10 {
				sum++
			}
			return fmt.Sprintf("Shop %d sold %d and %d eggs.\nA: %d,%03d", i, a, b, sum/1000, sum%1000)
		}
		problems[i] = problem{
			question:  fmt.Sprintf("Shop %d sold %d eggs in May and %d in June. How many in both?", i, a, b),
			golden:    fmt.Sprint(a + b),
			solutions: map[string]string{"first": solve(1), "second": solve(2)},
		}
	}
	return problems
}

// figures are what must be alike however the replies came: all of the run's JSON
// but ids, times, what was paid now, and where the answers came from.
func (j *journey) figures(replies ...string) (int, map[string]any) {
	j.t.Helper()
	code, stdout, stderr := j.run(append([]string{"test", "gsm8k", "--json"}, replies...)...)
	var document map[string]any
	if err := json.Unmarshal([]byte(stdout), &document); err != nil {
		j.t.Fatalf("llmx test %v: exit %d, no document: %v\n%s%s", replies, code, err, stdout, stderr)
	}
	without(document, "run", "command", "replies", "started", "duration_ms")
	without(document["verdict"].(map[string]any), "paid")
	for _, entry := range document["groups"].([]any) {
		group := entry.(map[string]any)
		without(group, "draws", "draws_from", "draws_to")
		var timeless []any
		for _, metric := range group["metrics"].([]any) {
			if !strings.HasPrefix(metric.(map[string]any)["name"].(string), "latency") {
				timeless = append(timeless, metric)
			}
		}
		group["metrics"] = timeless
	}
	for _, list := range []string{"failed", "flips"} {
		for _, entry := range document[list].([]any) {
			without(entry.(map[string]any), "call")
		}
	}
	return code, document
}

func without(object map[string]any, keys ...string) {
	for _, key := range keys {
		delete(object, key)
	}
}

// way is one way in which replies come: how many requests it makes, and where its
// results say that they came from.
type way struct {
	flags    string
	requests int
	storedBy string
}

// TestRepliesGiveTheSameFigures carries one suite through the ways in which
// replies come: the words and figures are the same, and no way asks more than it
// must.
func TestRepliesGiveTheSameFigures(t *testing.T) {
	t.Run("made up", func(t *testing.T) {
		const n = 200
		newJourney(t, arithmetic(n), "first", "second", n).sameFigures(n, []way{
			{"--live", n, ""},
			{"--live", 0, "cache"},
			{"--live --fresh", n, ""},
			{"--record", n, ""},
			{"--record", 0, "recording"},
			{"--replay", 0, "recording"},
			{"", 0, "recording"}, // auto
			{"--record --fresh", n, ""},
			{"--replay", 0, "recording"},
		})
	})
	t.Run("GSM8K", func(t *testing.T) {
		problems, err := gsm8kProblems(t)
		if err != nil {
			t.Skip("the GSM8K answers are not here:", err)
		}
		code, document := newJourney(t, problems, "6b_verification", "175b_finetuning", gsm8kCases).sameFigures(gsm8kCases, []way{
			{"--live", gsm8kCases, ""}, {"--record", gsm8kCases, ""}, {"--replay", 0, "recording"},
		})
		sentence := document["verdict"].(map[string]any)["sentence"].(string)
		if code != 1 || !strings.HasPrefix(sentence, "regressed") || !strings.Contains(sentence, "209 down, 152 up") {
			t.Errorf("exit %d, %s", code, sentence)
		}
	})
}

// sameFigures makes a baseline of the model before, and judges the model now in
// all the ways, in their order.
func (j *journey) sameFigures(cases int, ways []way) (int, map[string]any) {
	if n := j.asked(func() { j.test("gsm8k", "--record") }); n != cases {
		j.t.Fatalf("%d requests for a baseline of %d cases", n, cases)
	}
	j.mustRun(0, "baseline", "accept")
	j.point(j.now)
	var first map[string]any
	var firstCode int
	for i, w := range ways {
		var code int
		var document map[string]any
		if n := j.asked(func() { code, document = j.figures(strings.Fields(w.flags)...) }); n != w.requests {
			j.t.Errorf("%d. %s: %d requests, want %d", i+1, w.flags, n, w.requests)
		}
		j.wantStored(w.flags, cases, w.storedBy)
		delete(document, "warnings") // recorded twice leaves lines, and a word about them
		if first == nil {
			first, firstCode = document, code
		}
		if diff := cmp.Diff(first, document); diff != "" || code != firstCode {
			j.t.Errorf("%d. %s: exit %d, first %d; other figures (-first +now):\n%s", i+1, w.flags, code, firstCode, diff)
		}
	}
	return firstCode, first
}

// wantStored checks that every result of the last run says where it came from.
func (j *journey) wantStored(way string, cases int, by string) {
	j.t.Helper()
	results := j.results()
	if len(results) != cases {
		j.t.Errorf("%s: %d results stored, want %d", way, len(results), cases)
	}
	for _, r := range results {
		if r.StoredBy != by {
			j.t.Errorf("%s: case %s is stored by %q, want %q", way, r.Case, r.StoredBy, by)
			return
		}
	}
}

type resultDocument struct {
	Case, Model, Status string
	StoredBy            string `json:"stored_by"`
}

// results are the stored results of a run, by default the last.
func (s *site) results(run ...string) []resultDocument {
	s.t.Helper()
	out := s.mustRun(0, append([]string{"runs", "show", "--json"}, run...)...)
	var results []resultDocument
	for line := range strings.Lines(out) {
		var r resultDocument
		decode(s.t, []byte(line), &r)
		results = append(results, r)
	}
	return results
}

// A test binary that is started with this set is llmx itself, so that tests have
// a process that can be killed.
const commandVariable = "LLMX_TEST_COMMAND"

func init() {
	if command, ok := os.LookupEnv(commandVariable); ok {
		os.Exit(cli.Main(strings.Fields(command)))
	}
}

// start runs a command line as a process of its own.
func (s *site) start(command string) *exec.Cmd {
	s.t.Helper()
	process := exec.Command(os.Args[0])
	process.Dir = s.dir
	process.Env = append(os.Environ(), commandVariable+"="+command)
	process.Stdout, process.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
	if err := process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = process.Process.Kill() // one that has ended cannot be killed
		_ = process.Wait()         // and one that was waited for says so again
	})
	return process
}

// until asks again and again for what another process does.
func (s *site) until(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited 30 s in vain until %s", what)
		}
	}
}

// begin starts a recording run of the model now in a process of its own, and waits
// until all cases that are answered are stored and the others hang.
func (j *journey) begin(answered int) *exec.Cmd {
	j.t.Helper()
	j.point(j.now)
	process := j.start("test gsm8k --record --jobs 4")
	j.until("the answered cases are stored", func() bool {
		code, out, _ := j.run("runs", "show", "--json")
		return code == 0 && strings.Count(out, "\n") == answered
	})
	return process
}

const recordings = "fixtures/gsm8k.jsonl"

// recorded reads the recordings' lines, each of which must be whole.
func (s *site) recorded() []string {
	s.t.Helper()
	data, err := os.ReadFile(s.path(recordings))
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	if last := lines[len(lines)-1]; last != "" {
		s.t.Errorf("the last recording is torn: %q", last)
	}
	lines = lines[:len(lines)-1]
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			s.t.Errorf("not JSON: %q", line)
		}
	}
	return lines
}

// TestKilledRecordingRun kills a recording run in the middle, without a chance to
// tidy up: what was answered is recorded and stored, the run is shown as what it
// is, no baseline comes of it, and the next run asks only for the rest.
func TestKilledRecordingRun(t *testing.T) {
	const cases, answered = 100, 60
	j := newJourney(t, arithmetic(cases), "first", "second", answered)
	process := j.begin(answered)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err == nil || errors.As(err, new(*exec.ExitError)) && process.ProcessState.Exited() {
		t.Fatalf("the process ended by itself: %v\n%s", err, process.Stderr)
	}

	if n := len(j.recorded()); n != answered {
		t.Errorf("%d replies are recorded, want %d", n, answered)
	}
	if results := j.results(); len(results) != answered {
		t.Errorf("%d results are stored, want %d", len(results), answered)
	}
	if out := j.mustRun(0, "runs"); !strings.Contains(out, "not finished") {
		t.Errorf("the killed run is listed as\n%s", out)
	}
	if code, _, stderr := j.run("baseline", "accept"); code == 0 {
		t.Errorf("a killed run was accepted as the baseline: %s", stderr)
	}

	j.release()
	var resumed map[string]any
	if n := j.asked(func() { _, resumed = j.figures("--record") }); n != cases-answered {
		t.Errorf("%d requests after the kill, want %d", n, cases-answered)
	}
	if n := len(j.recorded()); n != cases {
		t.Errorf("%d replies are recorded in the end, want %d", n, cases)
	}
	_, whole := j.figures("--live")
	if diff := cmp.Diff(whole, resumed); diff != "" {
		t.Errorf("figures after the kill (-live +recorded):\n%s", diff)
	}
}

// TestTwoProcessesWriteOneStore runs the same suite on one store and one file of
// recordings while another process is in the middle of it.
func TestTwoProcessesWriteOneStore(t *testing.T) {
	const cases, answered = 100, 30
	j := newJourney(t, arithmetic(cases), "first", "second", answered)
	process := j.begin(answered)

	j.point(j.before)
	var code int
	var run runDocument
	if n := j.asked(func() { code, run = j.test("gsm8k", "--record") }); n != cases {
		t.Errorf("%d requests beside another run, want %d", n, cases)
	}
	if run.State != eval.Complete || run.Verdict.Judged != cases {
		t.Errorf("beside another run: exit %d, %s, %d judged", code, run.State, run.Verdict.Judged)
	}
	if n := len(j.results(run.Run)); n != cases {
		t.Errorf("%d results stored beside another run, want %d", n, cases)
	}
	j.release()
	_ = process.Wait()                                                     // the exit code says more
	if other := process.ProcessState.ExitCode(); other != 4 || code != 4 { // there is no baseline to drop from
		t.Fatalf("the other process: exit %d\n%s%s", code, process.Stdout, process.Stderr)
	}

	if out := j.mustRun(0, "runs"); strings.Contains(out, "not finished") || strings.Count(out, "  gsm8k") != 2 {
		t.Errorf("both runs should be whole:\n%s", out)
	}
	if n := len(j.recorded()); n != 2*cases {
		t.Errorf("%d replies recorded, want %d of two models", n, 2*cases)
	}
	for _, model := range []string{j.before, j.now} {
		j.point(model)
		if n := j.asked(func() { _, run = j.test("gsm8k", "--replay") }); n != 0 || run.Verdict.Judged != cases {
			t.Errorf("%s: %d of %d judged by recordings, %d requests", model, run.Verdict.Judged, cases, n)
		}
	}
}
