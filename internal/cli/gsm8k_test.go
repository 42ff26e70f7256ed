package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gsm8kModels are the models of the GSM8K release, with how many of its 1,319
// problems their published labels call solved.
var gsm8kModels = []struct {
	name   string
	solved int
}{
	{"6b_finetuning", 286}, {"6b_verification", 515}, {"175b_finetuning", 458}, {"175b_verification", 742},
}

const gsm8kCases = 1319

// problem is a line of the release's example_model_solutions.jsonl.
type problem struct {
	question  string
	golden    string // the text behind the last "A: " of the ground truth
	solutions map[string]string
}

// gsm8kProblems reads the release; the error says why it is not there.
func gsm8kProblems(t testing.TB) ([]problem, error) {
	t.Helper()
	file, err := os.Open(filepath.Join(moduleRoot(t), "..", "shared", "data", "gsm8k", "example_model_solutions.jsonl"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var problems []problem
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		problems = append(problems, parseProblem(t, lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return problems, nil
}

func parseProblem(t testing.TB, line []byte) problem {
	t.Helper()
	var row map[string]json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		t.Fatal(err)
	}
	var truth string
	p := problem{solutions: map[string]string{}}
	decode(t, row["question"], &p.question)
	decode(t, row["ground_truth"], &truth)
	p.golden = truth[strings.LastIndex(truth, "A: ")+len("A: "):]
	for _, model := range gsm8kModels {
		var answer struct{ Solution string }
		decode(t, row[model.name], &answer)
		p.solutions[model.name] = answer.Solution
	}
	return p
}

func decode(t testing.TB, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %.200q", err, data)
	}
}

// moduleRoot is the directory of go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Fatal("no go.mod above the test")
		}
		at = filepath.Dir(at)
	}
}

// gsm8kConfig has the four models, and the alias candidate, which a user points
// from one to another.
func gsm8kConfig(candidate string) string {
	var models strings.Builder
	for _, model := range gsm8kModels {
		fmt.Fprintf(&models, "  %s: {provider: release, model: %s}\n", model.name, model.name)
	}
	return `version: 1
project: gsm8k
providers:
  release: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
models:
` + models.String() + "  candidate: {provider: release, model: " + candidate + "}\n"
}

// wordProblemSuite compares the text behind the last "A: ", without thousands
// separators, with the golden answer.
const wordProblemSuite = `suite: gsm8k
prompt: solve
models: [candidate]
cases:
  - from: gsm8k.jsonl
expect:
  - golden: {extract: {regex: 'A: (.*)', drop: ','}}
gates:
  accuracy: {max_drop: 0.02}
`

const wordProblemPrompt = `---
name: solve
description: Solves a word problem.
model: {id: candidate, options: {temperature: 0}}
inputs:
  question: {kind: string, required: true}
---
system:
Solve the problem step by step. End with a line of the form "A: 18".
user:
{{ question }}
`

// newGSM8K makes the release a project: a suite of 1,319 cases, and the answers
// of the four models as they are imported.
func newGSM8K(t *testing.T, problems []problem) *site {
	t.Helper()
	var cases, answers strings.Builder
	for i, p := range problems {
		writeLine(t, &cases, map[string]any{"id": caseID(i), "question": p.question, "golden": p.golden})
		for _, model := range gsm8kModels {
			writeLine(t, &answers, map[string]any{"case": caseID(i), "model": model.name, "answer": p.solutions[model.name]})
		}
	}
	s := newSite(t, map[string]string{
		"llmx.yaml":                   gsm8kConfig("6b_finetuning"),
		"prompts/solve/draft.prompty": wordProblemPrompt,
		"suites/gsm8k.yaml":           wordProblemSuite,
		"suites/gsm8k.jsonl":          cases.String(),
		"answers.jsonl":               answers.String(),
	})
	out := s.mustRun(0, "fixtures", "import", "gsm8k", "answers.jsonl", "--origin", "GSM8K release")
	if want := fmt.Sprintf("%d replies imported, 0 of them", 4*gsm8kCases); !strings.Contains(out, want) {
		t.Fatalf("import says %q, want %q", out, want)
	}
	return s
}

// caseID is the line number, from 0001.
func caseID(index int) string { return fmt.Sprintf("%04d", index+1) }

func writeLine(t testing.TB, to *strings.Builder, value any) {
	t.Helper()
	line, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	to.Write(line)
	to.WriteByte('\n')
}

// TestGSM8K judges real answers of real models by the published labels, through
// whole commands: recordings, checks, store, baseline, verdict, exit code.
func TestGSM8K(t *testing.T) {
	problems, err := gsm8kProblems(t)
	if err != nil {
		t.Skip("the GSM8K answers are not here:", err)
	}
	if len(problems) != gsm8kCases {
		t.Fatalf("%d problems, want %d", len(problems), gsm8kCases)
	}
	s := newGSM8K(t, problems)
	t.Run("solved", func(t *testing.T) { s.on(t).solvesAsLabelled() })
	t.Run("6b_verification to 175b_finetuning", func(t *testing.T) { s.on(t).regresses() })
	t.Run("6b_finetuning to 6b_verification", func(t *testing.T) { s.on(t).improves() })
}

func (s *site) solvesAsLabelled() {
	var names []string
	for _, model := range gsm8kModels {
		names = append(names, model.name)
	}
	_, run := s.test("gsm8k", "--replay", "--model", strings.Join(names, ","))
	if len(run.Groups) != len(gsm8kModels) {
		s.t.Fatalf("%d groups, want %d", len(run.Groups), len(gsm8kModels))
	}
	for i, model := range gsm8kModels {
		group := run.Groups[i]
		if group.Model != model.name || group.Judged != gsm8kCases || group.Cases-group.FailedCases != model.solved {
			s.t.Errorf("%s: %d of %d judged cases pass, want %d of %d by %s",
				group.Model, group.Cases-group.FailedCases, group.Judged, model.solved, gsm8kCases, model.name)
		}
		accuracy := group.metric(s.t, "accuracy")
		if want := float64(model.solved) / gsm8kCases; math.Abs(*accuracy.Value-want) > 1e-12 {
			s.t.Errorf("%s: accuracy %v, want %v", model.name, *accuracy.Value, want)
		}
	}
}

// swap accepts one model's answers as the baseline and points the alias to
// another model, as somebody does who looks for a better one.
func (s *site) swap(from, to string) {
	s.t.Helper()
	s.remove("suites/gsm8k.baseline.jsonl")
	s.write("llmx.yaml", gsm8kConfig(from))
	s.test("gsm8k", "--replay")
	s.mustRun(0, "baseline", "accept")
	s.write("llmx.yaml", gsm8kConfig(to))
}

func (s *site) regresses() {
	s.swap("6b_verification", "175b_finetuning")
	code, run := s.test("gsm8k", "--replay")
	s.wantVerdict(code, run, 1, "regressed", 209, 152, 0.0015753284)
	group := run.Groups[0]
	if !group.HasBaseline || group.SameTreatment || group.Paired != gsm8kCases {
		s.t.Errorf("baseline %v, same treatment %v, %d paired", group.HasBaseline, group.SameTreatment, group.Paired)
	}
	worse := 0
	for _, flip := range run.Flips {
		if flip.Worse {
			worse++
		}
		if flip.Old == nil || *flip.Old == "" || flip.New == "" || *flip.Old == flip.New {
			s.t.Fatalf("the flip of %s does not show both answers", flip.Case)
		}
	}
	if worse != 209 || len(run.Flips) != 209+152 {
		s.t.Errorf("%d flips listed, %d worse", len(run.Flips), worse)
	}

	// The oracle file prints 0.5774904886 here. Its own b = c = 13 give the fraction
	// Σ C(26, k), k ≤ 13, over 2²⁶ = 9688683/16777216 = 0.5774905086, which stands below.
	code, run = s.test("gsm8k", "--replay", "--filter", "^(00[0-9][0-9]|0100)$")
	s.wantVerdict(code, run, 0, "inconclusive", 13, 13, 0.5774905086)
	if run.Verdict.Judged != 100 || run.Groups[0].Paired != 100 {
		s.t.Errorf("%d judged, %d paired, want the first 100 cases", run.Verdict.Judged, run.Groups[0].Paired)
	}
}

func (s *site) improves() {
	s.swap("6b_finetuning", "6b_verification")
	code, run := s.test("gsm8k", "--replay")
	s.wantVerdict(code, run, 0, "improved", 64, 293, -1)
	if gate := run.Groups[0].gate(s.t, "accuracy"); *gate.P > 1e-30 {
		s.t.Errorf("p = %v for 64 down and 293 up", *gate.P)
	}

	// Pointed back, the same recordings are the baseline's own answers.
	s.write("llmx.yaml", gsm8kConfig("6b_finetuning"))
	code, run = s.test("gsm8k", "--replay")
	if code != 0 || run.Verdict.Word != "unchanged" || !run.Groups[0].SameTreatment || len(run.Flips) != 0 {
		s.t.Errorf("exit %d, %s, %d flips, want unchanged", code, run.Verdict.Word, len(run.Flips))
	}
}

// wantVerdict checks exit, word, flips and, unless p is negative, the exact p of
// the gate on accuracy, which is given to ten decimals.
func (s *site) wantVerdict(code int, run runDocument, exit int, word string, down, up int, p float64) {
	s.t.Helper()
	gate := run.Groups[0].gate(s.t, "accuracy")
	if code != exit || run.Verdict.Exit != exit || string(run.Verdict.Word) != word {
		s.t.Errorf("exit %d, %s, want exit %d, %s", code, run.Verdict.Sentence, exit, word)
	}
	got := []int{gate.Down, gate.Up, run.Groups[0].FlipsDown, run.Groups[0].FlipsUp}
	if want := []int{down, up, down, up}; !slices.Equal(got, want) {
		s.t.Errorf("down and up of gate and group: %v, want %v", got, want)
	}
	if gate.P == nil {
		s.t.Fatalf("the gate on accuracy has no p: %+v", gate)
	}
	if p >= 0 && math.Abs(*gate.P-p) > 6e-11 {
		s.t.Errorf("p = %.12f, want %.10f", *gate.P, p)
	}
}
