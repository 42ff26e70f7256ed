package cascade

import (
	"context"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// step is what a step of the cascade comes to: the model that answered, and its
// answer or failure.
type step struct {
	model  string
	text   string
	finish llm.FinishReason
	fails  fault.Class
}

// below writes the turn of each step, as the wrappers below a cascade do.
func below(t *testing.T, steps map[int]step, asked *[]int) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		*asked = append(*asked, req.Step)
		if req.Live {
			t.Error("an answer that may still be refused is asked for live")
		}
		s := steps[req.Step]
		call := llm.CallFrom(ctx)
		call.Turns = append(call.Turns, llm.Turn{Answer: s.text, Attempts: []llm.Attempt{{Model: "who failed before"}, {Model: s.model}}})
		if s.fails != "" {
			return llm.Fail(fault.New(s.fails, "it is %s", s.fails))
		}
		finish := s.finish
		if finish == "" {
			finish = llm.FinishStop
		}
		return llm.Response{Text: s.text, ToolCalls: []llm.ToolCall{{Name: "t"}}, End: llm.End{Finish: finish}}.Events()
	})
}

func TestAnAnswerIsTakenOrTheNextIsAsked(t *testing.T) {
	order := []string{"a", "b", "c"}
	policy := Policy{
		Accept: func(_ context.Context, _ llm.Request, response llm.Response, _ llm.Output) (string, error) {
			if response.Text == "odd" {
				return "", fault.New(fault.Internal, "cannot be judged")
			}
			if response.Text == "bad" {
				return "not accepted: it is bad", nil
			}
			return "", nil
		},
		Next: func(_ llm.Request, answered string) (int, bool) {
			for i, alias := range order {
				if alias == answered {
					return i + 1, i+1 == len(order)
				}
			}
			return 0, true
		},
	}
	for name, test := range map[string]struct {
		steps map[int]step
		asked []int
		text  string
		class fault.Class
		said  []string // violations of the turns
	}{
		"good at once":                 {map[int]step{0: {model: "a", text: "good"}}, []int{0}, "good", "", []string{""}},
		"not accepted":                 {map[int]step{0: {model: "a", text: "bad"}, 1: {model: "b", text: "good"}}, []int{0, 1}, "good", "", []string{"not accepted: it is bad", ""}},
		"never accepted: the last":     {map[int]step{0: {model: "a", text: "bad"}, 1: {model: "b", text: "bad"}, 2: {model: "c", text: "bad"}}, []int{0, 1, 2}, "bad", "", []string{"not accepted: it is bad", "not accepted: it is bad", ""}},
		"against the contract":         {map[int]step{0: {model: "a", fails: fault.Contract}, 1: {model: "b", text: "good"}}, []int{0, 1}, "good", "", []string{"", ""}},
		"stopped at the limit":         {map[int]step{0: {model: "a", fails: fault.Length}, 1: {model: "b", text: "good"}}, []int{0, 1}, "good", "", []string{"", ""}},
		"a text stopped at the limit":  {map[int]step{0: {model: "a", text: "go", finish: llm.FinishLength}, 1: {model: "b", text: "good"}}, []int{0, 1}, "good", "", []string{"the answer stopped at the token limit", ""}},
		"all against the contract":     {map[int]step{0: {model: "a", fails: fault.Contract}, 1: {model: "b", fails: fault.Contract}, 2: {model: "c", fails: fault.Contract}}, []int{0, 1, 2}, "", fault.Contract, []string{"", "", ""}},
		"filtered":                     {map[int]step{0: {model: "a", fails: fault.ContentFilter}}, []int{0}, "", fault.ContentFilter, []string{""}},
		"an outage is the route's":     {map[int]step{0: {model: "a", fails: fault.Overloaded}}, []int{0}, "", fault.Overloaded, []string{""}},
		"fallen back: behind that one": {map[int]step{0: {model: "b", text: "bad"}, 2: {model: "c", text: "good"}}, []int{0, 2}, "good", "", []string{"not accepted: it is bad", ""}},
		"fallen back to the last":      {map[int]step{0: {model: "c", text: "bad"}}, []int{0}, "bad", "", []string{""}},
		"a check that cannot judge":    {map[int]step{0: {model: "a", text: "odd"}}, []int{0}, "", fault.Internal, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []int
			call := &llm.Call{}
			model := New(map[string]Policy{"r": policy}, below(t, test.steps, &asked))
			got, err := llm.Collect(model.Stream(llm.WithCall(t.Context(), call), llm.Request{Model: "r", Live: true}))
			if got.Text != test.text || (err == nil) != (test.class == "") || err != nil && fault.ClassOf(err) != test.class {
				t.Errorf("got %q, %v; want %q, %q", got.Text, err, test.text, test.class)
			}
			if diff := cmp.Diff(test.asked, asked); diff != "" {
				t.Error(diff)
			}
			var said []string
			for _, turn := range call.Turns {
				said = append(said, turn.Violation)
			}
			if diff := cmp.Diff(test.said, said); diff != "" {
				t.Error(diff)
			}
			if err == nil && len(got.ToolCalls) != 1 {
				t.Error("the tool call is lost")
			}
		})
	}
}

// Where nobody traces the call, a cascade is one all the same.
func TestWithoutATrace(t *testing.T) {
	policy := Policy{Next: func(llm.Request, string) (int, bool) { return 1, false }}
	asked := []int{}
	model := New(map[string]Policy{"r": policy}, below(t, map[int]step{0: {model: "a", text: "good"}}, &asked))
	if got, err := llm.Collect(model.Stream(t.Context(), llm.Request{Model: "r"})); got.Text != "good" || err != nil || len(asked) != 1 {
		t.Errorf("got %q, %v; asked %v", got.Text, err, asked)
	}
}

func TestOtherRoutesPassThrough(t *testing.T) {
	live := false
	next := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		live = req.Live
		return llm.Replay("x", llm.End{Finish: llm.FinishStop})
	})
	if _, err := llm.Collect(New(map[string]Policy{"r": {}}, next).Stream(t.Context(), llm.Request{Model: "plain", Live: true})); err != nil || !live {
		t.Errorf("live %t, %v", live, err)
	}
}
