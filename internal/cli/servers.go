package cli

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"sync"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine/limit"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/openai"
	"github.com/llmx-dev/llmx/internal/provider/sim"
)

// servers opens the providers of llmx.yaml, each when it is first asked, so that
// a key is needed only by who uses it.
type servers struct {
	project *project
	*connections
}

// connections are what all projects share that are asked in one command: those at a
// commit ask the providers of now.
type connections struct {
	conns int // at once, for each provider

	mu       sync.Mutex
	opened   map[string]*openai.Provider // by name and access: a key that was changed opens another one
	limiters map[string]*limit.Limiter   // by provider and name on the wire
	settings map[string]limit.Settings   // of limiters
}

func newServers(p *project, conns int) *servers {
	return &servers{p, &connections{conns: conns, opened: map[string]*openai.Provider{}, limiters: map[string]*limit.Limiter{}, settings: map[string]limit.Settings{}}}
}

// of opens the models of another project on the same connections, under the same limits.
func (s *servers) of(p *project) *servers { return &servers{p, s.connections} }

// limiter keeps the limits of an alias. They are those of a key at a vendor, so
// aliases of the same model there share one, under the tightest of their limits.
func (s *servers) limiter(alias string) *limit.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.project.resolved(alias)
	if s.limiters[name] == nil {
		s.settings[name] = s.project.limits(alias)
		s.limiters[name] = limit.New(s.settings[name])
	}
	return s.limiters[name]
}

// renew forgets the limiters whose limits are others now; all else goes on counting.
func (s *servers) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for alias := range s.project.config.Models {
		if name := s.project.resolved(alias); s.limiters[name] != nil && !sameLimits(s.settings[name], s.project.limits(alias)) {
			delete(s.limiters, name)
		}
	}
}

func sameLimits(a, b limit.Settings) bool {
	return a.RPM == b.RPM && a.TPM == b.TPM && a.Concurrency == b.Concurrency
}

// limits are the tightest of those of all aliases that stand for the same model.
func (p *project) limits(alias string) limit.Settings {
	settings := limit.Settings{Name: alias}
	for other, model := range p.config.Models {
		if p.resolved(other) == p.resolved(alias) {
			if other != alias {
				settings.Name = p.resolved(alias) // no alias has the limits alone
			}
			settings.RPM = tightest(settings.RPM, model.Limits.RPM)
			settings.TPM = tightest(settings.TPM, model.Limits.TPM)
			settings.Concurrency = tightest(settings.Concurrency, model.Limits.Concurrency)
		}
	}
	return settings
}

// tightest is the smaller of two bounds, of which 0 is none.
func tightest(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// canAsk reports why a provider cannot be asked: a key that is not there.
func (s *servers) canAsk(name string) error {
	_, err := s.open(name)
	return err
}

// checkKeys reports every provider behind models and routes that cannot be asked.
func (s *servers) checkKeys(names []string) error {
	var problems fault.List
	seen := map[string]bool{}
	for _, name := range names {
		found, err := s.project.lookup(name, fault.Place{})
		problems.Add(err)
		for _, provider := range s.project.providersOf(found) {
			if !seen[provider] {
				seen[provider] = true
				problems.Add(s.canAsk(provider))
			}
		}
	}
	return problems.Err()
}

func (s *servers) open(name string) (*openai.Provider, error) {
	w := s.project.world
	settings := s.project.config.Providers[name]
	if settings.Kind == config.KindSim {
		return nil, nil
	}
	access, err := settings.Resolve(w.LookupEnv, s.project.fs)
	if err != nil {
		return nil, err
	}
	identity, _ := json.Marshal([]any{access.BaseURL(), access.APIKey(), access.Headers()}) // strings and a map of strings
	key := name + " " + eval.HashOf(identity)
	s.mu.Lock()
	defer s.mu.Unlock()
	if provider, ok := s.opened[key]; ok {
		return provider, nil
	}
	provider := openai.New(openai.Options{
		Name: name, BaseURL: access.BaseURL(), APIKey: access.APIKey(), Headers: access.Headers(),
		MaxConns: s.conns, Proxy: http.ProxyFromEnvironment, Now: w.Now,
	})
	s.opened[key] = provider
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
		Malformed: settings.Sim.Malformed, Errors: settings.Sim.Errors, Confidence: settings.Sim.Confidence,
	}
}
