// Package render is the engine's first wrapper: it turns a prompt's name and
// inputs into messages. It imports the prompt room and the words of llm.
package render

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// Source finds the prompt that a request names. It is called for every request,
// so it keeps what it has parsed.
type Source func(ref llm.PromptRef) (*prompt.Prompt, error)

// New wraps a model. A request without a prompt passes through; one with a
// prompt gets its messages, output contract, tools and options. The request's own
// options win over those, its tools join them; whether it may have any of its own is
// for who makes requests to say.
func New(source Source, next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		if req.Prompt.Name == "" {
			return next.Stream(ctx, req)
		}
		p, err := source(req.Prompt)
		if err != nil {
			return llm.Fail(err)
		}
		messages, err := p.Render(req.Vars)
		if err != nil {
			return llm.Fail(err)
		}
		req.Prompt, req.Messages, req.Output, req.Tools = p.Ref(), messages, p.Output, joined(p.Tools, req.Tools)
		req.Options = merge(p.Options, req.Options)
		if req.Model == "" {
			req.Model = p.Model
		}
		return next.Stream(ctx, req)
	})
}

func merge(base, over llm.Options) llm.Options {
	if len(over) == 0 {
		return base
	}
	merged := maps.Clone(base)
	if merged == nil {
		merged = llm.Options{}
	}
	for i, name := range bounds { // one bound goes by two names
		if _, set := over[name]; set {
			delete(merged, bounds[1-i])
		}
	}
	maps.Copy(merged, over)
	return merged
}

var bounds = [2]string{"max_tokens", "max_completion_tokens"}

// joined are the prompt's tools and those of the request, whose choice wins.
func joined(base, over llm.Tools) llm.Tools {
	if !over.Offered() && over.Choice == "" && !over.OneAtATime {
		return base
	}
	base.List = append(slices.Clip(base.List), over.List...)
	base.Choice = cmp.Or(over.Choice, base.Choice)
	base.OneAtATime = base.OneAtATime || over.OneAtATime
	return base
}
