package scorer

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// parseMaxCost: {max_cost: 0.002} or {max_cost: {value: 0.002, metric: …}}, in USD
// at the list price of the answering path.
func parseMaxCost(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   *number `yaml:"value,required" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	if n.Kind() != strictyaml.Mapping {
		args.Value = &number{}
		if err := args.Value.UnmarshalNode(n); err != nil {
			return rule{}, err
		}
	} else if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	limit, ok := args.Value.rat()
	if !ok || limit.Sign() < 0 {
		return rule{}, n.Errorf("a limit of cost must be USD from 0 on")
	}
	nano := new(big.Rat).Mul(limit, new(big.Rat).SetInt64(int64(llm.USD)))
	most := new(big.Int).Quo(nano.Num(), nano.Denom()) // a cost is whole nano-USD, so the limit rounds down
	if !most.IsInt64() {
		return rule{}, n.Errorf("a limit of %s USD limits nothing", cut(args.Value.text))
	}
	max := llm.Money(most.Int64())
	return rule{args: args, options: args.options, about: "costs at most " + max.String(), judge: func(s *eval.Subject) (bool, string, error) {
		switch {
		case !s.Cost.Known:
			return false, "", fault.New(fault.Unjudged, "max_cost cannot judge: the price of the model is unknown").WithHint("give the model a price in llmx.yaml")
		case s.Cost.Amount > max:
			return false, fmt.Sprintf("want at most %s, cost %s", dollars(max), dollars(s.Cost.Amount)), nil
		}
		return true, "", nil
	}}, nil
}

// dollars prints an amount with every digit, so that a bound and what misses it by
// little do not read alike.
func dollars(m llm.Money) string {
	text := strings.TrimRight(fmt.Sprintf("%d.%09d", m/llm.USD, m%llm.USD), "0")
	if whole, cents, _ := strings.Cut(text, "."); len(cents) < 2 {
		text = whole + "." + (cents + "00")[:2]
	}
	return "$" + text
}

// parseMaxLatency: {max_latency: 3s} or {max_latency: {value: 3s, metric: …}}, of
// the service time. An answer from the cache or a recording is left out.
func parseMaxLatency(n strictyaml.Node) (rule, error) {
	var args struct {
		Value   time.Duration `yaml:"value,required" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	var err error
	if n.Kind() == strictyaml.Mapping {
		err = n.Decode(&args)
	} else {
		err = n.Decode(&args.Value)
	}
	if err != nil {
		return rule{}, err
	}
	if args.Value == 0 {
		return rule{}, n.Errorf("no answer comes in no time").WithHint("write a duration such as 500ms or 3s")
	}
	return rule{args: args, options: args.options, about: "takes at most " + args.Value.String(), judge: func(s *eval.Subject) (bool, string, error) {
		switch {
		case s.Stored:
			return true, "stored answer", nil
		case s.Service > args.Value:
			return false, fmt.Sprintf("want at most %s, took %s", args.Value, s.Service.Round(time.Millisecond)), nil
		}
		return true, "", nil
	}}, nil
}

// parseMaxAttempts: {max_attempts: 2} or {max_attempts: {value: 2, metric: …}}.
func parseMaxAttempts(n strictyaml.Node) (rule, error) {
	return parseMost(n, "attempt", func(s *eval.Subject) int { return s.Attempts })
}

// parseMaxTurns: {max_turns: 1} or {max_turns: {value: 1, metric: …}}. An answer that
// was asked for again, or came from a later step of a cascade, took more than one.
func parseMaxTurns(n strictyaml.Node) (rule, error) {
	return parseMost(n, "turn", func(s *eval.Subject) int { return s.Turns })
}

// parseMost bounds how many of something an answer took.
func parseMost(n strictyaml.Node, what string, took func(*eval.Subject) int) (rule, error) {
	var args struct {
		Value   int `yaml:"value,required" json:"value"`
		options `yaml:",inline" json:"-"`
	}
	var err error
	if n.Kind() == strictyaml.Mapping {
		err = n.Decode(&args)
	} else {
		err = n.Decode(&args.Value)
	}
	if err != nil {
		return rule{}, err
	}
	if args.Value < 1 {
		return rule{}, n.Errorf("an answer takes one %s at least", what)
	}
	return rule{args: args, options: args.options, about: fmt.Sprintf("takes at most %d %ss", args.Value, what), judge: func(s *eval.Subject) (bool, string, error) {
		if n := took(s); n > args.Value {
			return false, fmt.Sprintf("want at most %d %ss, took %d", args.Value, what, n), nil
		}
		return true, "", nil
	}}, nil
}
