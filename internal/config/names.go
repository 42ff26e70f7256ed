package config

import (
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Target is what a name of a model or a route stands for.
type Target struct {
	Name    string
	IsRoute bool
	Use     []string // aliases of models; of a model: itself
	Retry   Retry
	Timeout Timeout // per model by Timeout.For
	Breaker Breaker
	Place   fault.Place
}

// Lookup finds a model or a route. A bare model has the default policy and falls
// back to nothing.
func (c *Config) Lookup(name string) (Target, bool) {
	if route, ok := c.Routes[name]; ok {
		return Target{
			Name: name, IsRoute: true, Use: route.Use,
			Retry: route.Retry, Timeout: route.Timeout, Breaker: route.Breaker, Place: route.Place,
		}, true
	}
	model, ok := c.Models[name]
	if !ok {
		return Target{}, false
	}
	policy := newRoute()
	return Target{
		Name: name, Use: []string{name},
		Retry: policy.Retry, Timeout: policy.Timeout, Breaker: policy.Breaker, Place: model.Place,
	}, true
}

// Names lists all that Lookup finds, sorted.
func (c *Config) Names() []string {
	return slices.Sorted(slices.Values(append(c.ModelNames(), c.RouteNames()...)))
}

// ProviderNames, sorted.
func (c *Config) ProviderNames() []string { return sortedNames(c.Providers) }

// ModelNames are the aliases, sorted.
func (c *Config) ModelNames() []string { return sortedNames(c.Models) }

// RouteNames, sorted.
func (c *Config) RouteNames() []string { return sortedNames(c.Routes) }

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
