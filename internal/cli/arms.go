package cli

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// arm is what a group is compared with: how its cases would have been asked at a commit.
type arm struct {
	project   *project
	prompt    *prompt.Prompt
	model     string
	treatment string
}

// arms finds what the groups of a suite are compared with, by the model of now. A model
// that was not asked then has none, nor has any where there was no such prompt.
func (p *past) arms(one *loaded, flags []string) (map[string]*arm, error) {
	ref, models, err := p.named(one.File)
	if err != nil {
		return nil, p.at(err)
	}
	if ref == "" { // a new suite asks the prompt of then
		ref = one.Prompt.Name
		for _, model := range one.Models {
			models = append(models, model.Name)
		}
	}
	names, err := p.prompts.Names()
	if err != nil {
		return nil, p.at(err)
	}
	if name, _, _ := strings.Cut(ref, "@"); !slices.Contains(names, name) {
		return nil, nil
	}
	asked, err := p.prompts.Resolve(ref, prompt.Develop)
	if err != nil {
		return nil, p.at(err)
	}
	if len(flags) > 0 {
		models = flags
	} else if len(models) == 0 && asked.Model != "" {
		models = []string{asked.Model}
	}
	made := map[string]*arm{}
	for now, then := range paired(one.models, models) {
		found, known := p.config.Lookup(then)
		if !known {
			continue
		}
		if made[now], err = p.newArm(asked, found); err != nil {
			return nil, p.at(err)
		}
	}
	return made, nil
}

// newArm is how a project asks a prompt of a model or route.
func (p *project) newArm(asked *prompt.Prompt, found config.Target) (*arm, error) {
	standsFor, err := p.standsFor(found, asked)
	if err != nil {
		return nil, err
	}
	return &arm{p, asked, found.Name, engine.Treatment(asked.Hash, standsFor)}, nil
}

// paired matches the models of now with those of then: by their names, and where as
// many are left on both sides, those in their order: who was put in whose place.
func paired(now, then []string) map[string]string {
	pairs := map[string]string{}
	var newer, older []string
	for _, name := range now {
		if slices.Contains(then, name) {
			pairs[name] = name
		} else {
			newer = append(newer, name)
		}
	}
	for _, name := range then {
		if !slices.Contains(now, name) {
			older = append(older, name)
		}
	}
	if len(newer) == len(older) {
		for i, name := range newer {
			pairs[name] = older[i]
		}
	}
	return pairs
}

// vars leaves out the inputs that the prompt did not have yet: the cases are of now.
func (a *arm) vars(vars map[string]any) map[string]any {
	kept := maps.Clone(vars)
	maps.DeleteFunc(kept, func(name string, _ any) bool {
		return !slices.ContainsFunc(a.prompt.Inputs, func(in prompt.Input) bool { return in.Name == name })
	})
	return kept
}

// Render makes the messages as they would have been.
func (a *arm) Render(vars map[string]any) ([]llm.Message, error) {
	return a.prompt.Render(a.vars(vars))
}

// fits refuses cases that the prompt of then cannot be asked: an input was renamed, or is
// of another kind.
func (b planner) fits(ctx context.Context, one *loaded, a *arm) error {
	_, err := measure(ctx, b.pick.in(one.Name).from(one.Cases(), b.repeats), a, one.Count)
	return err
}

// armsOf are the arms that a project asks.
func (p *plan) armsOf(asks *project) []*arm {
	return slices.DeleteFunc(slices.Clone(p.arms), func(a *arm) bool { return a == nil || a.project != asks })
}

// askers are the projects that ask arms, in the order of the groups.
func (p *plan) askers() []*project {
	var all []*project
	for _, a := range p.arms {
		if a != nil && !slices.Contains(all, a.project) {
			all = append(all, a.project)
		}
	}
	return all
}

// promptsOf and modelsOf are what arms ask.
func promptsOf(arms []*arm) map[llm.PromptRef]*prompt.Prompt {
	all := map[llm.PromptRef]*prompt.Prompt{}
	for _, a := range arms {
		if a != nil {
			all[a.prompt.Ref()] = a.prompt
		}
	}
	return all
}

func modelsOf(arms []*arm) []string {
	var names []string
	for _, a := range arms {
		if !slices.Contains(names, a.model) {
			names = append(names, a.model)
		}
	}
	return names
}

// askArms lets the groups that are asked as they were be asked by the models and routes
// of then.
func (t *testRun) askArms(s *servers, files map[string]*replay.Recordings) error {
	for _, asks := range t.plan.askers() {
		arms := t.plan.armsOf(asks)
		model, err := t.engine(asks, s.of(asks), files, promptsOf(arms), modelsOf(arms))
		if err != nil {
			return err
		}
		for i, a := range t.plan.arms {
			if a != nil && a.project == asks {
				t.plan.groups[i].Asks = a.asks(model)
			}
		}
	}
	return nil
}

// asks gives the model the inputs that the prompt has.
func (a *arm) asks(next llm.Model) llm.Model {
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		if req.Prompt == a.prompt.Ref() {
			req.Vars = a.vars(req.Vars)
		}
		return next.Stream(ctx, req)
	})
}
