package turns

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

func user(n int, text string) eval.CaseTurn {
	return eval.CaseTurn{
		Number: n, Asks: true, Said: llm.Text(llm.User, text), Message: map[string]any{"role": "user", "content": text},
	}
}

func result(n int, tool, id, content string, asks bool) eval.CaseTurn {
	return eval.CaseTurn{
		Number: n, Asks: asks, Tool: tool, CallID: id, Message: map[string]any{"role": "tool", "name": tool, "content": content},
		Said: llm.Message{Role: llm.Tool, Parts: []llm.Part{{Kind: llm.PartToolResult, ToolResult: &llm.ToolResult{Name: tool, Content: content}}}},
	}
}

// thread is what the model is asked with, as JSON.
func thread(t *testing.T, at eval.Case) string {
	t.Helper()
	text, err := json.Marshal(at.Vars["history"])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEachTurnAsksWithAllThatWasSaid(t *testing.T) {
	c := eval.Case{
		ID: "a", Thread: "history", Vars: map[string]any{"name": "Ada", "history": []any{map[string]any{"role": "user", "content": "hello"}}},
		Begun: []llm.Message{llm.Text(llm.User, "hello")},
		Turns: []eval.CaseTurn{user(1, "I was charged twice"), result(2, "lookup", "", "2", true), user(3, "so refund me")},
	}
	replies := []struct {
		text  string
		calls []llm.ToolCall
	}{{"", []llm.ToolCall{{ID: "x", Name: "lookup", Arguments: `{"id":1}`}}}, {"there are two", nil}, {"done", nil}}
	want := []string{
		`[{"content":"hello","role":"user"},{"content":"I was charged twice","role":"user"}`,
		`,{"role":"assistant","tool_calls":[{"function":{"arguments":"{\"id\":1}","name":"lookup"},"id":"x","type":"function"}]},{"content":"2","name":"lookup","role":"tool","tool_call_id":"x"}`,
		`,{"content":"there are two","role":"assistant"},{"content":"so refund me","role":"user"}`,
	}
	walk, sofar := Begin(&c), ""
	for i, reply := range replies {
		at, stuck, more := walk.Next()
		if stuck != nil || !more || walk.Turn().Number != i+1 {
			t.Fatalf("reply %d: %v %v", i, stuck, more)
		}
		sofar += want[i]
		if diff := cmp.Diff(sofar+"]", thread(t, at)); diff != "" {
			t.Errorf("reply %d: %s", i, diff)
		}
		if at.Vars["name"] != "Ada" || len(at.Turns) > 0 {
			t.Errorf("the case at turn %d: %+v", i, at)
		}
		walk.Reply(reply.text, reply.calls)
	}
	if _, stuck, more := walk.Next(); stuck != nil || more {
		t.Error("the conversation goes on behind its end")
	}
	if len(c.Vars["history"].([]any)) != 1 {
		t.Error("the case was changed")
	}
}

// Parallel calls are answered by id, else by name in their order.
func TestParallelCallsAreAnsweredInAnyOrder(t *testing.T) {
	c := eval.Case{ID: "a", Thread: "history", Vars: map[string]any{}, Turns: []eval.CaseTurn{
		user(1, "both"), result(2, "order", "", "o", false), result(3, "invoice", "i2", "second", false), result(4, "invoice", "", "first", true),
	}}
	walk := Begin(&c)
	if _, _, more := walk.Next(); !more {
		t.Fatal("nothing is asked")
	}
	walk.Reply("", []llm.ToolCall{{ID: "i1", Name: "invoice"}, {ID: "i2", Name: "invoice"}, {ID: "", Name: "order"}})
	if _, stuck, more := walk.Next(); stuck != nil || !more {
		t.Fatal(stuck)
	}
	var got []string
	for _, message := range walk.Said() {
		r := message.Parts[0].ToolResult
		got = append(got, r.Name+" "+r.ID+" "+r.Content)
	}
	want := []string{"order call-1-3 o", "invoice i2 second", "invoice i1 first"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheModelDidNotProposeIsStuck(t *testing.T) {
	lookup := llm.ToolCall{ID: "1", Name: "lookup"}
	for name, test := range map[string]struct {
		calls []llm.ToolCall
		next  []eval.CaseTurn
		turn  int
		want  string
	}{
		"no call": {nil, []eval.CaseTurn{result(2, "lookup", "", "x", true)}, 2,
			"this answers a call of lookup, which the model did not propose: it proposed no other call"},
		"another call": {[]llm.ToolCall{{ID: "1", Name: "refund"}}, []eval.CaseTurn{result(2, "lookup", "", "x", true)}, 2,
			"this answers a call of lookup, which the model did not propose: it proposed refund"},
		"another id": {[]llm.ToolCall{lookup}, []eval.CaseTurn{result(2, "lookup", "7", "x", true)}, 2,
			"this answers a call of lookup with the id 7, which the model did not propose: it proposed lookup"},
		"a call more": {[]llm.ToolCall{lookup, {ID: "2", Name: "refund"}}, []eval.CaseTurn{result(2, "lookup", "", "x", true)}, 2,
			"the model proposed refund, and the case has no result of it"},
		"a call where none was due": {[]llm.ToolCall{lookup}, []eval.CaseTurn{user(2, "go on")}, 2,
			"the model proposed lookup, and the case has no result of it"},
	} {
		c := eval.Case{ID: "a", Thread: "history", Vars: map[string]any{}, Turns: append([]eval.CaseTurn{user(1, "x")}, test.next...)}
		walk := Begin(&c)
		walk.Next()
		walk.Reply("", test.calls)
		_, stuck, more := walk.Next()
		if more || stuck == nil || stuck.Turn != test.turn || stuck.Reason != test.want {
			t.Errorf("%s: %+v, %v", name, stuck, more)
		}
		if len(walk.Rest()) != 1 {
			t.Errorf("%s: %d turns are left", name, len(walk.Rest()))
		}
	}
}

// An assumed reply lets every conversation go on.
func TestAssumedRepliesReachTheEnd(t *testing.T) {
	first := user(1, "x")
	first.Golden = &eval.Golden{Value: map[string]any{"label": "billing"}}
	c := eval.Case{ID: "a", Thread: "history", Vars: map[string]any{}, Turns: []eval.CaseTurn{
		first, result(2, "a", "", "1", false), result(3, "b", "id", "2", true), user(4, "y"),
	}}
	walk, asked := Begin(&c), 0
	for {
		_, stuck, more := walk.Next()
		if stuck != nil {
			t.Fatal(stuck)
		}
		if !more {
			break
		}
		asked++
		text, calls := walk.Assumed()
		if asked == 1 && text != `{"label":"billing"}` || asked == 3 && text == "" {
			t.Errorf("reply %d is assumed to be %q", asked, text)
		}
		walk.Reply(text, calls)
	}
	if asked != 3 || c.Asked() != 3 {
		t.Errorf("%d asked, %d counted", asked, c.Asked())
	}
}
