package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/server"
)

// served are the prompts that a server gives, whole and checked. It does not change.
type served struct {
	library *prompt.Library // over files that do not change
	draft   bool            // a bare name is the draft
	model   string          // in place of the prompts' own
	byName  map[string]*servedPrompt
	used    func(*prompt.Prompt) // told of every release that is found beside the labels
}

// servedPrompt is a prompt with its labels.
type servedPrompt struct {
	labels   []prompt.Label // in force, sorted by name
	set      map[string]bool
	releases map[string]*prompt.Prompt // by label
	bare     *prompt.Prompt            // without the shares of labels; nil: not served under its bare name
	why      error                     // it is not
	drafted  bool                      // it was never released
	shared   bool                      // labels have shares of the callers of the bare name
}

// readServed reads every prompt with all its labelled releases, and reports all that is
// wrong at once. A prompt without the label production is no error: it has its reason.
func readServed(library *prompt.Library, o *serveOptions) (*served, error) {
	s := &served{library: library, draft: o.draft, model: o.model, byName: map[string]*servedPrompt{}}
	names, err := library.Names()
	if err != nil {
		return nil, err
	}
	var problems fault.List
	for _, name := range names {
		one, err := s.read(name)
		problems.Add(err)
		s.byName[name] = one
	}
	return s, problems.Err()
}

func (s *served) read(name string) (*servedPrompt, error) {
	labels, err := s.library.Labels(name)
	if err != nil {
		return nil, err
	}
	one := &servedPrompt{labels: labels, set: map[string]bool{}, releases: map[string]*prompt.Prompt{}}
	var problems fault.List
	for _, label := range labels {
		found, err := s.library.Resolve(name+"@"+label.Version, prompt.Serve)
		if e := fault.As(err); err != nil && e.Place.File == "" {
			e.Place = label.Place
			err = e
		}
		problems.Add(err)
		one.releases[label.Name] = found
	}
	if s.draft {
		one.bare, err = s.library.Resolve(name, prompt.Develop)
		problems.Add(err)
	} else {
		problems.Add(s.library.Keep(name))
		one.drafted = !s.library.Released(name)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	one.settle(s, name)
	return one, nil
}

// settle finds what the bare name means.
func (one *servedPrompt) settle(s *served, name string) {
	if s.draft {
		return
	}
	one.shared = slices.ContainsFunc(one.labels, func(l prompt.Label) bool { return l.Percent > 0 })
	if one.bare = one.releases[prompt.Production]; one.bare == nil {
		one.why = s.library.Unlabelled(name)
	}
}

// with gives the same prompts under labels that were set on servers. One that cannot be
// followed is told, and the label of the files stays.
func (s *served) with(overrides []prompt.Override) (*served, map[int64]error) {
	made := *s
	made.byName = maps.Clone(s.byName)
	troubles := map[int64]error{}
	for _, o := range overrides {
		one, err := made.under(o)
		if err != nil {
			troubles[o.ID] = err
			continue
		}
		made.byName[o.Prompt] = one
	}
	return &made, troubles
}

// under gives a prompt as it is under one override.
func (s *served) under(o prompt.Override) (*servedPrompt, error) {
	before := s.byName[o.Prompt]
	if before == nil {
		_, err := s.library.Resolve(o.Prompt, prompt.Serve)
		return nil, err
	}
	if rule, ok := prompt.ValidLabel(o.Label); !ok {
		return nil, fault.New(fault.Invalid, "%q cannot be a label", o.Label).WithHint("%s", rule)
	}
	if !s.isRelease(o.Version) {
		return nil, fault.New(fault.Invalid, "a label names a release, such as 1.2.0, not %q", o.Version)
	}
	found, err := s.library.Resolve(o.Prompt+"@"+o.Version, prompt.Serve)
	if err != nil {
		return nil, err
	}
	one := *before
	one.releases, one.set = maps.Clone(before.releases), maps.Clone(before.set)
	one.releases[o.Label], one.set[o.Label] = found, true
	one.labels = slices.DeleteFunc(slices.Clone(before.labels), func(l prompt.Label) bool { return l.Name == o.Label })
	one.labels = append(one.labels, prompt.Label{Name: o.Label, Version: o.Version, Percent: o.Percent})
	slices.SortFunc(one.labels, func(a, b prompt.Label) int { return strings.Compare(a.Name, b.Name) })
	if err := prompt.CheckShares(o.Prompt, one.labels); err != nil {
		return nil, err
	}
	one.settle(s, o.Prompt)
	return &one, nil
}

// isRelease tells a version from a label, and from the draft.
func (s *served) isRelease(version string) bool {
	_, label := prompt.ValidLabel(version)
	return !label && version != "draft"
}

// label finds a label of a prompt; nil where there is none.
func (s *served) label(name, label string) *prompt.Label {
	one := s.byName[name]
	if one == nil {
		return nil
	}
	at := slices.IndexFunc(one.labels, func(l prompt.Label) bool { return l.Name == label })
	if at < 0 {
		return nil
	}
	return &one.labels[at]
}

// Find gives the prompt of a reference.
func (s *served) Find(ref, sticky string) (*prompt.Prompt, error) {
	found, err := s.find(ref, sticky)
	if err != nil || s.model == "" {
		return found, err
	}
	other := *found
	other.Model = s.model
	return &other, nil
}

func (s *served) find(ref, sticky string) (*prompt.Prompt, error) {
	name, version, exact := strings.Cut(ref, "@")
	one := s.byName[name]
	switch {
	case one == nil:
		return nil, fault.New(fault.Invalid, "there is no prompt %q", name).WithHint("%s", fault.Allowed(name, s.named()))
	case !exact && one.bare == nil:
		return nil, one.why
	case !exact && !one.shared:
		return one.bare, nil
	case !exact:
		return one.releases[prompt.LabelFor(name, one.labels, sticky)], nil
	case version == "draft" && !s.draft:
		return nil, fault.New(fault.Invalid, "drafts are not served: %s", ref).WithHint("llmx serve --draft serves them, for development")
	}
	if found := one.releases[version]; found != nil {
		return found, nil
	}
	found, err := s.library.Resolve(ref, prompt.Serve)
	if err == nil && s.used != nil {
		s.used(found)
	}
	return found, err
}

// named are the prompts that have something to serve.
func (s *served) named() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if one := s.byName[name]; one.bare != nil || len(one.labels) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// List gives what bare names mean, sorted by name.
func (s *served) List() []*prompt.Prompt {
	var list []*prompt.Prompt
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if bare := s.byName[name].bare; bare != nil {
			list = append(list, bare)
		}
	}
	return list
}

// all are the prompts that can be asked without naming a version.
func (s *served) all() []*prompt.Prompt {
	list := s.List()
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		for _, label := range s.byName[name].labels {
			if found := s.byName[name].releases[label.Name]; !slices.Contains(list, found) {
				list = append(list, found)
			}
		}
	}
	return list
}

// states are the labels in force.
func (s *served) states() map[string][]server.LabelState {
	states := map[string][]server.LabelState{}
	for name, one := range s.byName {
		for _, label := range one.labels {
			states[name] = append(states[name], server.LabelState{
				Label: label.Name, Version: label.Version, Hash: one.releases[label.Name].Hash, Percent: label.Percent, Set: one.set[label.Name],
			})
		}
	}
	return states
}

// source finds a prompt for the engine.
func (s *served) source(ref llm.PromptRef) (*prompt.Prompt, error) {
	return s.library.Resolve(ref.Name+"@"+ref.Version, prompt.Serve)
}

// unserved says of every released prompt that is not served under its bare name why. A
// draft alone is one that somebody works at, or a judge, and nothing to warn of.
func (s *served) unserved() []string {
	var reasons []string
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if why := s.byName[name].why; why != nil && !s.byName[name].drafted {
			reasons = append(reasons, fault.As(why).Message)
		}
	}
	return reasons
}
