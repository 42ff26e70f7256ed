package cli

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// judges are the models and prompts that the checks of a suite ask. They are found as
// the checks are read, which happens again where cases are streamed: so it is safe for
// concurrent use.
type judges struct {
	project   *project
	byDefault string
	bad       error // what is wrong with it

	mu     sync.Mutex
	found  map[[2]string]scorer.Judge // by prompt and model, as written
	asked  map[llm.PromptRef]*prompt.Prompt
	places map[string]fault.Place // where each model is named first
}

func (p *project) newJudges() *judges {
	return &judges{
		project: p, found: map[[2]string]scorer.Judge{}, asked: map[llm.PromptRef]*prompt.Prompt{}, places: map[string]fault.Place{},
	}
}

func (j *judges) deps() scorer.Deps {
	return scorer.Deps{
		Judge: j.find, Embedder: j.embedder,
		DefaultJudge: func() string { return j.byDefault },
	}
}

// setDefault takes the judge of a suite's header.
func (j *judges) setDefault(name string, place fault.Place) error {
	j.byDefault = name
	_, j.bad = j.project.lookup(name, place)
	return j.bad
}

// find finds a judge prompt and the model or route that is asked it.
func (j *judges) find(ref, model string, place fault.Place) (scorer.Judge, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if found, ok := j.found[[2]string{ref, model}]; ok {
		return found, nil
	}
	if model == j.byDefault && j.bad != nil {
		return scorer.Judge{}, j.bad // told once, where it stands
	}
	target, err := j.project.lookup(model, place)
	if err != nil {
		return scorer.Judge{}, err
	}
	found, err := j.project.prompts.Resolve(ref, prompt.Develop)
	if err != nil {
		return scorer.Judge{}, j.project.noJudgePrompt(ref, place, err)
	}
	treatment, err := j.project.treatment(found, target)
	if err != nil {
		return scorer.Judge{}, err
	}
	made := scorer.Judge{
		Prompt: found.Ref(), Model: model, Treatment: treatment, Inputs: map[string]string{}, Output: found.Output,
	}
	for _, input := range found.Inputs {
		made.Inputs[input.Name] = string(input.Kind)
		if input.Required {
			made.Required = append(made.Required, input.Name)
		}
	}
	j.found[[2]string{ref, model}], j.asked[found.Ref()] = made, found
	j.note(model, place)
	return made, nil
}

// noJudgePrompt says of a standard judge prompt that is not there how to get it.
func (p *project) noJudgePrompt(ref string, place fault.Place, err error) error {
	name, _, _ := strings.Cut(ref, "@")
	_, standard := standardJudges()[name]
	if _, missing := fs.Stat(p.fs, "prompts/"+name); !standard || !errors.Is(missing, fs.ErrNotExist) {
		return at(place, err)
	}
	return fault.At(place, "the judge prompt %s is not there", name).
		WithHint("llmx init --judges adds the standard judge prompts to the project; prompt: NAME in the check names another one")
}

// embedder finds the model or route that makes vectors.
func (j *judges) embedder(model string, place fault.Place) (scorer.Embedder, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	target, err := j.project.lookup(model, place)
	if err != nil {
		return scorer.Embedder{}, err
	}
	treatment, err := j.project.treatment(&prompt.Prompt{}, target)
	if err != nil {
		return scorer.Embedder{}, err
	}
	if target.Cascade != nil {
		return scorer.Embedder{}, fault.At(place, "the route %q is a cascade, which cannot make vectors: those of two models are not alike", model).
			WithHint("name the model")
	}
	if len(target.Models()) > 1 {
		return scorer.Embedder{}, fault.At(place, "the route %q asks %d models: their vectors cannot be compared", model, len(target.Models())).
			WithHint("name one of them: %s", strings.Join(target.Models(), ", "))
	}
	j.note(model, place)
	return scorer.Embedder{Model: model, Treatment: treatment}, nil
}

func (j *judges) note(model string, place fault.Place) {
	if _, noted := j.places[model]; !noted {
		j.places[model] = place
	}
}

// treatment names all that decides what a target answers to a prompt.
func (p *project) treatment(asked *prompt.Prompt, target config.Target) (string, error) {
	standsFor, err := p.standsFor(target, asked)
	if err != nil {
		return "", err
	}
	return engine.Treatment(asked.Hash, standsFor), nil
}

// prompts are the judge prompts that are asked, by name and version.
func (j *judges) prompts() []*prompt.Prompt {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.SortedFunc(maps.Values(j.asked), func(a, b *prompt.Prompt) int {
		return strings.Compare(a.Ref().String(), b.Ref().String())
	})
}

// models are the names that are asked, sorted.
func (j *judges) models() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.places))
}

// lint warns of a judge that is the model under test: it likes its own answers.
func (j *judges) lint(one *loaded) []*fault.Error {
	tested := map[string]string{} // what is asked, by what it stands for
	for _, name := range one.models {
		found, _ := j.project.config.Lookup(name)
		for _, alias := range found.Models() {
			tested[j.project.resolved(alias)] = name
		}
	}
	var warnings []*fault.Error
	for _, name := range j.judging() {
		found, _ := j.project.config.Lookup(name)
		for _, alias := range found.Models() {
			same, isTested := tested[j.project.resolved(alias)]
			if !isTested {
				continue
			}
			about := "is the model under test"
			if same != name || alias != name {
				about = "is " + j.project.resolved(alias) + ", which is under test as " + same
			}
			warnings = append(warnings, fault.At(j.places[name], "the judge %s %s: a model is no judge of its own answers", name, about).
				WithHint("name another one: judge: MODEL"))
			break
		}
	}
	return warnings
}

// judging are the models that judge, and do not only make vectors.
func (j *judges) judging() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	names := map[string]bool{}
	for key := range j.found {
		names[key[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}
