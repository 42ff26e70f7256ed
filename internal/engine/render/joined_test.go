package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
)

const withTools = `---
name: label
model: {id: small, options: {max_tokens: 200, seed: 1}}
tools: [{name: own}]
llmx: {tool_choice: own}
---
user:
hi
`

// The tools of a request stand behind the prompt's, its choice wins, and of two names of
// one bound only the request's is left.
func TestToolsOfTheRequestJoinThePrompts(t *testing.T) {
	p := labelPrompt(t, withTools)
	own := llm.Tools{List: []llm.ToolSpec{{Name: "own"}}, Choice: "own"}
	for name, test := range map[string]struct {
		asked llm.Tools
		want  llm.Tools
	}{
		"none":           {llm.Tools{}, own},
		"one":            {llm.Tools{List: []llm.ToolSpec{{Name: "mine"}}}, llm.Tools{List: []llm.ToolSpec{{Name: "own"}, {Name: "mine"}}, Choice: "own"}},
		"another choice": {llm.Tools{Choice: llm.ToolsNone, OneAtATime: true}, llm.Tools{List: own.List, Choice: llm.ToolsNone, OneAtATime: true}},
	} {
		got := seen(t, p, llm.Request{Prompt: p.Ref(), Tools: test.asked, Options: llm.Options{"max_completion_tokens": []byte("5")}})
		if diff := cmp.Diff(test.want, got.Tools); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(llm.Options{"max_completion_tokens": []byte("5"), "seed": []byte("1")}, got.Options); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff(own, p.Tools); diff != "" {
		t.Errorf("the prompt was changed: %s", diff)
	}
}
