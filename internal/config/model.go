package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Model is an alias for a provider's model.
type Model struct {
	Provider string      `yaml:"provider,required"`
	Model    string      `yaml:"model"`   // its name on the wire; default: the alias
	Price    *PriceSpec  `yaml:"price"`   // nil: the built-in table knows, or nobody does
	Context  int         `yaml:"context"` // tokens of input and output together; 0 where it is not known
	Limits   Limits      `yaml:"limits"`
	Caps     Caps        `yaml:"caps"`
	Sim      *Sim        `yaml:"sim"` // set for every model of a simulated provider, and for no other
	Place    fault.Place `yaml:",place"`
}

// PriceSpec is what a model charges, in USD per million tokens, as it was written.
type PriceSpec struct {
	Input       Decimal          `yaml:"input,required"`
	Output      Decimal          `yaml:"output,required"`
	CachedInput Decimal          `yaml:"cached_input"` // "": cached tokens cost what others do
	LongContext *LongContextSpec `yaml:"long_context"` // nil: the price is the same however long the input
	Place       fault.Place      `yaml:",place"`
}

// LongContextSpec is what all tokens of a request cost whose input is longer than
// Above tokens, as it was written.
type LongContextSpec struct {
	Above       int64       `yaml:"above,required"`
	Input       Decimal     `yaml:"input,required"`
	Output      Decimal     `yaml:"output,required"`
	CachedInput Decimal     `yaml:"cached_input"` // "": cached tokens cost what others do
	Place       fault.Place `yaml:",place"`
}

// Limits bound the requests to a model; 0 is no bound.
type Limits struct {
	RPM         int         `yaml:"rpm"` // requests per minute
	TPM         int         `yaml:"tpm"` // tokens per minute
	Concurrency int         `yaml:"concurrency"`
	Place       fault.Place `yaml:",place"`
}

// Caps say how a model differs from what is usual on its wire.
type Caps struct {
	Temperature *bool  `yaml:"temperature"`                                            // false: it is left out of the request
	MaxTokensAs string `yaml:"max_tokens_as" oneof:"max_tokens max_completion_tokens"` // the name under which max_tokens is sent; "" for its own
	Reasoning   bool   `yaml:"reasoning"`                                              // it thinks before it answers: longer timeouts
	// StructuredOutput says how the model is told the form of an answer that has a
	// contract; "" goes by its server: see package cli.
	StructuredOutput string      `yaml:"structured_output" oneof:"json_schema json_object instructions off"`
	Place            fault.Place `yaml:",place"`
}

// UnmarshalNode reads a model and checks its figures.
func (m *Model) UnmarshalNode(n strictyaml.Node) error {
	type plain Model
	var problems fault.List
	problems.Add(n.Decode((*plain)(m)))
	between(&problems, n, "context", 1, 1_000_000_000)
	between(&problems, n.Get("price").Get("long_context"), "above", 1, 1_000_000_000)
	limits := n.Get("limits")
	between(&problems, limits, "rpm", 1, 1_000_000_000)
	between(&problems, limits, "tpm", 1, 1_000_000_000)
	between(&problems, limits, "concurrency", 1, 100_000)
	if wire := n.Get("model"); wire.Kind() == strictyaml.String {
		if strings.TrimSpace(m.Model) == "" {
			problems.Add(wire.Errorf("the model's name is empty").WithHint("leave model: out to send the alias"))
		}
		refuseReference(wire, &problems)
	}
	return problems.Err()
}

// Decimal is a number that is kept as it was written, so that no digit of an
// amount of money is lost: "0.075".
type Decimal string

var decimalText = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]{1,9})?$`)

// UnmarshalNode reads the number.
func (d *Decimal) UnmarshalNode(n strictyaml.Node) error {
	text := n.Text()
	if n.Kind() != strictyaml.Number || !decimalText.MatchString(text) {
		return n.Mismatch("an amount in dollars such as 0.15 or 20")
	}
	if whole, _, _ := strings.Cut(text, "."); len(whole) == 7 && text != "1000000" {
		return n.Errorf("%s dollars are more than a million", text)
	}
	*d = Decimal(text)
	return nil
}

// isZero reports whether the amount is 0.
func (d Decimal) isZero() bool { return strings.Trim(string(d), "0.") == "" }

// Sim sets up a simulated model.
type Sim struct {
	Seed      int64   `yaml:"seed"`      // of all that is drawn, default 1
	Accuracy  float64 `yaml:"accuracy"`  // share of cases answered right, 0 … 1, default 1
	Latency   Latency `yaml:"latency"`   // until the whole answer, default none
	Malformed float64 `yaml:"malformed"` // share of answers that break their form, 0 … 1, default 0
	Errors    float64 `yaml:"errors"`    // share of requests that fail like an overloaded server, 0 … 1, default 0
	// Confidence names a number of a JSON answer that is high where it is right.
	Confidence string      `yaml:"confidence"`
	Place      fault.Place `yaml:",place"`
}

// Latency is a distribution by two of its quantiles; without p95 it is constant.
type Latency struct {
	P50   time.Duration `yaml:"p50"`
	P95   time.Duration `yaml:"p95"`
	Place fault.Place   `yaml:",place"`
}

func newSim() Sim { return Sim{Seed: 1, Accuracy: 1} }

// Draws names what decides the answers of a simulated model, "" where all of it is as it
// is without settings. How long they take and how often the server fails is no part of it.
func (s *Sim) Draws() string {
	usual := newSim()
	if s.Seed == usual.Seed && s.Accuracy == usual.Accuracy && s.Malformed == usual.Malformed && s.Confidence == usual.Confidence {
		return ""
	}
	return fmt.Sprintf("seed %d accuracy %g malformed %g confidence %q", s.Seed, s.Accuracy, s.Malformed, s.Confidence)
}

// UnmarshalNode reads the settings over their defaults.
func (s *Sim) UnmarshalNode(n strictyaml.Node) error {
	type plain Sim
	*s = newSim()
	var problems fault.List
	problems.Add(n.Decode((*plain)(s)))
	between(&problems, n, "accuracy", 0.0, 1.0)
	between(&problems, n, "malformed", 0.0, 1.0)
	between(&problems, n, "errors", 0.0, 1.0)
	if seed := n.Get("seed"); s.Seed < 0 {
		problems.Add(seed.Errorf("seed must not be negative"))
	}
	latency := n.Get("latency")
	if s.Latency.P95 != 0 && s.Latency.P95 < s.Latency.P50 {
		problems.Add(latency.Get("p95").Errorf("p95 (%v) is shorter than p50 (%v)", s.Latency.P95, s.Latency.P50))
	}
	between(&problems, latency, "p50", 0, time.Hour)
	between(&problems, latency, "p95", 0, time.Hour)
	return problems.Err()
}
