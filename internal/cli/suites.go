package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// loaded is a valid suite with the prompt that it will be run with.
type loaded struct {
	*suite.Suite
	prompt *prompt.Prompt
	models []string // asked, in order: flag over suite over prompt
	judges *judges  // asked by its checks
	asked  string   // the word of --prompt that it was loaded with; "" for its own

	// Of the selected cases, once they were surveyed.
	clusters map[uint64]bool
	gated    scope
}

// selection says which suites are meant, and what flags put over them.
type selection struct {
	names   []string // empty: all
	prompts []string // NAME[@VERSION] over the suites' prompts; several are asked side by side
	models  []string // over the suites' models
}

// promptWords are the prompts that a text names: "triage@1.0.0,triage@draft".
func promptWords(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// with is the selection with one of its prompts, or "" for those of the suites.
func (s selection) with(prompt string) selection {
	s.prompts = onePrompt(prompt)
	return s
}

func onePrompt(word string) []string {
	if word == "" {
		return nil
	}
	return []string{word}
}

// loadSuites reads the selected suites with their prompts, and reports every
// problem of all of them at once. A suite that is asked with several prompts comes
// once with each.
func (p *project) loadSuites(s selection) ([]*loaded, error) {
	files, err := p.suiteFiles(s.names)
	if err != nil {
		return nil, err
	}
	if err := p.checkPrompts(s.prompts); err != nil {
		return nil, err
	}
	words := s.prompts
	if len(words) == 0 {
		words = []string{""}
	}
	var problems fault.List
	var suites []*loaded
	for _, file := range files {
		for _, word := range words {
			one, err := p.loadSuite(file, s.with(word), len(files) == 1)
			if err != nil {
				problems.Add(err)
				continue
			}
			problems.Add(p.drift(one.prompt.Name))
			for _, judge := range one.judges.prompts() {
				problems.Add(p.drift(judge.Name))
			}
			one.asked = word
			suites = append(suites, one)
		}
	}
	if err := distinct(problems).Err(); err != nil {
		return nil, err
	}
	if len(s.prompts) == 0 {
		return suites, nil
	}
	return s.aboutPrompts(p.world, suites, len(files) == 1)
}

// checkPrompts refuses words of the command line before any file: prompts that there are
// not, and one that is named twice.
func (p *project) checkPrompts(words []string) error {
	named := map[string]string{}
	for _, word := range words {
		found, err := p.prompts.Resolve(word, prompt.Develop)
		if err != nil {
			return asUsage(err)
		}
		ref := found.Ref().String()
		if other, ok := named[ref]; ok {
			return fault.New(fault.Usage, "--prompt names %s twice: as %s, and as %s", ref, other, word).WithHint("name each prompt once")
		}
		named[ref] = word
	}
	return nil
}

// aboutPrompts keeps the suites of the prompts that --prompt names. A single suite
// may be run with any prompt.
func (s selection) aboutPrompts(w *World, suites []*loaded, only bool) ([]*loaded, error) {
	if only {
		return suites, nil
	}
	var about []*loaded
	var all, kept []string
	for _, one := range suites {
		name, _, _ := strings.Cut(one.asked, "@")
		if !slices.Contains(all, one.Name) {
			all = append(all, one.Name)
		}
		if one.prompt.Name == name {
			about, kept = append(about, one), append(kept, one.Name)
		}
	}
	others := slices.DeleteFunc(all, func(name string) bool { return slices.Contains(kept, name) })
	if len(others) > 0 && len(about) > 0 {
		fmt.Fprintf(w.Stderr, "note: left out, as they are for other prompts: %s\n", strings.Join(others, ", "))
	}
	if len(about) == 0 {
		name, _, _ := strings.Cut(s.prompts[0], "@")
		return nil, fault.New(fault.Usage, "no suite is for the prompt %q", name).
			WithHint("name the suite to run it with: llmx test SUITE --prompt %s", strings.Join(s.prompts, ","))
	}
	return about, nil
}

// drift finds releases of a prompt that are not what the lock says: production
// may be serving them, whatever version is tested.
func (p *project) drift(name string) error {
	versions, err := p.prompts.Versions(name)
	if err != nil {
		return err
	}
	var problems fault.List
	for _, v := range versions {
		problems.Add(v.Drift)
	}
	return problems.Err()
}

// suiteFiles finds the files of suites by name; all of them for no name.
func (p *project) suiteFiles(names []string) ([]string, error) {
	files, err := suite.Discover(p.fs)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		if len(files) == 0 {
			return nil, fault.New(fault.Empty, "there is no suite in suites/").WithHint("llmx init makes a project with one")
		}
		return files, nil
	}
	known := make([]string, len(files))
	for i, file := range files {
		known[i] = strings.TrimSuffix(path.Base(file), suite.Extension)
	}
	var chosen []string
	var problems fault.List
	for _, name := range names {
		i := slices.Index(known, strings.TrimSuffix(path.Base(name), suite.Extension))
		switch {
		case i < 0:
			problems.Add(fault.New(fault.Usage, "no suite is called %q", name).WithHint("%s", fault.Allowed(name, known)))
		case !slices.Contains(chosen, files[i]):
			chosen = append(chosen, files[i])
		}
	}
	return chosen, problems.Err()
}

func (p *project) loadSuite(file string, s selection, only bool) (*loaded, error) {
	one := &loaded{judges: p.newJudges()}
	read, err := suite.Load(p.fs, file, suite.Deps{
		ParseCheck: p.checks(one.judges.deps()).Parse, GoldenCheck: scorer.Golden(), CompileText: compileText,
		Judge: one.judges.setDefault,
		Prompt: func(ref string, place fault.Place) (suite.PromptInfo, error) {
			if over, ok := s.over(ref, only); ok {
				ref, place = over, fault.Place{}
			}
			found, err := p.prompts.Resolve(ref, prompt.Develop)
			if err != nil {
				return suite.PromptInfo{}, at(place, err)
			}
			one.prompt = found
			return promptInfo(found), nil
		},
		MediaDigest: func(input string, value any) (string, bool, error) { return one.prompt.MediaDigest(input, value) },
		ReadThread:  func(value any, dir string) ([]any, bool, error) { return one.prompt.ReadThread(value, dir) },
		ReadMessage: prompt.ReadMessage,
	})
	if err != nil {
		return nil, err
	}
	one.Suite = read
	return one, one.chooseModels(p, s.models)
}

// over gives the prompt that --prompt puts in place of a suite's own.
func (s selection) over(ref string, only bool) (string, bool) {
	if len(s.prompts) == 0 {
		return "", false
	}
	own, _, _ := strings.Cut(ref, "@")
	name, _, _ := strings.Cut(s.prompts[0], "@")
	return s.prompts[0], own == name || only
}

// chooseModels settles who is asked: flag over suite over prompt.
func (l *loaded) chooseModels(p *project, flags []string) error {
	var problems fault.List
	add := func(name string, place fault.Place) {
		if slices.Contains(l.models, name) {
			return
		}
		if _, err := p.lookup(name, place); err != nil {
			problems.Add(err)
			return
		}
		l.models = append(l.models, name)
	}
	switch {
	case len(flags) > 0:
		for _, name := range flags {
			add(name, fault.Place{})
		}
	case len(l.Models) > 0:
		for _, ref := range l.Models {
			add(ref.Name, ref.Place)
		}
	case l.prompt.Model != "":
		add(l.prompt.Model, fault.Place{File: l.prompt.File})
	default:
		problems.Add(fault.At(fault.Place{File: l.File}, "neither the suite nor the prompt %s names a model", l.prompt.Name).
			WithHint("add models: [NAME] to the suite, or model: {id: NAME} to the prompt; %s", fault.Allowed("", p.config.Names())))
	}
	return problems.Err()
}

func promptInfo(p *prompt.Prompt) suite.PromptInfo {
	kinds := make(map[string]string, len(p.Inputs))
	for _, input := range p.Inputs {
		kinds[input.Name] = string(input.Kind)
	}
	return suite.PromptInfo{Name: p.Name, Kinds: kinds, Output: p.Output, CheckVars: p.CheckVars}
}

func compileText(file string, line int, text string) (func(map[string]any) (string, error), error) {
	compiled, err := prompt.CompileText(file, line, text)
	if err != nil {
		return nil, err
	}
	return compiled.Render, nil
}

// at gives an error that has no place the place where its cause was written.
func at(place fault.Place, err error) error {
	if e := fault.As(err); e.Place.File == "" {
		placed := *e
		placed.Place = place
		return &placed
	}
	return err
}

// asUsage makes the refusal of a name wrong usage: it came from the command line.
func asUsage(err error) error {
	if e := fault.As(err); e.Place.File == "" && e.Class == fault.Invalid {
		wrong := *e
		wrong.Class = fault.Usage
		return &wrong
	}
	return err
}
