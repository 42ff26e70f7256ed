package config

import "github.com/llmx-dev/llmx/internal/fault"

// Serve has the settings of `llmx serve`.
type Serve struct {
	// BudgetsWithoutStore says what becomes of a request that a budget counts while the
	// store cannot be written: closed, the default, refuses it once nothing is left of
	// what was set aside for this process; open answers it, and counts it later.
	BudgetsWithoutStore string      `yaml:"budgets_without_store" oneof:"closed open"`
	Place               fault.Place `yaml:",place"`
}

func newServe() Serve { return Serve{BudgetsWithoutStore: "closed"} }
