package runner

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// reply is what a model says when it is asked.
type reply struct {
	text    string
	calls   []llm.ToolCall
	finish  llm.FinishReason
	failure error
	stored  string
	output  llm.Output
}

// talks is a model that gives these replies in their order, each for 5 nano-USD and
// in a second, and counts how often it was asked.
func talks(asked *int, replies ...reply) llm.Model {
	return llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		r := replies[*asked]
		*asked++
		call := llm.Call{
			ID: "call-" + string('0'+rune(*asked)), Answer: r.text, Finish: r.finish, Service: time.Second, FirstToken: time.Duration(*asked),
			Started: time.Unix(int64(*asked), 0), Answered: "m-1", Failure: llm.FailureOf(r.failure),
			Turns: []llm.Turn{{Output: r.output, ToolCalls: r.calls, Attempts: []llm.Attempt{{Cost: llm.KnownCost(5), Paid: llm.KnownCost(5), Usage: llm.Usage{Input: 10, Output: 1}}}}},
		}
		if r.stored != "" {
			call.Stored = &llm.Stored{By: r.stored, At: time.Unix(99, 0), Origin: "written"}
		}
		return func(yield func(llm.Event, error) bool) {
			if r.failure == nil {
				for event := range (llm.Response{Text: r.text, ToolCalls: r.calls, End: llm.End{Finish: r.finish}}).Events() {
					if !yield(event, nil) {
						return
					}
				}
			}
			if yield(llm.Event{Call: &call}, nil) && r.failure != nil {
				yield(llm.Event{}, r.failure)
			}
		}
	})
}

// turn is a user's turn whose reply is wanted to be this text.
func turn(n int, want string, more ...eval.Check) eval.CaseTurn {
	return eval.CaseTurn{
		Number: n, Asks: true, Said: llm.Text(llm.User, "x"), Message: map[string]any{"role": "user", "content": "x"},
		Checks: append([]eval.Check{says{want: want}}, more...),
	}
}

func conversation(turns ...eval.CaseTurn) eval.Case {
	return eval.Case{ID: "one", Thread: "history", Vars: map[string]any{}, Turns: turns, InputHash: "i", CriteriaHash: "c"}
}

func said(text string) reply { return reply{text: text, finish: llm.FinishStop} }

// A conversation is one result: its figures are sums, its answer the last one.
func TestAConversationIsOneResult(t *testing.T) {
	asked := 0
	c := conversation(turn(1, "a"), turn(2, "b"))
	c.Checks = []eval.Check{says{want: "b", operational: true}}
	got := one(t, Plan{Run: "r"}, talks(&asked, said("a"), said("b")), c)
	want := eval.Result{
		Run: "r", Case: "one", InputHash: "i", CriteriaHash: "c", Status: eval.Pass, Answer: "b", Finish: llm.FinishStop, Answered: "m-1",
		Scores: []eval.Score{{Check: "says", Pass: true, Turn: 1}, {Check: "says", Pass: true, Turn: 2}, {Check: "says", Pass: true, Operational: true}},
		Digest: eval.HashOf([]byte(eval.DigestOf("a")), []byte(eval.DigestOf("b")))[:16],
		CallID: "call-2", Turns: 2, Attempts: 2, Usage: llm.Usage{Input: 20, Output: 2}, Cost: llm.KnownCost(10), Paid: llm.KnownCost(10),
		Service: 2 * time.Second, FirstToken: 1, Started: time.Unix(1, 0),
		Steps: []eval.Step{
			{Turn: 1, Said: []llm.Message{llm.Text(llm.User, "x")}, Answer: "a", Finish: llm.FinishStop, Call: "call-1"},
			{Turn: 2, Said: []llm.Message{llm.Text(llm.User, "x")}, Answer: "b", Finish: llm.FinishStop, Call: "call-2"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHowAConversationEnds(t *testing.T) {
	call := []llm.ToolCall{{ID: "1", Name: "lookup"}}
	tool := eval.CaseTurn{
		Number: 2, Asks: true, Tool: "lookup", Message: map[string]any{"role": "tool"}, Checks: []eval.Check{says{want: "b"}},
		Said: llm.Message{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{Name: "lookup"}}}},
	}
	json := llm.Output{Kind: llm.OutputJSON}
	for name, test := range map[string]struct {
		second  eval.CaseTurn
		replies []reply
		asked   int
		status  eval.Status
		reason  string
	}{
		"all pass":                      {turn(2, "b"), []reply{said("a"), said("b")}, 2, eval.Pass, ""},
		"a tool's result":               {tool, []reply{{text: "a", calls: call, finish: llm.FinishToolCalls}, said("b")}, 2, eval.Pass, ""},
		"a check fails, and it goes on": {turn(2, "b"), []reply{said("z"), said("b")}, 2, eval.Fail, "turn 1: says"},
		"the last one fails":            {turn(2, "b"), []reply{said("a"), said("z")}, 2, eval.Fail, "turn 2: says"},
		"a call that was not proposed": {tool, []reply{said("a")}, 1, eval.Fail,
			"turn 2: conversation: this answers a call of lookup, which the model did not propose: it proposed no other call"},
		"a broken contract ends it":    {turn(2, "b"), []reply{{text: "a", output: json, failure: fault.New(fault.Contract, "no JSON")}}, 1, eval.Fail, "turn 1: no JSON"},
		"a length stop ends it":        {turn(2, "b"), []reply{{text: "a", finish: llm.FinishLength}}, 1, eval.Fail, "turn 1: the answer stopped at the token limit"},
		"the first fail is the reason": {turn(2, "b"), []reply{said("z"), {text: "b", finish: llm.FinishLength}}, 2, eval.Fail, "turn 1: says"},
		"an outage is an error":        {turn(2, "b"), []reply{said("z"), {failure: fault.New(fault.ServerError, "down")}}, 2, eval.Error, "turn 2: down"},
		"a missing reply is unjudged":  {turn(2, "b"), []reply{said("a"), {failure: fault.New(fault.Missing, "no reply")}}, 2, eval.Unjudged, "turn 2: no reply"},
	} {
		asked := 0
		got := one(t, Plan{}, talks(&asked, test.replies...), conversation(turn(1, "a"), test.second))
		if got.Status != test.status || asked != test.asked || got.Status != eval.Pass && got.Reason() != test.reason {
			t.Errorf("%s: %s after %d calls for %q; want %s after %d for %q", name, got.Status, asked, got.Reason(), test.status, test.asked, test.reason)
		}
		if got.Status.Judged() && got.Scores[len(got.Scores)-1].Turn != 2 {
			t.Errorf("%s: turn 2 has no score: %+v", name, got.Scores)
		}
	}
}

// Only a conversation all of whose replies were kept is a stored one; of one that is
// partly so, the time is nobody's.
func TestAStoredConversation(t *testing.T) {
	kept := reply{text: "a", finish: llm.FinishStop, stored: "recording"}
	cached := kept
	cached.stored = "cache"
	for name, test := range map[string]struct {
		replies []reply
		by      string
		part    bool
	}{
		"live":                 {[]reply{said("a"), said("a")}, "", false},
		"recorded":             {[]reply{kept, kept}, "recording", true},
		"recorded, then live":  {[]reply{kept, said("a")}, "", true},
		"recorded, then cache": {[]reply{kept, cached}, "cache", true},
	} {
		asked := 0
		got := one(t, Plan{}, talks(&asked, test.replies...), conversation(turn(1, "a"), turn(2, "a")))
		if got.StoredBy != test.by || got.StoredPart() != test.part || got.StoredAt.IsZero() != (test.by == "") || (got.Origin == "") != (test.by == "") {
			t.Errorf("%s: by %q at %v from %q, in part %v", name, got.StoredBy, got.StoredAt, got.Origin, got.StoredPart())
		}
	}
}

// A conversation is judged again by its steps, with the turns' checks of today.
func TestRescoreOfAConversation(t *testing.T) {
	asked := 0
	plain := func(said eval.Said, _ eval.Contract) eval.Reading {
		return eval.Reading{ToolCalls: said.ToolCalls}
	}
	old := one(t, Plan{Run: "r"}, talks(&asked, said("a"), said("b"), said("c")), conversation(turn(1, "a"), turn(2, "b"), turn(3, "c")))
	again := func(c eval.Case) eval.Result {
		t.Helper()
		got, err := Rescore(t.Context(), &c, old, eval.Contract{}, plain)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(old, again(conversation(turn(1, "a"), turn(2, "b"), turn(3, "c")))); diff != "" {
		t.Errorf("the same checks: %s", diff)
	}
	c := conversation(turn(1, "a"), turn(2, "z"), turn(3, "c"))
	c.CriteriaHash = "new"
	if got := again(c); got.Status != eval.Fail || got.Reason() != "turn 2: says" || got.CriteriaHash != "new" || len(got.Scores) != 3 || got.Cost != old.Cost {
		t.Errorf("another check: %+v", got)
	}

	short := old
	short.Steps = old.Steps[:1]
	if _, err := Rescore(t.Context(), &c, short, eval.Contract{}, plain); fault.ClassOf(err) != fault.Unjudged {
		t.Errorf("a turn that was not asked: %v", err)
	}
	short.Steps = slices.Clone(old.Steps)
	short.Steps[0].Said, short.Steps[0].Answer = nil, "" // as where content is not stored
	if _, err := Rescore(t.Context(), &c, short, eval.Contract{}, plain); fault.ClassOf(err) != fault.Unjudged {
		t.Errorf("a conversation that is not stored: %v", err)
	}
}

// Each repeat runs the whole conversation, and asks under its own number.
func TestEveryRepeatIsAWholeConversation(t *testing.T) {
	var asked []int
	model := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		asked = append(asked, req.Repeat, len(req.Vars["history"].([]any)))
		if req.Sticky != "i/"+string('0'+rune(req.Repeat)) || req.Origin.Case != "one" {
			t.Errorf("sticky %q, origin %v", req.Sticky, req.Origin)
		}
		return llm.Replay("a", llm.End{Finish: llm.FinishStop})
	})
	c := conversation(turn(1, "a"), turn(2, "a"))
	c.Repeats = 2
	one(t, Plan{}, model, c)
	if diff := cmp.Diff([]int{0, 1, 0, 3, 1, 1, 1, 3}, asked); diff != "" {
		t.Errorf("repeat and length of the thread: %s", diff)
	}
}

// The simulated model is told the golden answer of the turn.
func TestTheHintIsThatOfTheTurn(t *testing.T) {
	var hints []any
	model := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		hints = append(hints, req.Hint)
		return llm.Replay("a", llm.End{Finish: llm.FinishStop})
	})
	first, second := turn(1, "a"), turn(2, "a")
	first.Golden = &eval.Golden{Value: "one"}
	one(t, Plan{}, model, conversation(first, second))
	if diff := cmp.Diff([]any{"one", nil}, hints); diff != "" {
		t.Error(diff)
	}
}

// The conversation goes on with a call as it was put right, and with arguments where
// there are none: vendors do not take back everything that their models give. The result
// has it as it came.
func TestAConversationGoesOnWithWhatWasPutRight(t *testing.T) {
	given := []llm.ToolCall{{ID: "1", Name: "lookup", Arguments: "{'id': 17,}"}, {ID: "2", Name: "now"}}
	passed := []llm.ToolCall{{ID: "1", Name: "lookup", Arguments: `{"id": 17}`}, {ID: "2", Name: "now"}}
	var thread string
	model := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		written, err := json.Marshal(req.Vars["history"])
		if err != nil {
			t.Error(err)
		}
		thread = string(written)
		response := llm.Response{Text: "done", End: llm.End{Finish: llm.FinishStop}}
		turn := llm.Turn{}
		if !strings.Contains(thread, "tool_call_id") {
			response = llm.Response{ToolCalls: passed, End: llm.End{Finish: llm.FinishToolCalls}}
			turn.ToolCalls = given
		}
		return func(yield func(llm.Event, error) bool) {
			for event := range response.Events() {
				if !yield(event, nil) {
					return
				}
			}
			yield(llm.Event{Call: &llm.Call{Finish: response.End.Finish, Answer: response.Text, Turns: []llm.Turn{turn}}}, nil)
		}
	})
	result := func(n int, tool, id string, asks bool) eval.CaseTurn {
		return eval.CaseTurn{
			Number: n, Tool: tool, Asks: asks, Message: map[string]any{"role": "tool", "content": "x"},
			Said: llm.Message{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{Content: "x"}}}},
		}
	}
	got := one(t, Plan{}, model, conversation(turn(1, ""), result(2, "lookup", "1", false), result(3, "now", "2", true)))
	for _, want := range []string{`"arguments":"{\"id\": 17}"`, `"arguments":"{}"`} {
		if !strings.Contains(thread, want) {
			t.Errorf("the next request has %s, want %s in it", thread, want)
		}
	}
	if len(got.Steps) == 0 || len(got.Steps[0].ToolCalls) != 2 || got.Steps[0].ToolCalls[0].Arguments != given[0].Arguments {
		t.Errorf("the result has %+v", got.Steps)
	}
}

// spends is a check that asks a model at every turn.
type spends struct{ says }

func (s spends) Deterministic() bool { return false }
func (s spends) Score(context.Context, eval.Subject) (eval.Score, error) {
	spent := eval.Eval{Calls: 1, Asked: 1, Cost: llm.KnownCost(7), Paid: llm.KnownCost(3)}
	return eval.Score{Check: "spends", Pass: true, Asked: &eval.Asked{Model: "judge", Eval: spent}}, nil
}

// What the checks of every turn spend is the result's, apart from what the replies cost.
func TestTheJudgesOfAConversationAreCounted(t *testing.T) {
	asked := 0
	first, second := turn(1, "a", spends{}), turn(2, "b", spends{}, spends{})
	got := one(t, Plan{}, talks(&asked, said("a"), said("b")), conversation(first, second))
	if want := (eval.Eval{Calls: 3, Asked: 3, Cost: llm.KnownCost(21), Paid: llm.KnownCost(9)}); got.Eval != want || got.Cost != llm.KnownCost(10) {
		t.Errorf("the checks spent %+v, want %+v; the replies cost %v", got.Eval, want, got.Cost)
	}
}
