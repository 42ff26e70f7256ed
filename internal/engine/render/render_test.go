package render

import (
	"context"
	"iter"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

const labels = `---
name: label
description: Labels a ticket.
model: {id: small, options: {temperature: 0, max_tokens: 200}}
inputs:
  ticket: {kind: string, required: true}
---
system:
Label the ticket.
user:
{{ ticket }}
`

func labelPrompt(t *testing.T, text string) *prompt.Prompt {
	t.Helper()
	files := fstest.MapFS{"prompts/label/draft.prompty": {Data: []byte(text)}}
	p, err := prompt.NewLibrary(files).Resolve("label", prompt.Develop)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// seen renders a request and gives what the next model is asked.
func seen(t *testing.T, p *prompt.Prompt, req llm.Request) llm.Request {
	t.Helper()
	var asked llm.Request
	next := llm.ModelFunc(func(_ context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		asked = req
		return llm.Replay("billing", llm.End{Finish: llm.FinishStop})
	})
	model := New(func(llm.PromptRef) (*prompt.Prompt, error) { return p, nil }, next)
	if _, err := llm.Collect(model.Stream(t.Context(), req)); err != nil {
		t.Fatal(err)
	}
	return asked
}

func TestTheRequestsOwnOptionsWin(t *testing.T) {
	p := labelPrompt(t, labels)
	before := maps.Clone(p.Options)
	req := llm.Request{Prompt: p.Ref(), Vars: map[string]any{"ticket": "I was charged twice"}}

	plain := seen(t, p, req)
	if diff := cmp.Diff(llm.Options{"temperature": []byte("0"), "max_tokens": []byte("200")}, plain.Options); diff != "" {
		t.Errorf("without options of its own: %s", diff)
	}
	if plain.Model != "small" || len(plain.Messages) != 2 || plain.Messages[1].Text() != "I was charged twice" {
		t.Errorf("asked %q with %v", plain.Model, plain.Messages)
	}

	req.Options, req.Model = llm.Options{"temperature": []byte("1"), "seed": []byte("7")}, "large"
	own := seen(t, p, req)
	if diff := cmp.Diff(llm.Options{"temperature": []byte("1"), "max_tokens": []byte("200"), "seed": []byte("7")}, own.Options); diff != "" {
		t.Errorf("with options of its own: %s", diff)
	}
	if own.Model != "large" {
		t.Errorf("asked %q, want the request's own model", own.Model)
	}
	if diff := cmp.Diff(before, p.Options); diff != "" {
		t.Errorf("the prompt's options were changed: %s", diff)
	}
	if len(req.Options) != 2 {
		t.Errorf("the request's options were changed: %s", req.Options)
	}
}

func TestOptionsOverAPromptWithoutAny(t *testing.T) {
	p := labelPrompt(t, "---\nname: label\ndescription: Labels.\nmodel: {id: small}\n---\nuser:\nhello\n")
	own := seen(t, p, llm.Request{Prompt: p.Ref(), Options: llm.Options{"seed": []byte("7")}})
	if diff := cmp.Diff(llm.Options{"seed": []byte("7")}, own.Options); diff != "" || len(p.Options) != 0 {
		t.Errorf("the prompt has %v now: %s", p.Options, diff)
	}
}
