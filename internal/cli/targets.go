package cli

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/timeout"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/price"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

func wireOf(alias string, settings config.Model) string {
	if settings.Model != "" {
		return settings.Model
	}
	return alias
}

// resolved names what an alias stands for, in keys, recordings and treatments.
func (p *project) resolved(alias string) string {
	settings := p.config.Models[alias]
	return settings.Provider + "/" + wireOf(alias, settings)
}

// cacheName names all that can change an alias's answers, for the cache's key: also
// which server it is asked of, how its request is made, and where its answers are under a
// contract, how it is told of that.
func (p *project) cacheName(alias string, contract bool) string {
	settings := p.config.Models[alias]
	name := []any{p.resolved(alias), settings.Caps.MaxTokensAs, settings.Caps.Temperature}
	access, err := p.config.Providers[settings.Provider].Resolve(p.world.LookupEnv, p.fs)
	if err == nil { // who cannot be asked gives no answer to keep
		name = append(name, access.BaseURL(), access.Headers())
	}
	if contract {
		name = append(name, p.tellingOf(alias), tellingVersion)
	}
	text, _ := json.Marshal(name) // strings, a bool and a map of strings
	return eval.HashOf(text)
}

// keptAs is an alias in cache keys: for answers under a contract, and others.
type keptAs struct {
	alias    string
	contract bool
}

// cacheNames are the names of the models whose answers may be kept. They are made
// once, as they follow references to the environment and to files. A simulated
// model has none: it knows the golden answer, which is in no key.
func (p *project) cacheNames(targets map[string]*route.Target) map[keptAs]string {
	names := map[keptAs]string{}
	for alias := range targets {
		if p.config.Models[alias].Sim == nil {
			names[keptAs{alias, false}] = p.cacheName(alias, false)
			names[keptAs{alias, true}] = p.cacheName(alias, true)
		}
	}
	return names
}

// priceOf is what an alias charges: llmx.yaml's word, else the built-in table for the
// vendor whose own server is asked. A simulated model without a price is free.
func (p *project) priceOf(alias string) (price.Price, error) {
	settings := p.config.Models[alias]
	if spec := settings.Price; spec != nil {
		return priceFrom(spec)
	}
	provider := p.config.Providers[settings.Provider]
	if provider.Kind == config.KindSim {
		return price.Price{Known: true}, nil
	}
	server := config.OpenAIBaseURL
	if provider.BaseURL.IsSet() {
		server = provider.BaseURL.String()
	}
	found, _ := price.Lookup(server, wireOf(alias, settings))
	return found, nil
}

func priceFrom(spec *config.PriceSpec) (price.Price, error) {
	found, err := price.Of(string(spec.Input), string(spec.Output), string(spec.CachedInput))
	if long := spec.LongContext; err == nil && long != nil {
		return found.WithLongContext(long.Above, string(long.Input), string(long.Output), string(long.CachedInput))
	}
	return found, err
}

// target makes an alias ready for the engine. An attempt goes through recordings,
// which wrap puts before all that costs, tells the form of the answer, then takes its
// money and its place, then the provider is asked.
func (s *servers) target(alias string, wrap func(alias string, next llm.Model) llm.Model, book *budget.Book) (*route.Target, error) {
	cost, err := s.project.priceOf(alias)
	if err != nil {
		return nil, err
	}
	settings := s.project.config.Models[alias]
	model := s.limiter(alias).Model(timeout.New(alias, s.model(alias)))
	teller := s.project.teller(alias)
	model = teller.Model(book.Model(alias, cost.Cost, model))
	return &route.Target{
		Alias: alias, Provider: settings.Provider, Wire: wireOf(alias, settings), Context: settings.Context,
		Model: wrap(alias, route.Latch(model)), Cost: cost.Cost, Estimate: teller.Estimate,
	}, nil
}

// recordingMode is how an alias is wrapped for a run over suites.
type recordingMode struct {
	mode  replay.Mode
	fresh bool
	files map[string]*replay.Recordings // by suite
	used  func(key string)
}

func (s *servers) recorded(m recordingMode) func(alias string, next llm.Model) llm.Model {
	return func(alias string, next llm.Model) llm.Model {
		provider := s.project.config.Models[alias].Provider
		return replay.Wrap(next, replay.Options{
			Mode: m.mode, Resolved: s.project.resolved(alias), Provider: provider, Fresh: m.fresh,
			For:    func(req llm.Request) *replay.Recordings { return m.files[req.Origin.Suite] },
			CanAsk: func() error { return s.canAsk(provider) },
			Now:    s.project.world.Now, Used: m.used,
		})
	}
}
