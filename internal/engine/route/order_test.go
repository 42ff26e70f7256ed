package route

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

func TestRulesGiveTheModels(t *testing.T) {
	policy := Policy{
		Use: []string{"large"},
		Rules: []Rule{
			{Prompts: []string{"triage", "route"}, Tags: []string{"simple"}, Tokens: Range{Max: 10}, Use: []string{"small", "large"}},
			{Input: Range{Min: 50}, Use: []string{"huge"}},
			{Tags: []string{"vip"}, Use: []string{"best"}},
		},
	}
	text := func(n int) []llm.Message { return []llm.Message{llm.Text(llm.User, strings.Repeat("a", n))} }
	triage := llm.PromptRef{Name: "triage"}
	for name, test := range map[string]struct {
		req  llm.Request
		want []string
	}{
		"short and simple":                         {llm.Request{Prompt: triage, Tags: []string{"x", "simple"}, Messages: text(40)}, []string{"small", "large"}},
		"simple, but too long":                     {llm.Request{Prompt: triage, Tags: []string{"simple"}, Messages: text(41)}, []string{"large"}},
		"short, not simple":                        {llm.Request{Prompt: triage, Messages: text(4)}, []string{"large"}},
		"another prompt":                           {llm.Request{Prompt: llm.PromptRef{Name: "other"}, Tags: []string{"simple"}}, []string{"large"}},
		"a large input":                            {llm.Request{Prompt: triage, Vars: map[string]any{"a": strings.Repeat("é", 30), "b": []any{strings.Repeat("x", 20)}}}, []string{"huge"}},
		"a smaller input":                          {llm.Request{Prompt: triage, Vars: map[string]any{"a": strings.Repeat("é", 30), "b": []any{strings.Repeat("x", 19)}}}, []string{"large"}},
		"no prompt: its last message is the input": {llm.Request{Messages: append(text(500), text(49)...)}, []string{"large"}},
		"the first that matches":                   {llm.Request{Messages: text(50), Tags: []string{"vip"}}, []string{"huge"}},
		"a tag alone":                              {llm.Request{Tags: []string{"vip"}}, []string{"best"}},
	} {
		if diff := cmp.Diff(test.want, policy.order(test.req)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if first := policy.First(test.req); first != test.want[0] {
			t.Errorf("%s: first is %s", name, first)
		}
	}
	if diff := cmp.Diff([]string{"best", "huge", "large", "small"}, policy.all()); diff != "" {
		t.Error(diff)
	}
}

// The models of a rule are asked in their order, also where those of the route are
// drawn; and behind the last step there is none.
func TestRulesAreNotDrawn(t *testing.T) {
	policy := Policy{Use: []string{"a", "b"}, Weights: []float64{1, 1}, Rules: []Rule{{Tags: []string{"x"}, Use: []string{"b", "a"}}}}
	for i := range 20 {
		if first := policy.First(llm.Request{Tags: []string{"x"}, Sticky: fmt.Sprint(i)}); first != "b" {
			t.Errorf("%d: %s", i, first)
		}
	}
	if first := policy.First(llm.Request{Step: 7}); first != "" {
		t.Errorf("behind the last step: %s", first)
	}
}

// Characters are those of the values: names, lists and what is absent have none.
func TestTheSizeOfInputs(t *testing.T) {
	req := llm.Request{Prompt: llm.PromptRef{Name: "p"}, Vars: map[string]any{
		"text": "four", "none": nil, "list": []any{"é", "x", nil}, "object": map[string]any{"name": "abc", "n": 12}, "yes": true,
	}}
	if n := inputSize(req); n != 4+2+3+2+4 {
		t.Errorf("%d characters, want 15", n)
	}
}

// A draw gives every model its share, the same text the same model, and a change of
// weights moves only what it must.
func TestWeights(t *testing.T) {
	policy := Policy{Use: []string{"a", "b", "c"}, Weights: []float64{70, 29, 1}}
	other := Policy{Use: []string{"a", "b", "c"}, Weights: []float64{60, 39, 1}}
	const n = 100_000
	counts, seconds, moved := map[string]float64{}, map[string]float64{}, 0
	for i := range n {
		req := llm.Request{Sticky: fmt.Sprint("user-", i)}
		order := policy.order(req)
		counts[order[0]]++
		if order[0] == "a" {
			seconds[order[1]]++
		}
		switch now := other.First(req); {
		case now == order[0]:
		case order[0] == "a" || now == "b": // away from who lost weight, or to who gained it
			moved++
		default:
			t.Fatalf("%s moved from %s to %s", req.Sticky, order[0], now)
		}
	}
	for alias, share := range map[string]float64{"a": 0.70, "b": 0.29, "c": 0.01} {
		// Five standard errors.
		if got := counts[alias] / n; math.Abs(got-share) > 5*math.Sqrt(share*(1-share)/n) {
			t.Errorf("%s: %.4f of the draws, want %.2f", alias, got, share)
		}
	}
	if share := seconds["b"] / counts["a"]; math.Abs(share-29.0/30) > 0.01 {
		t.Errorf("behind a comes b in %.4f, want 29 of 30", share)
	}
	if share := float64(moved) / n; math.Abs(share-0.10) > 0.005 {
		t.Errorf("%.4f moved, want a tenth", share)
	}
}

func TestWhatADrawSticksTo(t *testing.T) {
	policy := Policy{Use: []string{"a", "b"}, Weights: []float64{1, 1}, Sticky: "customer"}
	same := func(x, y llm.Request) bool { return policy.stuck(x) == policy.stuck(y) }
	ask := func(text, customer, key string, repeat int) llm.Request {
		req := llm.Request{Messages: []llm.Message{llm.Text(llm.User, text)}, Sticky: key, Repeat: repeat}
		if customer != "" {
			req.Vars = map[string]any{"customer": customer}
		}
		return req
	}
	if !same(ask("x", "7", "k", 0), ask("y", "7", "l", 1)) || same(ask("x", "7", "", 0), ask("x", "8", "", 0)) {
		t.Error("the input that the route names decides")
	}
	if !same(ask("x", "", "k", 0), ask("y", "", "k", 1)) || same(ask("x", "", "k", 0), ask("x", "", "l", 0)) {
		t.Error("without it the caller's key decides")
	}
	two, one := ask("ab", "", "", 0), ask("a", "", "", 0)
	two.Messages, one.Messages = append(two.Messages, llm.Text(llm.User, "c")), append(one.Messages, llm.Text(llm.User, "bc"))
	if same(two, one) {
		t.Error("where one message ends and the next begins is a part of what is asked")
	}
	if !same(ask("x", "", "", 0), ask("x", "", "", 0)) || same(ask("x", "", "", 0), ask("y", "", "", 0)) || same(ask("x", "", "", 0), ask("x", "", "", 1)) {
		t.Error("without both what is asked decides, draw by draw")
	}
}

// A cascade goes on behind the model that has answered, in the order of the request.
func TestStepsOfACascade(t *testing.T) {
	policy := Policy{Use: []string{"a", "b", "c"}, Rules: []Rule{{Tags: []string{"x"}, Use: []string{"c", "a"}}}}
	for _, test := range []struct {
		tags     []string
		answered string
		step     int
		last     bool
	}{
		{nil, "a", 1, false}, {nil, "b", 2, false}, {nil, "c", 3, true}, {nil, "nobody", 0, true},
		{[]string{"x"}, "c", 1, false}, {[]string{"x"}, "a", 2, true},
	} {
		if step, last := policy.Next(llm.Request{Tags: test.tags, Step: 1}, test.answered); step != test.step || last != test.last {
			t.Errorf("%v behind %s: step %d, last %t", test.tags, test.answered, step, last)
		}
	}
	if diff := cmp.Diff([]string{"b", "c"}, policy.order(llm.Request{Step: 1})); diff != "" {
		t.Error(diff)
	}
}
