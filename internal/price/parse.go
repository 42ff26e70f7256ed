package price

import (
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	decimals = 9         // of a dollar, down to nano-USD
	mostUSD  = 1_000_000 // more is a slip of the pen
)

// ParseUSD reads dollars exactly, without floating point: "0.15" is 150,000,000
// nano-USD. At most nine decimals and a million dollars; no sign, no exponent.
// The error is of class Invalid and has no place.
func ParseUSD(text string) (llm.Money, error) {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	if !digits(whole) || hasPoint && !digits(fraction) {
		return 0, refuse(text, "is not an amount in dollars")
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > decimals {
		return 0, refuse(text, "is finer than a billionth of a dollar")
	}
	dollars, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || dollars > mostUSD {
		return 0, refuse(text, "is more than a million dollars")
	}
	nano := uint64(0)
	if fraction != "" {
		nano, err = strconv.ParseUint(fraction+strings.Repeat("0", decimals-len(fraction)), 10, 63)
		if err != nil {
			return 0, refuse(text, "is not an amount in dollars")
		}
	}
	return llm.Money(dollars)*llm.USD + llm.Money(nano), nil
}

func refuse(text, why string) error {
	if runes := []rune(text); len(runes) > 40 {
		text = string(runes[:40]) + "…"
	}
	return fault.New(fault.Invalid, "%q %s", text, why).WithHint("write it like 0.15 or 20")
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
