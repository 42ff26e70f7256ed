package scorer

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// decimal is a number as exact as it was written: ±0.digits × 10^exp, with no zero
// at either end of the digits. Zero has no digits, no sign and exponent 0. Two
// decimals are equal exactly where the numbers are, so 1, 1.0 and 10e-1 are one,
// and 0.1 is not the float next to it.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// maxDigits and maxExponent bound a number that a model wrote.
const (
	maxDigits   = 1000
	maxExponent = 1_000_000
)

// parseDecimal reads a JSON number, and besides a leading plus, a bare fraction
// (.5) and a bare point (5.).
func parseDecimal(text string) (decimal, bool) {
	var d decimal
	if len(text) > maxDigits {
		return d, false
	}
	if text != "" && (text[0] == '-' || text[0] == '+') {
		d.negative = text[0] == '-'
		text = text[1:]
	}
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exp, err := strconv.Atoi(text[i+1:])
		if err != nil || exp > maxExponent || exp < -maxExponent {
			return decimal{}, false
		}
		mantissa, d.exp = text[:i], exp
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, false
	}
	d.exp += len(whole)
	d.digits = whole + fraction
	trimmed := strings.TrimLeft(d.digits, "0")
	d.exp -= len(d.digits) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// compare gives -1, 0 or 1 as d is below, equal to or above e.
func (d decimal) compare(e decimal) int {
	if d == e {
		return 0
	}
	if s, t := d.sign(), e.sign(); s != t {
		return sign(s - t)
	}
	// The digits begin with no zero: the larger exponent is the larger number.
	magnitude := sign(d.exp - e.exp)
	if magnitude == 0 {
		magnitude = strings.Compare(d.digits, e.digits)
	}
	return magnitude * d.sign()
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func sign(i int) int {
	switch {
	case i < 0:
		return -1
	case i > 0:
		return 1
	}
	return 0
}

// rat gives the number for arithmetic; false where its size is beyond any sense.
func (d decimal) rat() (*big.Rat, bool) {
	const most = 2000
	if d.exp > most || d.exp < -most {
		return nil, false
	}
	text := "0." + d.digits + "e" + strconv.Itoa(d.exp)
	if d.digits == "" {
		text = "0"
	}
	r, ok := new(big.Rat).SetString(text)
	if ok && d.negative {
		r.Neg(r)
	}
	return r, ok
}

// number is an argument that is one. A string that reads as a number is one too,
// since a row of a CSV file knows no other.
type number struct {
	decimal
	text string
}

// UnmarshalNode reads a number.
func (v *number) UnmarshalNode(n strictyaml.Node) error {
	text := n.Text()
	if written, ok := n.Value().(json.Number); ok {
		text = string(written)
	}
	d, ok := parseDecimal(text)
	if !ok || (n.Kind() != strictyaml.Number && n.Kind() != strictyaml.String) {
		return n.Mismatch("a number")
	}
	v.decimal, v.text = d, text
	return nil
}

// MarshalJSON writes the number as it was written.
func (v number) MarshalJSON() ([]byte, error) { return json.Marshal(v.text) }

// String writes the number so that equal numbers are equal texts: 1800, 0.25, or
// 0.1e-40 where plain digits would be long.
func (d decimal) String() string {
	const longest = 21
	sign := ""
	if d.negative {
		sign = "-"
	}
	n := len(d.digits)
	switch {
	case n == 0:
		return "0"
	case d.exp >= n && d.exp <= longest:
		return sign + d.digits + strings.Repeat("0", d.exp-n)
	case d.exp > 0 && d.exp < n:
		return sign + d.digits[:d.exp] + "." + d.digits[d.exp:]
	case d.exp <= 0 && d.exp > -longest:
		return sign + "0." + strings.Repeat("0", -d.exp) + d.digits
	}
	return sign + "0." + d.digits + "e" + strconv.Itoa(d.exp)
}
