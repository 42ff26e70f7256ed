// Package engine composes what happens between the ask and the answer: render,
// trace, contract, cache, route. `test`, `ask` and `serve` share one engine, built
// once. It imports the wrappers; storage, prompts and providers are handed in.
package engine

import (
	"time"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/engine/render"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/trace"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Parts are what an engine is made of.
type Parts struct {
	Prompts  render.Source
	Recorder trace.Recorder
	NewID    func() string    // names calls
	Now      func() time.Time // the wall clock

	Cache *cache.Options // nil: no cache

	Targets  map[string]*route.Target // by alias
	Policies map[string]route.Policy  // by the name that is asked: a model or a route
}

// New composes the engine; the outermost wrapper comes first.
func New(p Parts) llm.Model {
	model := route.New(p.Targets, p.Policies, p.Now)
	if p.Cache != nil {
		model = cache.New(*p.Cache, model)
	}
	model = contract.New(model)
	model = trace.New(p.Recorder, p.NewID, p.Now, model)
	return render.New(p.Prompts, model)
}
