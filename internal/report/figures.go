package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// The units of a metric.
const (
	unitShare   = "share"
	unitUSD     = "USD"
	unitSeconds = "seconds"
)

const unknown = "unknown"

// figure prints a metric's value in its unit; nil is unknown.
func figure(unit string, value *float64) string {
	if value == nil || math.IsNaN(*value) || math.IsInf(*value, 0) {
		return unknown
	}
	switch unit {
	case unitShare:
		return percent(*value)
	case unitUSD:
		return usd(*value)
	case unitSeconds:
		return seconds(*value)
	}
	return strconv.FormatFloat(*value, 'f', 3, 64)
}

// percent prints a share with one decimal; with more where a share that is not
// whole would read as 100.0 % (or one that is not nothing as 0.0 %).
func percent(share float64) string {
	for decimals := 1; ; decimals++ {
		s := strconv.FormatFloat(share*100, 'f', decimals, 64)
		v, _ := strconv.ParseFloat(s, 64)
		lies := (share != 1 && v == 100) || (share != 0 && v == 0)
		if !lies || decimals == 4 {
			return s + " %"
		}
	}
}

// priced says what answers cost, and what was paid for them now.
func priced(cost, paid llm.Cost) string {
	list, now := "cost "+cost.String()+" at list price", "paid "+paid.String()
	if !cost.Known {
		list = "cost unknown"
		if !paid.Known {
			return list
		}
	}
	return list + ", " + now
}

// pricedApart is priced of a run, and beside it what its checks asked models.
func pricedApart(v *eval.Verdict) string { return priced(v.Cost, v.Paid) + pricedChecks(v.Eval) }

func pricedChecks(e eval.Eval) string {
	if e.Calls == 0 {
		return ""
	}
	return "; for " + count(e.Calls, "question", "questions") + " of checks " + priced(e.Cost, e.Paid)
}

// besideOf says what was asked beside that which is judged: at the commit that a run
// compares with, and to confirm flips. It is no part of the sums before it.
func besideOf(v *eval.Verdict) (lines []string) {
	add := func(what string, b *eval.Beside) {
		if b != nil {
			lines = append(lines, fmt.Sprintf("%s: %s planned = %s judged + %s + %s unjudged; %s", what, number(b.Planned), number(b.Judged),
				count(b.Errors, "error", "errors"), number(b.Unjudged), priced(b.Cost, b.Paid)+pricedChecks(b.Eval)))
		}
	}
	add("Beside that, at "+v.Against, v.Beside)
	add("To confirm what flipped, in both arms", v.Confirming)
	return lines
}

func usd(v float64) string { return llm.Money(math.Round(v * float64(llm.USD))).String() }

// seconds prints a latency: 340 ms, 1.24 s, 12.4 s, 124 s.
func seconds(v float64) string {
	switch abs := math.Abs(v); {
	case abs == 0:
		return "0 s"
	case abs < 0.01:
		return strconv.FormatFloat(v*1000, 'f', 1, 64) + " ms"
	case abs < 0.9995:
		return strconv.FormatFloat(v*1000, 'f', 0, 64) + " ms"
	case abs < 10:
		return strconv.FormatFloat(v, 'f', 2, 64) + " s"
	case abs < 100:
		return strconv.FormatFloat(v, 'f', 1, 64) + " s"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + " s"
}

func latency(d time.Duration) string { return seconds(d.Seconds()) }

// same is the change of what did not change.
const same = "same"

// change prints how a metric moved: shares in percentage points, money and time
// in percent of what they were, scores as a difference.
func change(unit string, from, to *float64) string {
	if from == nil || to == nil {
		return ""
	}
	delta := *to - *from
	if math.Abs(delta) < 1e-12 {
		return same
	}
	switch unit {
	case unitShare:
		return signed(delta*100, 1, "pt")
	case unitUSD, unitSeconds:
		if *from > 0 {
			return signed(delta / *from * 100, 1, "%")
		}
		return "+" + figure(unit, &delta)
	}
	return signed(delta, 3, "")
}

// signed keeps a sign in front, and never rounds a difference to nothing. From 100
// on the decimals say nothing.
func signed(v float64, decimals int, unit string) string {
	if math.Abs(v) >= 99.95 {
		decimals = 0
	}
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if f, _ := strconv.ParseFloat(s, 64); f == 0 {
		s = strconv.FormatFloat(v, 'g', 1, 64)
	}
	if v > 0 {
		s = "+" + s
	}
	return strings.TrimRight(s+" "+unit, " ")
}

// limit prints a gate as it was written, its limit in the metric's unit.
func limit(gate eval.Gate, unit string) string {
	value := figure(unit, &gate.Limit)
	switch gate.Kind {
	case eval.GateMaxDrop:
		if unit == unitShare {
			value = strconv.FormatFloat(gate.Limit*100, 'f', 1, 64) + " pt"
		}
	case eval.GateMaxRise:
		value = strconv.FormatFloat(gate.Limit*100, 'f', 1, 64) + " %"
	}
	return string(gate.Kind) + " " + value
}

// pValue prints "p = 0.0016", "p < 0.0001".
func pValue(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	if p < 0.01 {
		return fmt.Sprintf("p = %.4f", p)
	}
	return fmt.Sprintf("p = %.3f", p)
}

// count prints "1 case", "12,400 cases".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number prints an integer with its thousands set apart.
func number(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span of time for people: 4 s, 3 min 05 s, 2 h 10 min.
func lasting(d time.Duration) string {
	switch {
	case d < time.Minute:
		return latency(d)
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
