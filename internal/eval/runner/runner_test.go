package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// says passes when the answer is its text.
type says struct {
	want        string
	operational bool
	err         error
	needs       eval.Need
}

func (s says) Name() string          { return "says" }
func (s says) Needs() eval.Need      { return s.needs }
func (s says) Metric() string        { return "" }
func (s says) Spec() json.RawMessage { return json.RawMessage(`{}`) }
func (s says) Operational() bool     { return s.operational }
func (s says) Deterministic() bool   { return true }
func (s says) Score(_ context.Context, subject eval.Subject) (eval.Score, error) {
	return eval.Score{Check: s.Name(), Pass: subject.Answer == s.want, Operational: s.operational}, s.err
}

func cases(n, repeats int, checks ...eval.Check) iter.Seq2[eval.Case, error] {
	return func(yield func(eval.Case, error) bool) {
		for i := range n {
			if !yield(eval.Case{ID: fmt.Sprint("case-", i), Repeats: repeats, Checks: checks, InputHash: fmt.Sprint(i)}, nil) {
				return
			}
		}
	}
}

// told is a model that answers with a call's record, as the engine does.
func told(answer string, finish llm.FinishReason, output llm.Output, failure error) llm.Model {
	return llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			call := &llm.Call{
				ID: "call", Answer: answer, Finish: finish, Answered: "one", Service: time.Second,
				Turns: []llm.Turn{{Output: output, Attempts: []llm.Attempt{{Cost: llm.KnownCost(5), Paid: llm.KnownCost(5), Usage: llm.Usage{Output: 2}}}}},
			}
			if failure == nil && !yield(llm.Event{Text: answer, End: &llm.End{Finish: finish}}, nil) {
				return
			}
			if yield(llm.Event{Call: call}, nil) && failure != nil {
				yield(llm.Event{}, failure)
			}
		}
	})
}

func TestWhatACallAmountsTo(t *testing.T) {
	jsonOutput := llm.Output{Kind: llm.OutputJSON}
	tests := map[string]struct {
		answer  string
		finish  llm.FinishReason
		output  llm.Output
		failure error
		checks  []eval.Check
		status  eval.Status
		valid   eval.Validity
	}{
		"right":                              {"yes", llm.FinishStop, llm.Output{}, nil, []eval.Check{says{want: "yes"}}, eval.Pass, eval.NoContract},
		"right under a contract":             {"yes", llm.FinishStop, jsonOutput, nil, []eval.Check{says{want: "yes"}}, eval.Pass, eval.Valid},
		"wrong":                              {"no", llm.FinishStop, llm.Output{}, nil, []eval.Check{says{want: "yes"}}, eval.Fail, eval.NoContract},
		"one of two wrong":                   {"no", llm.FinishStop, llm.Output{}, nil, []eval.Check{says{want: "no"}, says{want: "yes"}}, eval.Fail, eval.NoContract},
		"only an operational check fails":    {"yes", llm.FinishStop, llm.Output{}, nil, []eval.Check{says{want: "yes"}, says{want: "cheap", operational: true}}, eval.Pass, eval.NoContract},
		"stopped at the limit":               {"yes", llm.FinishLength, llm.Output{}, nil, []eval.Check{says{want: "yes"}}, eval.Fail, eval.NoContract},
		"stopped at the limit, asked for":    {"yes", llm.FinishLength, llm.Output{}, nil, []eval.Check{says{want: "yes", needs: eval.NeedFinish}}, eval.Pass, eval.NoContract},
		"broken contract":                    {"yes", llm.FinishStop, jsonOutput, fault.New(fault.Contract, "x"), []eval.Check{says{want: "yes"}}, eval.Fail, eval.Violated},
		"context overflow is the prompt's":   {"", "", jsonOutput, fault.New(fault.ContextLength, "x"), []eval.Check{says{want: "yes"}}, eval.Fail, eval.NoContract},
		"content filter is the prompt's":     {"", "", llm.Output{}, fault.New(fault.ContentFilter, "x"), []eval.Check{says{want: "yes"}}, eval.Fail, eval.NoContract},
		"an outage is nobody's":              {"", "", jsonOutput, fault.New(fault.ServerError, "x"), []eval.Check{says{want: "yes"}}, eval.Error, eval.NoContract},
		"a cut stream is nobody's":           {"yes", "", jsonOutput, fault.New(fault.Cut, "x"), []eval.Check{says{want: "yes"}}, eval.Error, eval.NoContract},
		"no recording":                       {"", "", jsonOutput, fault.New(fault.Missing, "x"), []eval.Check{says{want: "yes"}}, eval.Unjudged, eval.NoContract},
		"a check that cannot judge":          {"yes", llm.FinishStop, llm.Output{}, nil, []eval.Check{says{want: "yes", err: errors.New("no judge")}}, eval.Error, eval.NoContract},
		"an error of no class is not a fail": {"yes", llm.FinishStop, llm.Output{}, errors.New("odd"), []eval.Check{says{want: "yes"}}, eval.Error, eval.NoContract},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan := Plan{Jobs: 1, Groups: []Group{{Cases: cases(1, 1, test.checks...)}}}
			var got eval.Result
			err := Run(t.Context(), plan, told(test.answer, test.finish, test.output, test.failure), func(_ int, _ *eval.Case, r *eval.Result) error {
				got = *r
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != test.status || got.Valid != test.valid {
				t.Errorf("status %q valid %q (%v), want %q, %q", got.Status, got.Valid, got.Failure, test.status, test.valid)
			}
			if got.Answer != test.answer || got.CallID != "call" || got.Cost != llm.KnownCost(5) || got.Service != time.Second {
				t.Errorf("the result does not say what the call says: %+v", got)
			}
		})
	}
}

func TestEveryCaseAndRepeatReachesTheSinkOnce(t *testing.T) {
	plan := Plan{Jobs: 7, Groups: []Group{
		{Group: eval.Group{Suite: "a", Model: "m"}, Cases: cases(20, 3, says{want: "yes"})},
		{Group: eval.Group{Suite: "b", Model: "m"}, Cases: cases(5, 0, says{want: "yes"})},
	}}
	got := map[string]int{}
	err := Run(t.Context(), plan, told("yes", llm.FinishStop, llm.Output{}, nil), func(group int, c *eval.Case, r *eval.Result) error {
		got[fmt.Sprintf("%d %s %s %d", group, r.Suite, c.ID, r.Repeat)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i := range 20 {
		for repeat := range 3 {
			want[fmt.Sprintf("0 a case-%d %d", i, repeat)] = 1
		}
	}
	for i := range 5 {
		want[fmt.Sprintf("1 b case-%d 0", i)] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// gate is a model whose calls wait until they are let go, and counts them.
type gate struct {
	open             chan struct{}
	under, most, all atomic.Int64
}

func (g *gate) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		g.all.Add(1)
		now := g.under.Add(1)
		defer g.under.Add(-1)
		g.most.Store(max(g.most.Load(), now))
		llm.UnderwayFrom(ctx).Asking()
		select {
		case <-g.open:
			yield(llm.Event{Text: "yes", End: &llm.End{Finish: llm.FinishStop}}, nil)
		case <-ctx.Done():
			yield(llm.Event{}, ctx.Err())
		}
	}
}

func TestJobsBoundWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		finished := make(chan error)
		go func() {
			finished <- Run(t.Context(), Plan{Jobs: 4, Groups: []Group{{Cases: cases(50, 1, says{want: "yes"})}}}, g, func(int, *eval.Case, *eval.Result) error { return nil })
		}()
		synctest.Wait()
		if g.under.Load() != 4 {
			t.Errorf("%d under way, want 4", g.under.Load())
		}
		close(g.open)
		if err := <-finished; err != nil || g.all.Load() != 50 || g.most.Load() > 4 {
			t.Errorf("%v: %d asked, at most %d at once", err, g.all.Load(), g.most.Load())
		}
	})
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		stop := make(chan struct{})
		finished := make(chan error)
		results := 0
		go func() {
			finished <- Run(t.Context(), Plan{Jobs: 4, Stop: stop, Groups: []Group{{Cases: cases(50, 1, says{want: "yes"})}}}, g, func(int, *eval.Case, *eval.Result) error { results++; return nil })
		}()
		synctest.Wait()
		close(stop)
		synctest.Wait()
		close(g.open)
		if err := <-finished; fault.ClassOf(err) != fault.Canceled || results != 4 {
			t.Errorf("%v with %d results, want canceled with the 4 under way", err, results)
		}
	})
}

func TestCancelEndsAtOnceWithoutResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		finished := make(chan error)
		go func() {
			finished <- Run(ctx, Plan{Jobs: 4, Groups: []Group{{Cases: cases(50, 1, says{want: "yes"})}}}, g, func(_ int, _ *eval.Case, r *eval.Result) error {
				t.Errorf("a result of a canceled case: %+v", r)
				return nil
			})
		}()
		synctest.Wait()
		cancel()
		if err := <-finished; fault.ClassOf(err) != fault.Canceled {
			t.Errorf("got %v, want canceled", err)
		}
	})
}

func TestFailingSinkEndsTheRun(t *testing.T) {
	full := fault.New(fault.Store, "the disk is full")
	g := &gate{open: make(chan struct{})}
	close(g.open)
	taken := 0
	err := Run(t.Context(), Plan{Jobs: 4, Groups: []Group{{Cases: cases(10_000, 1, says{want: "yes"})}}}, g, func(int, *eval.Case, *eval.Result) error {
		if taken++; taken == 3 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || taken != 3 || g.all.Load() > 100 {
		t.Errorf("%v after %d results and %d calls, want the sink's error at once", err, taken, g.all.Load())
	}
}

func TestBrokenCaseFileEndsTheRun(t *testing.T) {
	broken := fault.At(fault.Place{File: "suites/a.jsonl", Line: 3}, "not JSON")
	stream := func(yield func(eval.Case, error) bool) {
		if yield(eval.Case{ID: "one", Checks: []eval.Check{says{want: "yes"}}}, nil) {
			yield(eval.Case{}, broken)
		}
	}
	results := 0
	err := Run(t.Context(), Plan{Jobs: 2, Groups: []Group{{Cases: stream}}}, told("yes", llm.FinishStop, llm.Output{}, nil), func(int, *eval.Case, *eval.Result) error { results++; return nil })
	if !errors.Is(err, broken) || results != 1 {
		t.Errorf("%v with %d results, want the file's error and the one result before it", err, results)
	}
}

func TestRescoreJudgesStoredAnswersAgain(t *testing.T) {
	old := eval.Result{Case: "one", InputHash: "i", CriteriaHash: "old", Status: eval.Fail, Answer: "yes", Finish: llm.FinishStop}
	c := eval.Case{ID: "one", InputHash: "i", CriteriaHash: "new", Checks: []eval.Check{says{want: "yes"}}}
	plain := func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{} }

	got, err := Rescore(t.Context(), &c, old, eval.Contract{}, plain)
	if err != nil || got.Status != eval.Pass || got.CriteriaHash != "new" {
		t.Errorf("got %q %q, %v; want a pass under the new criteria", got.Status, got.CriteriaHash, err)
	}
	got, _ = Rescore(t.Context(), &c, old, eval.Contract{Output: llm.Output{Kind: llm.OutputJSON}}, func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Broken: "not JSON"} })
	if got.Status != eval.Fail || got.Valid != eval.Violated {
		t.Errorf("got %q %q; want a fail: the contract is broken", got.Status, got.Valid)
	}
	filtered := old
	filtered.Failure = &llm.Failure{Class: fault.ContentFilter, Message: "withheld"}
	if got, _ = Rescore(t.Context(), &c, filtered, eval.Contract{}, plain); got.Status != eval.Fail {
		t.Errorf("got %q; a filtered answer stays a fail", got.Status)
	}
	errored := old
	errored.Status = eval.Error
	if got, _ = Rescore(t.Context(), &c, errored, eval.Contract{}, plain); got.Status != eval.Error {
		t.Errorf("got %q; an error stays an error", got.Status)
	}
	withheld := old
	withheld.Answer, withheld.Digest = "", eval.DigestOf("yes")
	if _, err = Rescore(t.Context(), &c, withheld, eval.Contract{}, plain); fault.ClassOf(err) != fault.Unjudged {
		t.Errorf("got %v; want a refusal: the answer is not stored", err)
	}
	c.InputHash = "other"
	if _, err = Rescore(t.Context(), &c, old, eval.Contract{}, plain); fault.ClassOf(err) != fault.Invalid {
		t.Errorf("got %v; want a refusal: the input is another one", err)
	}
}

// A valid answer has the score of its repairs, asked or scored again; another has none.
func TestResultsHaveTheirRepairScore(t *testing.T) {
	output := llm.Output{Kind: llm.OutputJSON}
	repairs := []llm.Repair{{Name: "quotes", Weight: 0.1}}
	model := llm.ModelFunc(func(context.Context, llm.Request) iter.Seq2[llm.Event, error] {
		return func(yield func(llm.Event, error) bool) {
			if yield(llm.Event{Text: "yes", End: &llm.End{Finish: llm.FinishStop, Repairs: repairs}}, nil) {
				yield(llm.Event{Call: &llm.Call{Answer: "'yes'", Finish: llm.FinishStop, Turns: []llm.Turn{{Output: output, Repairs: repairs}}}}, nil)
			}
		}
	})
	var got eval.Result
	err := Run(t.Context(), Plan{Jobs: 1, Groups: []Group{{Cases: cases(1, 1, says{want: "'yes'"})}}}, model, func(_ int, _ *eval.Case, r *eval.Result) error {
		got = *r
		return nil
	})
	if err != nil || got.Status != eval.Pass || got.Valid != eval.Valid || got.RepairScore != 0.9 {
		t.Fatalf("%+v, %v; want a valid pass with 0.9", got, err)
	}
	c := eval.Case{ID: "case-0", InputHash: "0", Checks: []eval.Check{says{want: "'yes'"}}}
	for name, test := range map[string]struct {
		read  eval.Read
		score float64
	}{
		"repaired": {func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Value: "yes", Repairs: repairs} }, 0.9},
		"as asked": {func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Value: "yes"} }, 1},
		"refused":  {func(eval.Said, eval.Contract) eval.Reading { return eval.Reading{Broken: "not JSON"} }, 0},
	} {
		again, err := Rescore(t.Context(), &c, got, eval.Contract{Output: output}, test.read)
		if err != nil || again.RepairScore != test.score {
			t.Errorf("%s: %v, %v; want %v", name, again.RepairScore, err, test.score)
		}
	}
}

// TestStopLeavesThoseThatWait has one call that is being asked, one that waits for a
// place, and one that pauses between two attempts.
func TestStopLeavesThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		model := llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
			call := llm.UnderwayFrom(ctx)
			attempt := func(takes time.Duration, failed bool) {
				call.Asking()
				time.Sleep(takes)
				if failed {
					call.Failed()
				}
			}
			switch req.Origin.Case {
			case "asked":
				attempt(time.Minute, false)
				return llm.Replay("yes", llm.End{Finish: llm.FinishStop})
			case "failing":
				attempt(time.Minute, true)
			case "pausing":
				attempt(time.Millisecond, true)
			}
			<-ctx.Done()
			return llm.Fail(fault.Ended(ctx, nil))
		})
		cases := func(yield func(eval.Case, error) bool) {
			for _, id := range []string{"asked", "failing", "waiting", "pausing"} {
				if !yield(eval.Case{ID: id, Checks: []eval.Check{says{want: "yes"}}}, nil) {
					return
				}
			}
		}
		time.AfterFunc(time.Second, func() { close(stop) })
		began := time.Now()
		var got []string
		err := Run(t.Context(), Plan{Jobs: 4, Stop: stop, Groups: []Group{{Cases: cases}}}, model, func(_ int, c *eval.Case, _ *eval.Result) error {
			got = append(got, c.ID)
			return nil
		})
		if took := time.Since(began); fault.ClassOf(err) != fault.Canceled || took != time.Minute || !slices.Equal(got, []string{"asked"}) {
			t.Errorf("got %v after %v, %v", got, took, err)
		}
	})
}
