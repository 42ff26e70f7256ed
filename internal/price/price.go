// Package price turns tokens into money, in integers: prices are nano-USD per
// million tokens, a cost is rounded once. It holds the dated table of list
// prices, and imports llm and fault.
package price

import (
	"math"
	"math/bits"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Price is what a model charges for one request. The zero Price is unknown, which
// is not free.
type Price struct {
	Rates
	Long  LongContext
	Known bool
}

// Rates are in nano-USD per million tokens.
type Rates struct {
	Input       llm.Money // tokens of the input that were not read from the provider's cache
	CachedInput llm.Money // tokens of the input that were
	Output      llm.Money // tokens of the output, reasoning included
}

// LongContext holds the rates of a request whose input is longer than Above, cached
// tokens counted. They are for all of its tokens, not only for those beyond: that is
// how the vendors bill that have such a tier. Above 0 is no tier.
type LongContext struct {
	Above int64
	Rates
}

const (
	perMillion = 1_000_000
	// mostTokens bounds a count that cannot be true, so that no sum overflows.
	mostTokens = 1_000_000_000_000
)

// Of makes a price of decimal dollars per million tokens, as they stand in
// llmx.yaml. An empty cachedInput means that cached tokens cost what others do.
func Of(input, output, cachedInput string) (Price, error) {
	rates, err := ratesOf(input, output, cachedInput)
	if err != nil {
		return Price{}, err
	}
	return Price{Rates: rates, Known: true}, nil
}

// WithLongContext adds the rates of requests with more than above tokens of input,
// written as for Of.
func (p Price) WithLongContext(above int64, input, output, cachedInput string) (Price, error) {
	if above <= 0 {
		return Price{}, fault.New(fault.Invalid, "a long context above %d tokens is every context", above).
			WithHint("say from where on the prices are others, such as 200000")
	}
	rates, err := ratesOf(input, output, cachedInput)
	if err != nil {
		return Price{}, err
	}
	p.Long = LongContext{Above: above, Rates: rates}
	return p, nil
}

func ratesOf(input, output, cachedInput string) (Rates, error) {
	if cachedInput == "" {
		cachedInput = input
	}
	var rates Rates
	for _, field := range []struct {
		text string
		to   *llm.Money
	}{{input, &rates.Input}, {output, &rates.Output}, {cachedInput, &rates.CachedInput}} {
		amount, err := ParseUSD(field.text)
		if err != nil {
			return Rates{}, err
		}
		*field.to = amount
	}
	return rates, nil
}

// Cost is what one request with this usage costs, rounded half up to whole nano-USD,
// once. A count below 0 is taken as 0, one that cannot be true as 10¹², cached
// tokens beyond the input as all of the input; a sum that no Money can hold stays at
// the most that it can.
func (p Price) Cost(usage llm.Usage) llm.Cost {
	if !p.Known {
		return llm.Cost{}
	}
	rates := p.Rates
	if p.Long.Above > 0 && usage.Input > p.Long.Above {
		rates = p.Long.Rates
	}
	input := tokens(usage.Input)
	cached := min(tokens(usage.CachedInput), input)

	var total wide
	total.add(input-cached, rates.Input)
	total.add(cached, rates.CachedInput)
	total.add(tokens(usage.Output), rates.Output)
	return llm.KnownCost(total.perMillion())
}

func tokens(n int64) uint64 { return uint64(min(max(n, 0), mostTokens)) }

// wide is a sum in 128 bits. Three products of 10¹² and 2⁶³ stay below 2¹²⁸.
type wide struct{ high, low uint64 }

func (w *wide) add(tokens uint64, price llm.Money) {
	high, low := bits.Mul64(tokens, uint64(max(price, 0)))
	var carry uint64
	w.low, carry = bits.Add64(w.low, low, 0)
	w.high += high + carry
}

// perMillion divides by a million, half up.
func (w wide) perMillion() llm.Money {
	low, carry := bits.Add64(w.low, perMillion/2, 0)
	high := w.high + carry
	if high >= perMillion {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, perMillion)
	return llm.Money(min(quotient, math.MaxInt64))
}
