package config

import (
	"maps"
	"slices"
)

// Target is what a name of a model or a route stands for.
type Target struct {
	Name    string
	IsRoute bool
	Route   // of a model: the default policy over itself
}

// Lookup finds a model or a route. A bare model has the default policy and falls
// back to nothing.
func (c *Config) Lookup(name string) (Target, bool) {
	if route, ok := c.Routes[name]; ok {
		return Target{Name: name, IsRoute: true, Route: route}, true
	}
	model, ok := c.Models[name]
	if !ok {
		return Target{}, false
	}
	policy := newRoute()
	policy.Use, policy.Place = []string{name}, model.Place
	return Target{Name: name, Route: policy}, true
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
