package verdict

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// problem is a line of the GSM8K release's example_model_solutions.jsonl.
type problem struct {
	Models map[string]struct {
		Correct  bool   `json:"is_correct"`
		Solution string `json:"solution"`
	}
}

func readProblems(t *testing.T) []problem {
	t.Helper()
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
			break
		}
		directory = filepath.Dir(directory)
	}
	f, err := os.Open(filepath.Join(directory, "..", "shared", "data", "gsm8k", "example_model_solutions.jsonl"))
	if err != nil {
		t.Skip("the GSM8K answers are not here:", err)
	}
	defer f.Close()
	var problems []problem
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var p problem
		p.Models = map[string]struct {
			Correct  bool   `json:"is_correct"`
			Solution string `json:"solution"`
		}{}
		var raw map[string]json.RawMessage
		if err := json.Unmarshal(scanner.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		for name, value := range raw {
			if strings.HasPrefix(name, "6b_") || strings.HasPrefix(name, "175b_") {
				model := p.Models[name]
				if err := json.Unmarshal(value, &model); err != nil {
					t.Fatal(err)
				}
				p.Models[name] = model
			}
		}
		problems = append(problems, p)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return problems
}

func TestGSM8K(t *testing.T) {
	problems := readProblems(t)
	tests := []struct {
		baseline, candidate string
		first               int
		margin              float64
		down, up            int
		p                   float64 // one-sided, of the word's direction; 0: not given
		word                eval.Word
		exit                int
		sentence            string
	}{
		{"6b_verification", "175b_finetuning", 1319, 0, 209, 152, 0.0015753284, eval.Regressed, 1,
			"regressed: gsm8k on small: accuracy 0.35, was 0.39 (p = 0.0016, 209 down, 152 up)"},
		// The oracle file prints 0.5774904886 here; its own b = c = 13 give the
		// fraction Σ C(26, k) for k ≤ 13 over 2²⁶ = 0.577490508556…, which is asserted.
		{"6b_verification", "175b_finetuning", 100, 0.02, 13, 13, 9688683.0 / 16777216, eval.Inconclusive, 0, "inconclusive: gsm8k on small"},
		{"6b_finetuning", "6b_verification", 1319, 0.02, 64, 293, 0, eval.Improved, 0, "improved: gsm8k on small: accuracy 0.39, was 0.22 (p < 0.0001, 64 down, 293 up)"},
	}
	correct := map[string]int{"6b_finetuning": 286, "6b_verification": 515, "175b_finetuning": 458, "175b_verification": 742}
	counted := map[string]int{}
	for _, p := range problems {
		for name, model := range p.Models {
			if model.Correct {
				counted[name]++
			}
		}
	}
	for name, want := range correct {
		if counted[name] != want {
			t.Errorf("%s: %d correct, want %d", name, counted[name], want)
		}
	}
	for _, test := range tests {
		b := against(problems[:test.first], test.baseline, test.candidate, test.margin)
		v := b.judge()
		gate := v.Groups[0].Gates[0]
		if v.Word != test.word || v.Exit != test.exit || gate.Down != test.down || gate.Up != test.up {
			t.Errorf("%s → %s: %s, exit %d, %d down, %d up", test.baseline, test.candidate, v.Word, v.Exit, gate.Down, gate.Up)
		}
		if test.p != 0 && math.Abs(*gate.P-test.p) > 5e-11 {
			t.Errorf("%s → %s: p = %.12f, want %.10f", test.baseline, test.candidate, *gate.P, test.p)
		}
		if !strings.HasPrefix(v.Sentence, test.sentence) {
			t.Errorf("%q, want %q", v.Sentence, test.sentence)
		}
		t.Log(v.Sentence, "–", gate.Note)
	}
}

// against puts one system's answers to another's, both to the same problems.
func against(problems []problem, baseline, candidate string, margin float64) *bench {
	b := newBench(maxDrop("accuracy", margin))
	b.group.Suite = "gsm8k"
	outcome := map[bool]string{true: "p", false: "f"}
	for i, p := range problems {
		id := strconv.Itoa(i + 1)
		before, now := p.Models[baseline], p.Models[candidate]
		line := b.before(id, outcome[before.Correct])
		line.Answers[0].Digest, line.Answers[0].Text = eval.DigestOf(before.Solution), &before.Solution
		b.now(id, outcome[now.Correct])
		b.results[i].Answer = now.Solution
	}
	return b
}

// The four systems in one run, each against one of them: the p that McNemar's test gives
// a pair, to both sides, times what Holm asks of three.
func TestGSM8KSideBySide(t *testing.T) {
	problems := readProblems(t)
	names := []string{"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}
	stands := make([]stand, len(names))
	for i, name := range names {
		var outcomes strings.Builder
		for _, p := range problems {
			outcomes.WriteString(map[bool]string{true: "p", false: "f"}[p.Models[name].Correct])
		}
		stands[i] = stand{name, outcomes.String(), llm.Money(100 * (i + 1))}
	}
	s := compared(1, Settings{}, stands...)
	if s.Cases != 1319 || s.Tests != 6 { // three of accuracy, three of cost
		t.Errorf("%d cases, %d tests", s.Cases, s.Tests)
	}
	for name, want := range map[string]struct {
		word          eval.Word
		worse, better int
	}{
		"6b_finetuning": {eval.Regressed, 293, 64}, "175b_finetuning": {eval.Regressed, 209, 152}, "175b_verification": {eval.Improved, 0, 0},
	} {
		c := contrastOf(t, s, name, metricAccuracy)
		if c.Word != want.word || want.worse > 0 && (c.Worse != want.worse || c.Better != want.better) {
			t.Errorf("%s: %s, %d worse, %d better; want %+v", name, c.Word, c.Worse, c.Better, want)
		}
	}
	// The largest of six p-values: Holm leaves it as it is.
	if c := contrastOf(t, s, "175b_finetuning", metricAccuracy); math.Abs(*c.P-2*0.0015753284) > 1e-10 || *c.Holm != *c.P || math.Abs(*c.Change-(458.0-515)/1319) > 1e-12 {
		t.Errorf("p = %.12f, Holm %.12f, change %v", *c.P, *c.Holm, *c.Change)
	}
	for i, want := range []bool{true, true, false, true} {
		if c := s.Candidates[i]; c.Frontier != want {
			t.Errorf("%s on the frontier: %t, dominated by %q", c.Name, c.Frontier, c.By)
		}
	}
}

// TestGSM8KTable judges every ordered pair of the four systems at growing sizes, and
// prints the table of words. The truth is taken from all 1,319 problems: a word that
// contradicts it is wrong; one that says nothing yet is not.
func TestGSM8KTable(t *testing.T) {
	problems := readProblems(t)
	systems := []string{"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}
	sizes := []int{25, 50, 100, 200, 400, len(problems)}
	const margin = 0.02
	var table strings.Builder
	fmt.Fprintf(&table, "\n| baseline → candidate | true change |")
	for _, n := range sizes {
		fmt.Fprintf(&table, " %d |", n)
	}
	fmt.Fprintf(&table, " seen from | promised |\n")
	for _, before := range systems {
		for _, now := range systems {
			if before == now {
				continue
			}
			truth := against(problems, before, now, margin).judge()
			gate := truth.Groups[0].Gates[0]
			change := *gate.Value - *gate.Baseline
			fmt.Fprintf(&table, "| %s → %s | %s points |", before, now, signedPoints(change))
			for _, n := range sizes {
				word := against(problems[:n], before, now, margin).judge().Word
				fmt.Fprintf(&table, " %s |", word)
				if word == eval.Regressed && change > -margin || word == eval.Improved && change < 0 || word == eval.Held && change < -margin {
					t.Errorf("%s → %s at %d: %s, though the truth is %+.3f", before, now, n, word, change)
				}
			}
			moved := float64(gate.Down+gate.Up) / float64(len(problems))
			fmt.Fprintf(&table, " %s | %.0f |\n", seenFrom(problems, before, now, change < 0), stats.PairsNeeded(moved, math.Abs(change), alpha, power))
			want := eval.Improved
			if change < 0 {
				want = eval.Regressed
			}
			if truth.Word != want {
				t.Errorf("%s → %s over all problems: %s, want %s", before, now, truth.Word, want)
			}
		}
	}
	t.Log(table.String())
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), strings.TrimSpace(table.String()[strings.Index(table.String(), "| "+systems[0]):])) {
		t.Error("the README has another table: put this one there (-v prints it)")
	}
}

// seenFrom is the smallest number of problems from which on the test keeps saying what
// it says of all of them.
func seenFrom(problems []problem, before, now string, worse bool) string {
	b, c, from := 0, 0, 0
	for i, p := range problems {
		switch old, new := p.Models[before].Correct, p.Models[now].Correct; {
		case old && !new:
			b++
		case new && !old:
			c++
		}
		test := stats.McNemar(b, c)
		seen := test.Greater <= alpha
		if worse {
			seen = test.Less <= alpha && float64(b-c)/float64(i+1) >= 0.02
		}
		switch {
		case !seen:
			from = 0
		case from == 0:
			from = i + 1
		}
	}
	if from == 0 {
		return "–"
	}
	return strconv.Itoa(from)
}
