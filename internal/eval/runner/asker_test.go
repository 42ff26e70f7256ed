package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// judged asks the model of its subject whether the answer is right.
type judged struct{ says }

func (judged) Deterministic() bool { return false }
func (judged) Score(ctx context.Context, s eval.Subject) (eval.Score, error) {
	origin := s.Origin
	origin.Check = "judged"
	response, err := llm.Collect(s.Ask.Stream(ctx, llm.Request{Prompt: llm.PromptRef{Name: "judge"}, Vars: map[string]any{"answer": s.Answer}, Origin: origin}))
	asked := &eval.Asked{Model: "judge", Eval: eval.Eval{Calls: 1, Cost: llm.KnownCost(0), Paid: llm.KnownCost(0)}}
	if response.Call != nil {
		asked.Calls, asked.Cost, asked.Paid = []string{response.Call.ID}, response.Call.Cost(), response.Call.Paid()
	}
	return eval.Score{Check: "judged", Pass: response.Text == "right", Asked: asked}, err
}

// court answers every repeat of a case alike, and counts what it is asked as a judge.
type court struct {
	mu      sync.Mutex
	asked   []llm.Request
	failure func(n int) error // of the nth question, from 1
	wait    time.Duration
}

func (c *court) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if req.Prompt.Name != "judge" {
			told("answer to "+req.Origin.Case, llm.FinishStop, llm.Output{}, nil).Stream(ctx, req)(yield)
			return
		}
		c.mu.Lock()
		c.asked = append(c.asked, req)
		n := len(c.asked)
		c.mu.Unlock()
		select {
		case <-time.After(c.wait):
		case <-ctx.Done():
			yield(llm.Event{}, fault.Ended(ctx, nil))
			return
		}
		var failure error
		if c.failure != nil {
			failure = c.failure(n)
		}
		told("right", llm.FinishStop, llm.Output{}, failure).Stream(ctx, req)(yield)
	}
}

func (c *court) run(t *testing.T, plan Plan, stop chan struct{}) ([]eval.Result, error) {
	t.Helper()
	plan.Jobs, plan.Stop = 4, stop
	plan.Groups = []Group{{Group: eval.Group{Suite: "s"}, Cases: cases(3, 4, judged{})}}
	var results []eval.Result
	err := Run(t.Context(), plan, c, func(_ int, _ *eval.Case, r *eval.Result) error {
		results = append(results, *r)
		return nil
	})
	return results, err
}

// The same answer of four repeats is judged once, also where all come at the same
// time; what is shared costs nothing now, and is told apart from the answer's cost.
func TestTheSameAnswerIsJudgedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &court{wait: time.Second}
		results, err := c.run(t, Plan{Run: "r", Judges: Judging{Reuse: llm.ReuseRefresh}}, nil)
		if err != nil || len(results) != 12 || len(c.asked) != 3 {
			t.Fatalf("%d results, %d questions, %v", len(results), len(c.asked), err)
		}
		paid := llm.KnownCost(0)
		for _, r := range results {
			if r.Status != eval.Pass || r.Eval.Calls != 1 || r.Eval.Cost != llm.KnownCost(5) || r.Cost != llm.KnownCost(5) || r.Paid != llm.KnownCost(5) {
				t.Errorf("%+v", r)
			}
			paid = paid.Plus(r.Eval.Paid)
		}
		if paid != llm.KnownCost(15) {
			t.Errorf("paid %v for judges", paid)
		}
		for _, req := range c.asked {
			if req.Repeat != 0 || req.Reuse != llm.ReuseRefresh || req.Origin.Check != "judged" || req.Origin.Run != "r" || req.Origin.Suite != "s" {
				t.Errorf("%+v", req)
			}
		}
	})
}

// A question that failed is asked again by who waits for it.
func TestAJudgeThatFailedIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &court{wait: time.Second, failure: func(n int) error {
			if n <= 3 {
				return fault.New(fault.Overloaded, "not now")
			}
			return nil
		}}
		results, err := c.run(t, Plan{}, nil)
		failed := 0
		for _, r := range results {
			if r.Status == eval.Error && r.Failure.Class == fault.Overloaded && len(r.Scores) == 0 && r.Eval.Calls == 1 {
				failed++
			}
		}
		if err != nil || failed != 3 || len(results) != 12 {
			t.Errorf("%d of %d failed, %v", failed, len(results), err)
		}
	})
}

// A judgement that is missing leaves the answer unjudged.
func TestAMissingJudgementIsUnjudged(t *testing.T) {
	c := &court{failure: func(int) error { return fault.New(fault.Missing, "no recorded reply") }}
	results, err := c.run(t, Plan{}, nil)
	if err != nil || results[0].Status != eval.Unjudged || results[0].Digest == "" {
		t.Errorf("%+v, %v", results[0], err)
	}
}

// A run that is stopped leaves judges who only wait; their results are not told.
func TestAStopLeavesJudgesThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		c := &court{wait: time.Hour}
		time.AfterFunc(time.Second, func() { close(stop) })
		begun := time.Now()
		results, err := c.run(t, Plan{}, stop)
		if fault.ClassOf(err) != fault.Canceled || len(results) != 0 || time.Since(begun) != time.Second {
			t.Errorf("%d results after %s, %v", len(results), time.Since(begun), err)
		}
	})
}

// What is kept is bounded.
func TestAnswersOfJudgesAreForgotten(t *testing.T) {
	c := &court{}
	a := newAsker(c, Judging{}, t.Context())
	for i := range 3 * maxAnswers {
		if _, err := llm.Collect(a.Stream(t.Context(), llm.Request{Prompt: llm.PromptRef{Name: "judge"}, Vars: map[string]any{"n": json.Number(fmt.Sprint(i))}})); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.kept) != maxAnswers || len(a.order) != maxAnswers || len(a.open) != 0 {
		t.Errorf("%d kept, %d in order, %d open", len(a.kept), len(a.order), len(a.open))
	}
}
