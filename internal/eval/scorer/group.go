package scorer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// group is any_of, whose score is the best of its checks', or all_of, whose score is
// their mean by weight. It has one score and one metric: its checks have none.
type group struct {
	name      string
	checks    []asked
	threshold *threshold // of all_of; nil where every check must pass
	options   options
	at        fault.Place
	spec      json.RawMessage
}

// groupArgs: {any_of: [check, …]} or {any_of: {checks: [check, …], metric: …}}.
type groupArgs struct {
	Checks    strictyaml.Node `yaml:"checks,required"`
	Threshold *threshold      `yaml:"threshold"`
	options   `yaml:",inline"`
}

func (p *Parser) parseGroup(field strictyaml.Field) (asked, error) {
	n := field.Value
	args := groupArgs{Checks: n}
	if n.Kind() == strictyaml.Mapping {
		if err := n.Decode(&args); err != nil {
			return nil, hintChecks(field, err)
		}
	}
	if args.Checks.Kind() != strictyaml.List || len(args.Checks.Items()) == 0 {
		return nil, args.Checks.Mismatch("a list of checks").WithHint("write {%s: [{contains: refund}, {contains: money}]}", field.Key)
	}
	if args.Threshold != nil && field.Key == anyOf {
		return nil, n.Get("threshold").Errorf("any_of has no threshold: it passes where one of its checks does").
			WithHint("put the threshold into the checks, or write all_of")
	}
	g := &group{name: field.Key, threshold: args.Threshold, options: args.options, at: field.Place}
	var problems fault.List
	for _, item := range args.Checks.Items() {
		member, err := p.parseMember(field.Key, item)
		problems.Add(err)
		g.checks = append(g.checks, member)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	g.spec = g.describe()
	return g, nil
}

// hintChecks helps who wrote one check where a list of them must be.
func hintChecks(field strictyaml.Field, err error) error {
	if field.Value.Get("checks").Exists() {
		return err
	}
	return field.Value.Errorf("the key \"checks\" is missing").
		WithHint("write {%s: {checks: […]}}, with metric and weight beside checks, or {%s: […]}", field.Key, field.Key)
}

// parseMember reads a check of a group.
func (p *Parser) parseMember(group string, n strictyaml.Node) (asked, error) {
	c, err := p.parseEntry(n)
	switch {
	case err != nil:
		return nil, err
	case c.Operational():
		return nil, n.Errorf("%s cannot stand in %s", c.Name(), group).WithHint("a limit on cost, time or tokens is no part of a right answer: give it an entry of its own")
	case c.Name() == "label":
		return nil, n.Errorf("label cannot stand in %s: what is counted is which labels were right", group).WithHint("give it an entry of its own")
	case c.Metric() != "":
		return nil, n.Errorf("the metric %q would never be counted: %s has one score", c.Metric(), group).
			WithHint("write {%s: {checks: […], metric: %s}}", group, c.Metric())
	case c.Weight() != 1 && group == anyOf:
		return nil, n.Errorf("a weight in any_of weighs nothing: the best of its checks is its score").WithHint("take it out, or write all_of")
	}
	return c, nil
}

func (g *group) describe() json.RawMessage {
	specs := make([]json.RawMessage, len(g.checks))
	for i, c := range g.checks {
		specs[i] = c.Spec()
	}
	spec := map[string]any{"check": g.name, "version": 1, "of": specs}
	if g.threshold != nil {
		spec["args"] = map[string]any{"threshold": *g.threshold}
	}
	g.options.describe(spec)
	return specOf(spec)
}

func (g *group) Name() string          { return g.name }
func (g *group) Metric() string        { return string(g.options.Metric) }
func (g *group) Weight() float64       { return g.options.Weight.or1() }
func (g *group) Place() fault.Place    { return g.at }
func (g *group) Spec() json.RawMessage { return g.spec }
func (g *group) Operational() bool     { return false }

// Fields are those of its checks.
func (g *group) Fields() (all []eval.FieldPath) {
	for _, c := range g.checks {
		all = append(all, eval.FieldsOf(c)...)
	}
	return all
}

func (g *group) Needs() eval.Need {
	var needs eval.Need
	for _, c := range g.checks {
		needs |= c.Needs()
	}
	if g.threshold != nil && *g.threshold == 0 { // only measured
		needs &^= eval.JudgesGolden
	}
	return needs
}

func (g *group) FitsGolden(golden any) error {
	var problems fault.List
	for _, c := range g.checks {
		problems.Add(c.FitsGolden(golden))
	}
	return problems.Err()
}

func (g *group) Questions(subject eval.Subject) ([]llm.Request, error) {
	var all []llm.Request
	for _, c := range g.checks {
		some, err := c.Questions(subject)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (g *group) Deterministic() bool {
	for _, c := range g.checks {
		if !c.Deterministic() {
			return false
		}
	}
	return true
}

func (g *group) about() string {
	parts := make([]string, len(g.checks))
	for i, c := range g.checks {
		parts[i] = c.about()
	}
	return g.name + " (" + strings.Join(parts, "; ") + ")"
}

// Score asks every check, so that the score does not depend on their order. Those
// that ask a model come last, and not at all where any_of has its full score without.
func (g *group) Score(ctx context.Context, subject eval.Subject) (eval.Score, error) {
	best, sum, weights := 0.0, 0.0, 0.0
	passed := 0
	var reasons []string
	var whom *eval.Asked
	unasked := false
	for _, c := range g.cheapFirst() {
		if g.name == anyOf && whom == nil && passed > 0 && best == 1 && !c.Deterministic() {
			break
		}
		one, err := c.Score(ctx, subject)
		whom, unasked = whom.Plus(one.Asked), unasked || one.Unasked
		if err != nil {
			return eval.Score{Asked: whom}, err
		}
		best, sum, weights = max(best, one.Value), sum+one.Value*c.Weight(), weights+c.Weight()
		if one.Pass {
			passed++
		} else {
			reasons = append(reasons, c.Name()+": "+one.Reason)
		}
	}
	all := g.sum(best, sum/weights, passed, cutReason(strings.Join(reasons, "; ")))
	all.Asked, all.Unasked = whom, unasked
	return all, nil
}

// cheapFirst are the checks, those that ask a model last.
func (g *group) cheapFirst() []asked {
	var cheap, dear []asked
	for _, c := range g.checks {
		if c.Deterministic() {
			cheap = append(cheap, c)
		} else {
			dear = append(dear, c)
		}
	}
	return append(cheap, dear...)
}

func (g *group) sum(best, mean float64, passed int, reason string) eval.Score {
	switch {
	case g.name == anyOf && passed > 0:
		return newScore(g, best, true, "")
	case g.name == anyOf:
		return newScore(g, best, false, reason)
	case g.threshold != nil:
		return rated(g, mean, *g.threshold, reason)
	case passed == len(g.checks):
		return newScore(g, mean, true, "")
	}
	return newScore(g, mean, false, fmt.Sprintf("%d of %d hold: %s", passed, len(g.checks), reason))
}
