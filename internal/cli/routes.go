package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// lookup finds what a name of a model or a route stands for.
func (p *project) lookup(name string, place fault.Place) (config.Target, error) {
	found, ok := p.config.Lookup(name)
	if ok {
		return found, nil
	}
	refusal := fault.At(place, "no model or route is called %q", name).WithHint("%s", fault.Allowed(name, p.config.Names()))
	if place.File == "" {
		refusal.Class = fault.Usage
	}
	return config.Target{}, refusal
}

// policy is how the engine asks what a name stands for.
func (p *project) policy(found config.Target) route.Policy {
	policy := route.Policy{
		Use: found.Use, Sticky: found.Sticky, Restart: found.Restart,
		Retry: route.Retry{
			MaxAttempts: found.Retry.MaxAttempts, Base: found.Retry.Base, Max: found.Retry.Max, Budget: found.Retry.Budget,
		},
		Breaker: route.Breaker{
			Window: found.Breaker.Window, MinCalls: found.Breaker.MinCalls,
			FailureRatio: found.Breaker.FailureRatio, OpenFor: found.Breaker.OpenFor,
		},
		Timeouts: map[string]llm.Timeouts{},
	}
	for _, alias := range found.Use {
		if len(found.Weights) > 0 {
			policy.Weights = append(policy.Weights, found.Weights[alias])
		}
	}
	for _, rule := range found.Rules {
		policy.Rules = append(policy.Rules, route.Rule{
			Prompts: rule.When.Prompts, Tags: rule.When.Tags, Use: rule.Use,
			Tokens: route.Range{Min: rule.When.Tokens.Min, Max: rule.When.Tokens.Max},
			Input:  route.Range{Min: rule.When.Characters.Min, Max: rule.When.Characters.Max},
		})
	}
	for _, alias := range found.Models() {
		bounds := found.Timeout.For(p.config.Models[alias])
		policy.Timeouts[alias] = llm.Timeouts{Connect: bounds.Connect, FirstToken: bounds.FirstToken, Idle: bounds.Idle}
		policy.Total = max(policy.Total, bounds.Total)
	}
	return policy
}

// standsFor names all that decides an answer besides the prompt's content and the
// input: the model that is asked, how it is told the form that the prompt wants, and
// where there are more models, how one of them is chosen.
func (p *project) standsFor(found config.Target, asked *prompt.Prompt) ([]string, error) {
	models := found.Models()
	if len(models) == 1 && len(found.Rules) == 0 {
		return []string{p.standing(models[0], asked.Output, asked.Options)}, nil
	}
	standing := func(aliases []string) []string {
		names := make([]string, len(aliases))
		for i, alias := range aliases {
			names[i] = p.standing(alias, asked.Output, asked.Options)
		}
		return names
	}
	type rule struct {
		When config.When
		Use  []string
	}
	described := struct {
		Use     []string
		Weights []float64
		Sticky  string
		Rules   []rule
		Cascade bool
		Accept  []json.RawMessage
	}{Use: standing(found.Use), Sticky: found.Sticky, Cascade: found.Cascade != nil}
	for _, alias := range found.Use {
		if len(found.Weights) > 0 {
			described.Weights = append(described.Weights, found.Weights[alias])
		}
	}
	for _, r := range found.Rules {
		when := r.When
		when.Place, when.Tokens.Place, when.Characters.Place = fault.Place{}, fault.Place{}, fault.Place{}
		described.Rules = append(described.Rules, rule{when, standing(r.Use)})
	}
	checks, err := p.acceptedBy(found)
	if err != nil {
		return nil, err
	}
	for _, check := range checks {
		described.Accept = append(described.Accept, check.Spec())
	}
	text, err := json.Marshal(described)
	if err != nil {
		return nil, fault.New(fault.Internal, "the route %s cannot be named: %v", found.Name, err)
	}
	return []string{"route", string(text)}, nil
}

// acceptedBy reads the checks of a cascade; none for another route.
func (p *project) acceptedBy(found config.Target) ([]eval.Check, error) {
	if found.Cascade == nil {
		return nil, nil
	}
	checks, err := p.checks(scorer.Deps{}).ParseList(found.Cascade.Accept)
	if err != nil {
		return nil, err
	}
	for i, check := range checks {
		if eval.Needs(check)&eval.NeedGolden != 0 {
			return nil, found.Cascade.Accept.Items()[i].Errorf("a cascade cannot look at golden answers: in production nobody knows them").
				WithHint("say what a good answer looks like: schema, contains, regex, field, numeric, length")
		}
	}
	return checks, nil
}

// cascades are the routes among the names that are cascades, with what they take.
func (p *project) cascades(names []string) (map[string]engine.Accept, error) {
	all := map[string]engine.Accept{}
	var problems fault.List
	for _, name := range names {
		found, _ := p.config.Lookup(name)
		if found.Cascade == nil {
			continue
		}
		checks, err := p.acceptedBy(found)
		problems.Add(err)
		all[name] = accept(checks)
	}
	return all, problems.Err()
}

// accept takes an answer that passes every check.
func accept(checks []eval.Check) engine.Accept {
	return func(ctx context.Context, req llm.Request, response llm.Response, output llm.Output) (string, error) {
		end := response.End
		subject := eval.Subject{
			Answer: response.Text, Value: end.Value, Output: output, Vars: req.Vars, Finish: end.Finish,
			Usage: end.Usage, Stored: end.Stored != nil, Attempts: 1, ToolCalls: response.ToolCalls,
		}
		if end.Stored != nil {
			subject.StoredBy = end.Stored.By
		}
		if turn := llm.CallFrom(ctx).Turn(); turn != nil && len(turn.Attempts) > 0 {
			last := turn.Attempts[len(turn.Attempts)-1]
			subject.Cost, subject.Service, subject.Attempts = last.Cost, last.Service, len(turn.Attempts)
		}
		for _, check := range checks {
			score, err := check.Score(ctx, subject)
			if err != nil {
				return "", err
			}
			if !score.Pass {
				return fmt.Sprintf("not accepted: %s: %s", check.Name(), score.Reason), nil
			}
		}
		return "", nil
	}
}

// providersOf are the providers that a name's models are asked of, each once.
func (p *project) providersOf(found config.Target) []string {
	var names []string
	for _, alias := range found.Models() {
		if name := p.config.Models[alias].Provider; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
