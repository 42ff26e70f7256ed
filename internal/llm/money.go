package llm

import "fmt"

// Money is an amount in nano-USD (10⁻⁹ USD).
type Money int64

// USD is one dollar.
const USD Money = 1_000_000_000

// String prints dollars with two decimals, and below a dollar with three
// significant digits, so that the cost of one call does not read as nothing.
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	decimals := 2
	for limit := USD; m > 0 && m < limit && decimals < 9; limit /= 10 {
		decimals++
	}
	unit := USD
	for range decimals {
		unit /= 10
	}
	rounded := (m + unit/2) / unit * unit
	return fmt.Sprintf("%s$%d.%0*d", sign, rounded/USD, decimals, rounded%USD/unit)
}

// Cost is an amount that may be unknown, which is not 0.
type Cost struct {
	Amount Money `json:"amount"`
	Known  bool  `json:"known"`
}

// Known makes a known cost.
func KnownCost(m Money) Cost { return Cost{Amount: m, Known: true} }

// Plus adds two costs; a sum with an unknown part is unknown.
func (c Cost) Plus(d Cost) Cost {
	return Cost{Amount: c.Amount + d.Amount, Known: c.Known && d.Known}
}

func (c Cost) String() string {
	if !c.Known {
		return "unknown"
	}
	return c.Amount.String()
}

// Usage counts tokens. Input includes CachedInput, Output includes Reasoning.
type Usage struct {
	Input       int64 `json:"input"`
	Output      int64 `json:"output"`
	CachedInput int64 `json:"cached_input,omitempty"`
	Reasoning   int64 `json:"reasoning,omitempty"`
	Estimated   bool  `json:"estimated,omitempty"` // no provider counted these
}

// Plus adds two usages.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Output: u.Output + v.Output,
		CachedInput: u.CachedInput + v.CachedInput, Reasoning: u.Reasoning + v.Reasoning,
		Estimated: u.Estimated || v.Estimated,
	}
}
