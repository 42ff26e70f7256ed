// Package engine composes what happens between the ask and the answer: render,
// trace, cascade, contract, cache, route. `test`, `ask` and `serve` share one engine,
// built once. It imports the wrappers; storage, prompts and providers are handed in.
package engine

import (
	"time"

	"github.com/llmx-dev/llmx/internal/engine/cache"
	"github.com/llmx-dev/llmx/internal/engine/cascade"
	"github.com/llmx-dev/llmx/internal/engine/contract"
	"github.com/llmx-dev/llmx/internal/engine/keepalive"
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
	Cascades map[string]Accept        // by the name of a route: what it takes of an answer
	Jitter   func() float64           // of pauses, 0 … 1; nil draws it
	Breakers *route.Breakers          // that outlive this engine; nil for its own
}

// Accept judges an answer of a cascade that keeps its contract: "" takes it, else
// why not. A nil Accept takes every such answer.
type Accept = cascade.Accept

// New composes the engine; the outermost wrapper comes last.
func New(p Parts) llm.Model {
	model := route.New(route.Options{Targets: p.Targets, Policies: p.Policies, Now: p.Now, Jitter: p.Jitter, Breakers: p.Breakers})
	if p.Cache != nil {
		model = cache.New(*p.Cache, model)
	}
	model = contract.New(model)
	model = cascade.New(p.cascades(), model)
	model = route.Deadline(p.Policies, model)
	model = trace.New(p.Recorder, p.NewID, p.Now, model)
	return keepalive.New(render.New(p.Prompts, model))
}

func (p Parts) cascades() map[string]cascade.Policy {
	policies := map[string]cascade.Policy{}
	for name, accept := range p.Cascades {
		policies[name] = cascade.Policy{Accept: accept, Next: p.Policies[name].Next}
	}
	return policies
}
