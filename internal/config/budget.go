package config

import (
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Budget bounds what is spent.
type Budget struct {
	Scope string      `yaml:"scope,required" oneof:"project prompt model key run"` // what is counted together
	USD   Decimal     `yaml:"usd,required"`
	Per   string      `yaml:"per,required" oneof:"day month run"`
	Alert float64     `yaml:"alert"` // share of the amount from which on there is a warning; 0, the default, for none
	Place fault.Place `yaml:",place"`
}

func (c *Config) checkBudgets(n strictyaml.Node, problems *fault.List) {
	type bound struct{ scope, per string }
	seen := map[bound]bool{}
	for i, item := range n.Items() {
		if i >= len(c.Budgets) {
			return // it is not a list of mappings, which is told already
		}
		b := c.Budgets[i]
		between(problems, item, "alert", 0.0, 1.0)
		if b.USD != "" && b.USD.isZero() {
			problems.Add(item.Get("usd").Errorf("a budget of 0 dollars forbids every call").WithHint("use --replay to spend nothing"))
		}
		if b.Scope == "run" && (b.Per == "day" || b.Per == "month") {
			problems.Add(item.Get("per").Errorf("a budget with scope: run is spent per run").WithHint("say per: run, or scope: project"))
		}
		key := bound{b.Scope, b.Per}
		if seen[key] && b.Scope != "" && b.Per != "" {
			problems.Add(item.Errorf("there is a budget for scope: %s per: %s already", b.Scope, b.Per))
		}
		seen[key] = true
	}
}

// CheckPrices refuses a file with budgets in which the price of a model is not
// known: what cannot be counted cannot be bounded. known asks for a model by its
// alias, as what a model costs is settled elsewhere.
func (c *Config) CheckPrices(known func(alias string) bool) error {
	if len(c.Budgets) == 0 {
		return nil
	}
	var problems fault.List
	for _, alias := range c.ModelNames() {
		if !known(alias) {
			problems.Add(Unpriced(alias, c.Models[alias], "the file has a budget in dollars"))
		}
	}
	return problems.Err()
}

// Unpriced is the error of a model whose price has to be known and is not; because
// says what needs it.
func Unpriced(alias string, model Model, because string) *fault.Error {
	return fault.At(model.Place, "the price of the model %q is not known, and %s", alias, because).
		WithHint("add price: {input: 0.15, output: 0.60}, in USD per million tokens")
}
