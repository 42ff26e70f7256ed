package config

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Rule gives the models for the requests that When matches.
type Rule struct {
	When  When        `yaml:"when,required"`
	Use   []string    `yaml:"use,required"` // aliases, in the order of falling back
	Place fault.Place `yaml:",place"`
}

// When has the conditions of a rule: all that are given must hold.
type When struct {
	Prompts    []string    `yaml:"prompts"`    // one of these
	Tags       []string    `yaml:"tags"`       // has one of these
	Tokens     Range       `yaml:"tokens"`     // of the rendered messages, estimated
	Characters Range       `yaml:"characters"` // of the inputs
	Place      fault.Place `yaml:",place"`
}

func (w When) empty() bool {
	return len(w.Prompts) == 0 && len(w.Tags) == 0 && !w.Tokens.given() && !w.Characters.given()
}

// Range is from Min to Max, both included; Max 0 is no bound.
type Range struct {
	Min   int         `yaml:"min"`
	Max   int         `yaml:"max"`
	Place fault.Place `yaml:",place"`
}

func (r Range) given() bool { return r.Min > 0 || r.Max > 0 }

// Cascade makes a route ask its models one after the other, until an answer keeps
// its contract and holds every check in Accept.
type Cascade struct {
	Accept strictyaml.Node `yaml:"accept"` // a list of checks, as a suite's expect; read where checks are known
	Place  fault.Place     `yaml:",place"`
}

// mostWeight bounds a weight: more digits say nothing.
const mostWeight = 1_000_000.0

func (r *Route) checkRouting(n strictyaml.Node, problems *fault.List) {
	r.checkWeights(n, problems)
	if sticky := n.Get("sticky"); sticky.Exists() && len(r.Weights) == 0 {
		problems.Add(sticky.Errorf("sticky is for a route with weights").WithHint("add weights: {…}, or remove sticky"))
	}
	for i, item := range n.Get("rules").Items() {
		if i < len(r.Rules) {
			r.Rules[i].check(item, problems)
		}
	}
	if cascade := n.Get("cascade"); r.Cascade != nil {
		if len(r.Weights) > 0 {
			problems.Add(cascade.Errorf("a cascade asks its models in their order: it has no weights"))
		}
		if len(r.Use) == 1 && len(r.Rules) == 0 {
			problems.Add(cascade.Errorf("a cascade needs a second model to go on to").WithHint("add it to use:"))
		}
		if restart := n.Get("restart"); r.Restart {
			problems.Add(restart.Errorf("a cascade gives its answer whole: there is nothing to restart"))
		}
	}
}

func (r *Route) checkWeights(n strictyaml.Node, problems *fault.List) {
	given := n.Get("weights")
	if !given.Exists() || given.Kind() != strictyaml.Mapping {
		return
	}
	for _, field := range given.Fields() {
		weight := r.Weights[field.Key]
		switch {
		case !slices.Contains(r.Use, field.Key):
			problems.Add(fault.At(field.Place, "%q has a weight and is not in use:", field.Key).WithHint("%s", fault.Allowed(field.Key, r.Use)))
		case field.Value.Kind() == strictyaml.Number && (weight <= 0 || weight > mostWeight):
			problems.Add(field.Value.Errorf("a weight is more than 0 and at most %.0f", mostWeight).WithHint("leave a model out of use: to give it none"))
		}
	}
	for _, alias := range r.Use {
		if _, ok := r.Weights[alias]; !ok {
			problems.Add(given.Errorf("the model %q has no weight", alias).WithHint("give every model in use: one: {small: 9, large: 1}"))
		}
	}
}

func (r *Rule) check(n strictyaml.Node, problems *fault.List) {
	if use := n.Get("use"); use.Kind() == strictyaml.List && len(r.Use) == 0 {
		problems.Add(use.Errorf("a rule needs at least one model"))
	}
	when := n.Get("when")
	if when.Kind() == strictyaml.Mapping && r.When.empty() && when.Decode(&When{}) == nil { // else told already
		problems.Add(when.Errorf("the rule has no condition and would always hold").
			WithHint("allowed: prompts, tags, tokens: {min, max}, characters: {min, max}; the route's own use: is for all others"))
	}
	for key, r := range map[string]Range{"tokens": r.When.Tokens, "characters": r.When.Characters} {
		given := when.Get(key)
		between(problems, given, "min", 0, 1_000_000_000)
		between(problems, given, "max", 1, 1_000_000_000)
		if r.Max > 0 && r.Min > r.Max {
			problems.Add(given.Errorf("min (%d) is above max (%d)", r.Min, r.Max))
		}
	}
}

// Models lists every model that the target may ask, each once, in the order in
// which they stand in the file.
func (t Target) Models() []string {
	models := slices.Clone(t.Use)
	for _, rule := range t.Rules {
		for _, alias := range rule.Use {
			if !slices.Contains(models, alias) {
				models = append(models, alias)
			}
		}
	}
	return models
}
