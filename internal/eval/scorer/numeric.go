package scorer

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type numericArgs struct {
	Equals    *number     `yaml:"equals,required" json:"equals"`
	Tolerance *number     `yaml:"tolerance" json:"tolerance,omitempty"`
	Relative  *number     `yaml:"relative" json:"relative,omitempty"`
	Extract   *extraction `yaml:"extract" json:"extract,omitempty"`
	options   `yaml:",inline" json:"-"`

	want, slack *big.Rat
}

// parseNumeric: {numeric: 18}, {numeric: {equals: 18, tolerance: 0.5, relative:
// 0.01, extract: final_number, metric: …}}. The number may be off by tolerance, or
// by relative × the wanted number, whichever is more. Arithmetic is exact.
func parseNumeric(n strictyaml.Node) (rule, error) {
	var args numericArgs
	if n.Kind() != strictyaml.Mapping {
		args.Equals = &number{}
		if err := args.Equals.UnmarshalNode(n); err != nil {
			return rule{}, err
		}
	} else if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	if err := args.settle(n); err != nil {
		return rule{}, err
	}
	return rule{args: args, options: args.options, about: "is the number " + args.Equals.text, judge: args.judge}, nil
}

func (a *numericArgs) settle(n strictyaml.Node) error {
	var ok bool
	a.slack = new(big.Rat)
	if a.want, ok = a.Equals.rat(); !ok {
		return n.Errorf("the number %s is too large to compare with", cut(a.Equals.text))
	}
	if err := a.allow(n, "tolerance", a.Tolerance, new(big.Rat).SetInt64(1)); err != nil {
		return err
	}
	return a.allow(n, "relative", a.Relative, new(big.Rat).Abs(a.want))
}

// allow widens the slack to limit × unit.
func (a *numericArgs) allow(n strictyaml.Node, name string, limit *number, unit *big.Rat) error {
	if limit == nil {
		return nil
	}
	off, ok := limit.rat()
	if !ok || off.Sign() < 0 {
		return n.Get(name).Errorf("%s must be a number from 0 on", name)
	}
	if off.Mul(off, unit); off.Cmp(a.slack) > 0 {
		a.slack = off
	}
	return nil
}

func (a *numericArgs) judge(s *eval.Subject) (bool, string, error) {
	text, ok, reason := a.number(s)
	if !ok {
		return false, reason, nil
	}
	d, ok := parseDecimal(text)
	if !ok {
		return false, "want the number " + a.Equals.text + ", got " + quote(text), nil
	}
	if d == a.Equals.decimal {
		return true, "", nil
	}
	got, ok := d.rat()
	if ok && got.Sub(got, a.want).Abs(got).Cmp(a.slack) <= 0 {
		return true, "", nil
	}
	wanted := a.Equals.text
	if a.slack.Sign() > 0 {
		wanted += " ± " + strings.TrimRight(strings.TrimRight(a.slack.FloatString(6), "0"), ".")
	}
	return false, "want " + wanted + ", got " + cut(text), nil
}

// number is the text of the number in question.
func (a *numericArgs) number(s *eval.Subject) (text string, ok bool, reason string) {
	if a.Extract != nil {
		return a.Extract.from(s)
	}
	switch value := s.Value.(type) {
	case nil:
		return strings.TrimSpace(s.Answer), true, ""
	case json.Number:
		return string(value), true, ""
	case string:
		return strings.TrimSpace(value), true, ""
	default:
		return "", false, "want the number " + a.Equals.text + ", got " + typeName(value) + " " + show(value)
	}
}
