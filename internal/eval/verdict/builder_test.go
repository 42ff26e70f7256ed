package verdict

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// bench builds a tally case by case: one suite on one model.
type bench struct {
	group    eval.Group
	settings Settings
	cases    []*eval.Case
	results  []*eval.Result
}

func newBench(gates ...eval.Gate) *bench {
	return &bench{
		group:    eval.Group{Suite: "triage", Model: "small", Treatment: "t2"},
		settings: Settings{Gates: gates},
	}
}

// header gives the bench a baseline.
func (b *bench) header() *eval.Baseline {
	if b.settings.Baseline == nil {
		b.settings.Baseline = &eval.Baseline{Headers: []eval.BaselineHeader{
			{Suite: "triage", Model: "other"},
			{Suite: "triage", Model: "small", Treatment: "t1", Prompt: llm.PromptRef{Name: "triage", Version: "1.2.0"}, Date: "2026-11-12", Draws: "recorded"},
		}}
	}
	return b.settings.Baseline
}

// before adds a baseline line: one letter a repeat, p or f; its answer is the letter.
func (b *bench) before(id, outcomes string) *eval.BaselineLine {
	line := eval.BaselineLine{Case: id, Model: "small", Input: "in-" + id, Criteria: "c1", Repeats: len(outcomes), Valid: -1}
	line.Passes = strings.Count(outcomes, "p")
	for _, letter := range []string{"p", "f"} {
		if n := strings.Count(outcomes, letter); n > 0 {
			text := letter
			answer := eval.BaselineAnswer{Digest: eval.DigestOf(letter), Text: &text, Count: n}
			if letter == "p" {
				answer.Passes = n
			}
			line.Answers = append(line.Answers, answer)
		}
	}
	base := b.header()
	base.Lines = append(base.Lines, line)
	return &base.Lines[len(base.Lines)-1]
}

// now adds a case: p pass, f fail, e error, u unjudged.
func (b *bench) now(id, outcomes string) *eval.Case {
	c := &eval.Case{Suite: "triage", ID: id, Repeats: len(outcomes), InputHash: "in-" + id, CriteriaHash: "c1"}
	b.cases = append(b.cases, c)
	for i, letter := range outcomes {
		r := &eval.Result{
			Suite: "triage", Case: id, Model: "small", Answered: "small-1", Repeat: i, Attempts: 1,
			Answer: string(letter), Cost: llm.KnownCost(1000), Paid: llm.KnownCost(1000), StoredBy: "recording",
			StoredAt: time.Date(2026, 11, 10+i, 0, 0, 0, 0, time.UTC),
		}
		switch letter {
		case 'p':
			r.Status = eval.Pass
		case 'f':
			r.Status = eval.Fail
			r.Scores = []eval.Score{{Check: "golden", Reason: "want billing"}}
		case 'e':
			r.Status, r.Failure = eval.Error, &llm.Failure{Class: "network", Message: "connection refused"}
		case 'u':
			r.Status, r.Failure, r.Attempts = eval.Unjudged, &llm.Failure{Class: "missing_reply", Message: "no recording"}, 0
		}
		b.results = append(b.results, r)
	}
	return c
}

// many adds n cases that went from one outcome to another.
func (b *bench) many(n int, before, now string) {
	for range n {
		id := fmt.Sprintf("c%05d", len(b.cases))
		if before != "" {
			b.before(id, before)
		}
		b.now(id, now)
	}
}

func (b *bench) tally() *Tally {
	b.group.Planned, b.group.Cases = len(b.results), len(b.cases)
	t := NewTally(b.group, b.settings)
	byID := map[string]*eval.Case{}
	for _, c := range b.cases {
		byID[c.ID] = c
	}
	for _, r := range b.results {
		t.Add(byID[r.Case], r)
	}
	return t
}

func (b *bench) judge() eval.Verdict { return Judge([]*Tally{b.tally()}, Options{}) }

func gateOf(t *testing.T, v eval.Verdict, metric string, kind eval.GateKind) eval.GateResult {
	t.Helper()
	for _, gate := range v.Groups[0].Gates {
		if gate.Metric == metric && gate.Kind == kind {
			return gate
		}
	}
	t.Fatalf("no gate %s %s in %+v", metric, kind, v.Groups[0].Gates)
	return eval.GateResult{}
}

func metricOf(t *testing.T, v eval.Verdict, name string) eval.Metric {
	t.Helper()
	for _, m := range v.Groups[0].Metrics {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no metric %s", name)
	return eval.Metric{}
}

func maxDrop(metric string, limit float64) eval.Gate {
	return eval.Gate{Metric: metric, Kind: eval.GateMaxDrop, Limit: limit}
}

func maxRise(metric string, limit float64) eval.Gate {
	return eval.Gate{Metric: metric, Kind: eval.GateMaxRise, Limit: limit}
}

func minimum(metric string, limit float64) eval.Gate {
	return eval.Gate{Metric: metric, Kind: eval.GateMin, Limit: limit}
}

func maximum(metric string, limit float64) eval.Gate {
	return eval.Gate{Metric: metric, Kind: eval.GateMax, Limit: limit}
}

// contains is a check of the answer's text.
type contains struct {
	text        string
	metric      string
	guess       bool // not deterministic
	operational bool
	weight      float64
	needs       eval.Need
}

func (c contains) Needs() eval.Need      { return c.needs }
func (c contains) Weight() float64       { return max(c.weight, 1) }
func (c contains) Name() string          { return "contains" }
func (c contains) Metric() string        { return c.metric }
func (c contains) Spec() json.RawMessage { return nil }
func (c contains) Operational() bool     { return c.operational }
func (c contains) Deterministic() bool   { return !c.guess }
func (c contains) Score(_ context.Context, s eval.Subject) (eval.Score, error) {
	pass := strings.Contains(s.Answer, c.text)
	score := eval.Score{Check: "contains", Metric: c.metric, Pass: pass, Weight: c.weight}
	if pass {
		score.Value = 1
	}
	return score, nil
}
