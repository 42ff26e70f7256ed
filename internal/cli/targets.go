package cli

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"sync"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/price"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/provider/sim"
)

// servers opens the providers of llmx.yaml, each when it is first asked, so that
// a key is needed only by who uses it.
type servers struct {
	project *project
	conns   int // connections at once, for each

	mu     sync.Mutex
	opened map[string]*openai.Provider
}

func newServers(p *project, conns int) *servers {
	return &servers{project: p, conns: conns, opened: map[string]*openai.Provider{}}
}

// canAsk reports why a provider cannot be asked: a key that is not there, or a
// budget that nobody would keep.
func (s *servers) canAsk(name string) error {
	cfg := s.project.config
	if len(cfg.Budgets) > 0 && cfg.Providers[name].Kind != config.KindSim {
		return fault.At(cfg.Budgets[0].Place, "budgets are not kept by this version, so nothing is asked that costs money").
			WithHint("remove budgets: to ask all the same, or use --replay")
	}
	_, err := s.open(name)
	return err
}

func (s *servers) open(name string) (*openai.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if provider, ok := s.opened[name]; ok {
		return provider, nil
	}
	w := s.project.world
	settings := s.project.config.Providers[name]
	if settings.Kind == config.KindSim {
		return nil, nil
	}
	access, err := settings.Resolve(w.LookupEnv, s.project.fs)
	if err != nil {
		return nil, err
	}
	provider := openai.New(openai.Options{
		Name: name, BaseURL: access.BaseURL(), APIKey: access.APIKey(), Headers: access.Headers(),
		MaxConns: s.conns, Proxy: http.ProxyFromEnvironment, Now: w.Now,
	})
	s.opened[name] = provider
	return provider, nil
}

// close lets go of idle connections.
func (s *servers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, provider := range s.opened {
		provider.Close()
	}
}

// model is who answers for an alias, asked for the first time when it is needed.
func (s *servers) model(alias string) llm.Model {
	settings := s.project.config.Models[alias]
	wire := wireOf(alias, settings)
	if settings.Sim != nil {
		return sim.New(simOptions(settings, wire))
	}
	caps := openai.Caps{
		Temperature: settings.Caps.Temperature, MaxTokensAs: settings.Caps.MaxTokensAs, Reasoning: settings.Caps.Reasoning,
	}
	open := sync.OnceValues(func() (llm.Model, error) {
		provider, err := s.open(settings.Provider)
		if err != nil {
			return nil, err
		}
		return provider.Model(wire, caps), nil
	})
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		model, err := open()
		if err != nil {
			return llm.Fail(err)
		}
		return model.Stream(ctx, req)
	})
}

func simOptions(settings config.Model, wire string) sim.Options {
	accuracy := settings.Sim.Accuracy
	return sim.Options{
		Name: settings.Provider, Model: wire, Seed: uint64(settings.Sim.Seed), Accuracy: &accuracy,
		Latency:   sim.Latency{P50: settings.Sim.Latency.P50, P95: settings.Sim.Latency.P95},
		Malformed: settings.Sim.Malformed, Errors: settings.Sim.Errors,
	}
}

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
// which server it is asked of, and how its request is made.
func (p *project) cacheName(alias string) string {
	settings := p.config.Models[alias]
	name := []any{p.resolved(alias), settings.Caps.MaxTokensAs, settings.Caps.Temperature}
	access, err := p.config.Providers[settings.Provider].Resolve(p.world.LookupEnv, p.fs)
	if err == nil { // who cannot be asked gives no answer to keep
		name = append(name, access.BaseURL(), access.Headers())
	}
	text, _ := json.Marshal(name) // strings, a bool and a map of strings
	return eval.HashOf(text)
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

// target makes an alias ready for the engine. wrap puts recordings before it.
func (s *servers) target(alias string, wrap func(alias string, next llm.Model) llm.Model) (*route.Target, error) {
	cost, err := s.project.priceOf(alias)
	if err != nil {
		return nil, err
	}
	settings := s.project.config.Models[alias]
	target := &route.Target{
		Alias: alias, Provider: settings.Provider, Wire: wireOf(alias, settings),
		Model: wrap(alias, route.Latch(s.model(alias))), Cost: cost.Cost,
	}
	if n := settings.Limits.Concurrency; n > 0 {
		target.Slots = make(chan struct{}, n)
	}
	return target, nil
}

// targetOf finds the one model that answers for a model or a route.
func (p *project) targetOf(name string, place fault.Place) (alias string, policy route.Policy, err error) {
	found, ok := p.config.Lookup(name)
	if !ok {
		refusal := fault.At(place, "no model or route is called %q", name).WithHint("%s", fault.Allowed(name, p.config.Names()))
		if place.File == "" {
			refusal.Class = fault.Usage
		}
		return "", route.Policy{}, refusal
	}
	if len(found.Use) > 1 {
		return "", route.Policy{}, fault.At(found.Place, "the route %q names %d models: routes over several models are not there yet", name, len(found.Use)).
			WithHint("name one model in use:, or ask a model by its alias: %s", fault.Allowed("", p.config.ModelNames()))
	}
	alias = found.Use[0]
	timeouts := found.Timeout.For(p.config.Models[alias])
	return alias, route.Policy{Use: alias, Total: timeouts.Total}, nil
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
