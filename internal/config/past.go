package config

import "github.com/llmx-dev/llmx/internal/fault"

// With gives the models and routes of c over the providers of now, for a file of before
// whose models are asked once more: keys and addresses are those of today. A model
// whose provider is no more, or is of another kind, is an error.
func (c *Config) With(now *Config) (*Config, error) {
	made := *now
	made.Models, made.Routes = map[string]Model{}, c.Routes
	var problems fault.List
	for _, name := range c.ModelNames() {
		model := c.Models[name]
		provider, known := now.Providers[model.Provider]
		if !known {
			problems.Add(fault.At(model.Place, "the model %s is asked of the provider %q, which is no more", name, model.Provider).
				WithHint("keep the provider in llmx.yaml as long as older models are compared with; %s", fault.Allowed(model.Provider, now.ProviderNames())))
			continue
		}
		if isSim := provider.Kind == KindSim; isSim != (model.Sim != nil) {
			model.Sim = nil
			if isSim {
				sim := newSim()
				model.Sim = &sim
			}
		}
		made.Models[name] = model
	}
	return &made, problems.Err()
}
