package runner

import (
	"context"
	"iter"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// sees is a check that keeps what it is shown.
type sees struct {
	says
	subject *eval.Subject
}

func (s sees) Score(_ context.Context, subject eval.Subject) (eval.Score, error) {
	*s.subject = subject
	return eval.Score{Check: "sees", Pass: true}, nil
}

func TestAChecksSubjectHasToolCallsAndWhereItIsFrom(t *testing.T) {
	calls := []llm.ToolCall{{ID: "1", Name: "search", Arguments: `{"q":1}`}, {ID: "2", Name: "refund"}}
	model := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			for event := range (llm.Response{ToolCalls: calls, End: llm.End{Finish: llm.FinishToolCalls}}).Events() {
				if !yield(event, nil) {
					return
				}
			}
			yield(llm.Event{Call: &llm.Call{Finish: llm.FinishToolCalls, Stored: &llm.Stored{By: "cache"}}}, nil)
		}
	})
	var subject eval.Subject
	got := one(t, Plan{}, model, eval.Case{ID: "one", Checks: []eval.Check{sees{subject: &subject}}})
	if got.Status != eval.Pass || len(subject.ToolCalls) != 2 || subject.ToolCalls[0] != calls[0] || subject.ToolCalls[1] != calls[1] {
		t.Errorf("%s: the check saw %+v", got.Status, subject.ToolCalls)
	}
	if subject.StoredBy != "cache" || !subject.Stored {
		t.Errorf("the check saw an answer of %q", subject.StoredBy)
	}
}

// asItCame reads an answer that nothing binds.
func asItCame(said eval.Said, _ eval.Contract) eval.Reading {
	return eval.Reading{ToolCalls: said.ToolCalls}
}

// A result keeps its tool calls: a check of them is run again over what is stored.
func TestRescoreShowsTheStoredToolCalls(t *testing.T) {
	calls := []llm.ToolCall{{ID: "1", Name: "search", Arguments: `{"q":1}`}}
	old := eval.Result{
		Suite: "s", Case: "one", InputHash: "i", Status: eval.Pass, Finish: llm.FinishToolCalls,
		ToolCalls: calls, Digest: eval.DigestOfAnswer("", calls),
	}
	var subject eval.Subject
	c := eval.Case{ID: "one", InputHash: "i", Checks: []eval.Check{sees{subject: &subject}}}
	got, err := Rescore(t.Context(), &c, old, eval.Contract{}, asItCame)
	if err != nil || got.Status != eval.Pass || got.Digest != old.Digest || len(subject.ToolCalls) != 1 || subject.ToolCalls[0] != calls[0] {
		t.Errorf("%v, %+v: the check saw %+v", err, got, subject.ToolCalls)
	}
	old.ToolCalls = nil // as where content is not stored
	if _, err := Rescore(t.Context(), &c, old, eval.Contract{}, nil); fault.ClassOf(err) != fault.Unjudged {
		t.Errorf("without what the model said: %v", err)
	}
}
