package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

var testNow = time.Date(2026, 11, 12, 13, 14, 15, 161718, time.UTC)

func openTest(t testing.TB, path string, o Options) *Store {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	s, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tempStore(t testing.TB) *Store {
	return openTest(t, filepath.Join(t.TempDir(), "llmx.db"), Options{})
}

func beginRun(t testing.TB, s *Store, id string) eval.Run {
	t.Helper()
	run := eval.Run{ID: id, Started: testNow, State: eval.Running}
	if err := s.BeginRun(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	return run
}

func endRun(t testing.TB, s *Store, run eval.Run) {
	t.Helper()
	run.State, run.Ended = eval.Complete, testNow.Add(time.Minute)
	if err := s.EndRun(context.Background(), run); err != nil {
		t.Fatal(err)
	}
}

// sampleResult and sampleCall are what one usual case costs.
func sampleResult(run string, i int) eval.Result {
	answer := fmt.Sprintf(`{"label": "billing", "urgency": %d, "note": "the customer was charged twice"}`, i)
	return eval.Result{
		Run: run, Suite: "triage", Case: fmt.Sprintf("ticket-%07d", i), Tags: []string{"billing", "critical"},
		InputHash: "0123456789abcdef0123456789abcdef", CriteriaHash: "fedcba9876543210fedcba9876543210",
		Treatment: "00112233445566778899aabbccddeeff", Prompt: llm.PromptRef{Name: "triage", Version: "1.2.0", Hash: "aabbccddeeff00112233445566778899"},
		Model: "small", Answered: "gpt-4o-mini-2024-07-18", Status: eval.Pass,
		Scores: []eval.Score{{Check: "golden", Value: 1, Pass: true}, {Check: "schema", Metric: "schema", Value: 1, Pass: true}},
		Answer: answer, Digest: eval.DigestOf(answer), Valid: eval.Valid, Finish: llm.FinishStop,
		CallID: fmt.Sprintf("%s-call-%09d", run, i), Turns: 1, Attempts: 1, Usage: llm.Usage{Input: 210, Output: 31},
		Cost: llm.KnownCost(50_000), Paid: llm.KnownCost(50_000), Queue: time.Millisecond, Service: 50 * time.Millisecond,
		FirstToken: 20 * time.Millisecond, Started: testNow.Add(time.Duration(i) * time.Millisecond),
	}
}

func sampleCall(run string, i int) *llm.Call {
	r := sampleResult(run, i)
	return &llm.Call{
		ID: r.CallID, Started: r.Started, Prompt: r.Prompt, Vars: []byte(`{"ticket":"I was charged twice, fix it NOW"}`),
		Model: "small", Origin: llm.Origin{Run: run, Suite: r.Suite, Case: r.Case},
		Answer: r.Answer, Finish: r.Finish, Answered: r.Answered, Queue: r.Queue, Service: r.Service, FirstToken: r.FirstToken,
		Total: 52 * time.Millisecond,
		Turns: []llm.Turn{{
			Kind: "ask",
			Messages: []llm.Message{
				llm.Text(llm.System, "You label support tickets. Answer with one JSON object with the fields label and urgency, and nothing else."),
				llm.Text(llm.User, "I was charged twice, fix it NOW"),
			},
			Options: llm.Options{"temperature": []byte("0"), "max_tokens": []byte("200")},
			Output:  llm.Output{Kind: llm.OutputJSON, Schema: []byte(`{"type":"object","required":["label","urgency"]}`)},
			Answer:  r.Answer,
			Attempts: []llm.Attempt{{
				Provider: "openai", Model: "small", Wire: "gpt-4o-mini", Answered: r.Answered, ResponseID: fmt.Sprintf("chatcmpl-%d", i),
				Started: r.Started, Queue: r.Queue, Service: r.Service, FirstToken: r.FirstToken, Usage: r.Usage,
				Cost: r.Cost, Paid: r.Paid, Finish: r.Finish,
			}},
		}},
	}
}

// fill adds cases with a result (two checks) and a call (a turn, an attempt) each.
func fill(t testing.TB, s *Store, id string, cases int, shuffled bool) {
	run := beginRun(t, s, id)
	for i := range cases {
		result, call := sampleResult(id, i), sampleCall(id, i)
		if shuffled {
			h := fnv.New64a()
			fmt.Fprint(h, i)
			result.Case = fmt.Sprintf("%016x", h.Sum64())
		}
		s.Record(call)
		if err := s.AddResult(result); err != nil {
			t.Fatal(err)
		}
	}
	endRun(t, s, run)
}

func TestMain(m *testing.M) {
	if child := childOf(); child != nil {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}
