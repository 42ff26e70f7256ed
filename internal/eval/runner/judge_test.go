package runner

import (
	"context"
	"encoding/json"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// one runs one case × repeat on a model, and gives the result.
func one(t *testing.T, plan Plan, model llm.Model, c eval.Case) eval.Result {
	t.Helper()
	if len(plan.Groups) == 0 {
		plan.Groups = []Group{{}}
	}
	plan.Jobs = 1
	plan.Groups[0].Cases = func(yield func(eval.Case, error) bool) { yield(c, nil) }
	var got eval.Result
	if err := Run(t.Context(), plan, model, func(_ int, _ *eval.Case, r *eval.Result) error { got = *r; return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func checked(want string) eval.Case {
	return eval.Case{ID: "one", Checks: []eval.Check{says{want: want}}}
}

// The digest is that of the answer, also of an empty one; where there was no answer
// there is none.
func TestDigest(t *testing.T) {
	filtered, cut := fault.New(fault.ContentFilter, "x"), fault.New(fault.Cut, "x")
	for name, test := range map[string]struct {
		answer  string
		failure error
		want    string
	}{
		"an answer":                  {"yes", nil, eval.DigestOf("yes")},
		"an empty answer":            {"", nil, eval.DigestOf("")},
		"a cut answer":               {"ye", cut, eval.DigestOf("ye")},
		"a cut before the answer":    {"", cut, ""},
		"withheld with some of it":   {"ye", filtered, eval.DigestOf("ye")},
		"withheld before the answer": {"", filtered, ""},
	} {
		got := one(t, Plan{}, told(test.answer, llm.FinishStop, llm.Output{}, test.failure), checked("yes"))
		if got.Digest != test.want {
			t.Errorf("%s: digest %q, want %q", name, got.Digest, test.want)
		}
	}
}

// calls is a model that answers "yes" with this record.
func calls(call llm.Call) llm.Model {
	return llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if yield(llm.Event{Text: call.Answer, End: &llm.End{Finish: call.Finish}}, nil) {
				yield(llm.Event{Call: &call}, nil)
			}
		}
	})
}

// stored is a check that passes when the answer is marked as stored.
type stored struct{ says }

func (stored) Score(_ context.Context, s eval.Subject) (eval.Score, error) {
	return eval.Score{Check: "stored", Pass: s.Stored}, nil
}

func TestResultSaysWhereAStoredAnswerIsFrom(t *testing.T) {
	at := time.Date(2026, 11, 12, 0, 0, 0, 0, time.UTC)
	call := llm.Call{ID: "call", Answer: "yes", Finish: llm.FinishStop}
	c := eval.Case{ID: "one", Checks: []eval.Check{stored{}}}

	now := one(t, Plan{}, calls(call), c)
	if now.StoredBy != "" || !now.StoredAt.IsZero() || now.Origin != "" || now.Status != eval.Fail {
		t.Errorf("an answer of now: %q %v %q, %s", now.StoredBy, now.StoredAt, now.Origin, now.Status)
	}
	call.Stored = &llm.Stored{By: "recording", At: at, Origin: "written"}
	kept := one(t, Plan{}, calls(call), c)
	if kept.StoredBy != "recording" || !kept.StoredAt.Equal(at) || kept.Origin != "written" || kept.Status != eval.Pass {
		t.Errorf("a recorded answer: %q %v %q, %s", kept.StoredBy, kept.StoredAt, kept.Origin, kept.Status)
	}
}

// What is asked: all of the plan and the case that decides an answer, and the golden
// answer as the hint of the simulated model.
func TestTheRequest(t *testing.T) {
	ref := llm.PromptRef{Name: "triage", Version: "1.2.0", Hash: "h"}
	vars := map[string]any{"ticket": "hi"}
	golden := map[string]any{"label": "billing", "urgency": json.Number("4")}
	plan := Plan{Run: "run-1", Reuse: llm.ReuseRefresh, Groups: []Group{{Group: eval.Group{Suite: "s", Model: "small", Prompt: ref}}}}
	var asked []llm.Request
	model := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		asked = append(asked, req)
		return llm.Replay("yes", llm.End{Finish: llm.FinishStop})
	})
	c := eval.Case{ID: "one", Repeats: 2, Vars: vars, Golden: &eval.Golden{Value: golden}, Checks: []eval.Check{says{want: "yes"}}, Tags: []string{"critical"}, InputHash: "i"}
	one(t, plan, model, c)
	want := llm.Request{
		Prompt: ref, Vars: vars, Model: "small", Tenant: "test", Reuse: llm.ReuseRefresh,
		Origin: llm.Origin{Run: "run-1", Suite: "s", Case: "one"}, Hint: golden, Tags: []string{"critical"}, Sticky: "i/0",
	}
	second := want
	second.Repeat, second.Sticky = 1, "i/1"
	if diff := cmp.Diff([]llm.Request{want, second}, asked); diff != "" {
		t.Error(diff)
	}

	asked, c.Golden, c.Repeats = nil, nil, 1
	one(t, plan, model, c)
	if len(asked) != 1 || asked[0].Hint != nil {
		t.Errorf("a case without a golden gives the hint %v", asked)
	}
}

func TestALengthStopSaysSo(t *testing.T) {
	want := &llm.Failure{Class: fault.Length, Message: "the answer stopped at the token limit"}
	for _, answer := range []string{"yes", "no"} { // a right one is no better
		got := one(t, Plan{}, told(answer, llm.FinishLength, llm.Output{}, nil), checked("yes"))
		if diff := cmp.Diff(want, got.Failure); diff != "" || got.Status != eval.Fail || got.Reason() != want.Message || len(got.Scores) != 1 {
			t.Errorf("%q: %s for %q with %d scores: %s", answer, got.Status, got.Reason(), len(got.Scores), diff)
		}
	}
	// A check on the finish reason judges it in place of this.
	asked := eval.Case{ID: "one", Checks: []eval.Check{says{want: "yes", needs: eval.NeedFinish}}}
	if got := one(t, Plan{}, told("yes", llm.FinishLength, llm.Output{}, nil), asked); got.Status != eval.Pass || got.Failure != nil {
		t.Errorf("asked for: %s, %v", got.Status, got.Failure)
	}
}

// A check that cannot judge names itself, and keeps its class.
func TestACheckThatCannotJudgeIsNamed(t *testing.T) {
	c := eval.Case{ID: "one", Checks: []eval.Check{says{err: fault.New(fault.Unjudged, "no price")}}}
	got := one(t, Plan{}, told("yes", llm.FinishStop, llm.Output{}, nil), c)
	want := &llm.Failure{Class: fault.Unjudged, Message: "the check says could not judge: no price"}
	if diff := cmp.Diff(want, got.Failure); diff != "" || got.Status != eval.Error {
		t.Errorf("%s: %s", got.Status, diff)
	}
}
