package budget

import (
	"fmt"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// refusal says that a request may cost more than is left of a budget, and what to do.
func refusal(a *account, amount llm.Money) error {
	raise := "raise usd: at " + a.budget.Place.String()
	switch {
	case a.budget.Place.File == "":
		raise = "raise it"
	case a.budget.Place.Line == 0:
		raise = "raise " + a.budget.Place.File
	}
	if amount > a.budget.Limit {
		return fault.New(fault.Budget, "this request may cost %s, and the budget of %s is %s", amount, a.Account, a.budget.Limit).
			WithHint("%s, or lower max_tokens of the prompt", raise)
	}
	lost := ""
	if a.state.Lost > 0 {
		lost = fmt.Sprintf(" (of it %s held by a process that was killed)", a.state.Lost)
	}
	refused := fault.New(fault.Budget, "the budget of %s has no room for this request: %s of %s are spent%s, and it may cost %s",
		a.Account, a.gone(), a.budget.Limit, lost, amount)
	if ends := a.ends(); !ends.IsZero() {
		return refused.WithHint("%s, or wait until %s", raise, ends.Format("2006-01-02 15:04 UTC"))
	}
	return refused.WithHint("%s, or start another run", raise)
}

// until adds to a refusal when the budget is renewed, where waiting for that helps.
func until(refused error, a *account, amount llm.Money, now time.Time) error {
	if e := fault.As(refused); amount <= a.budget.Limit && !a.ends().IsZero() {
		e.RetryAfter = max(a.ends().Sub(now), 0)
	}
	return refused
}

// unpriced refuses what nobody can bound.
func unpriced(alias string) error {
	return fault.New(fault.Budget, "the price of the model %q is not known, and there is a budget", alias).
		WithHint("add price: {input: 0.15, output: 0.60} to the model in llmx.yaml, in USD per million tokens")
}
