package suite

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// header is the suite file as it is written.
type header struct {
	Suite          strictyaml.Node   `yaml:"suite,required"`
	Prompt         strictyaml.Node   `yaml:"prompt,required"`
	Description    string            `yaml:"description"`
	Models         []strictyaml.Node `yaml:"models"`
	Judge          strictyaml.Node   `yaml:"judge"`
	Repeats        strictyaml.Node   `yaml:"repeats"`
	Cases          strictyaml.Node   `yaml:"cases"`
	Expect         strictyaml.Node   `yaml:"expect"`
	Gates          strictyaml.Node   `yaml:"gates"`
	GoldenMatch    string            `yaml:"golden_match" oneof:"subset exact"`
	OnInconclusive string            `yaml:"on_inconclusive" oneof:"pass fail fail_if_worse"`
	MaxErrors      int               `yaml:"max_errors"`
}

// maxRepeats bounds how often one case is asked.
const maxRepeats = 1000

// readHeader reads everything but the cases into the suite and its plan. The
// gates' metrics are not known yet: the cases name some.
func (s *Suite) readHeader(document strictyaml.Node, problems *fault.List) []gate {
	var h header
	problems.Add(document.Decode(&h))
	s.Description, s.OnInconclusive = h.Description, eval.OnInconclusive(h.OnInconclusive)
	if s.MaxErrors = h.MaxErrors; h.MaxErrors < 0 {
		problems.Add(document.Get("max_errors").Errorf("max_errors cannot be negative"))
	}
	s.Name = nameOf(s.File)
	if name, ok := readName(h.Suite, problems); ok && name != s.Name {
		problems.Add(h.Suite.Errorf("the suite is named %q and its file %q", name, s.Name+Extension).
			WithHint("they are the same, so that a name leads to its file: write suite: %s, or rename the file", s.Name))
	}
	s.readModels(h.Models, problems)
	if name, ok := readName(h.Judge, problems); ok && s.plan.deps.Judge != nil {
		problems.Add(s.plan.deps.Judge(name, h.Judge.Place()))
	}
	s.Repeats = readRepeats(h.Repeats, 1, problems)
	s.plan.suite, s.plan.repeats, s.plan.exact = s.Name, s.Repeats, h.GoldenMatch == "exact"
	if name, ok := readName(h.Prompt, problems); ok {
		s.Prompt = Ref{Name: name, Place: h.Prompt.Place()}
		s.plan.readPrompt(s.Prompt, problems)
	}
	before := len(*problems)
	s.plan.expect = s.plan.readExpect(h.Expect, problems)
	s.plan.partial = len(*problems) > before
	s.plan.readEntries(h.Cases, problems)
	return readGates(h.Gates, problems)
}

// readName reads a name that must be there; one that is absent has been reported.
func readName(n strictyaml.Node, problems *fault.List) (string, bool) {
	if !n.Exists() {
		return "", false
	}
	if n.Kind() != strictyaml.String || strings.TrimSpace(n.Text()) == "" {
		problems.Add(n.Mismatch("a name"))
		return "", false
	}
	return n.Text(), true
}

func (s *Suite) readModels(nodes []strictyaml.Node, problems *fault.List) {
	seen := map[string]bool{}
	for _, n := range nodes {
		name, ok := readName(n, problems)
		if !ok {
			continue
		}
		if seen[name] {
			problems.Add(n.Errorf("the model %q is named twice", name))
		}
		seen[name] = true
		s.Models = append(s.Models, Ref{Name: name, Place: n.Place()})
	}
}

func readRepeats(n strictyaml.Node, otherwise int, problems *fault.List) int {
	if !n.Exists() {
		return otherwise
	}
	repeats := 0
	if err := n.Decode(&repeats); err != nil {
		problems.Add(err)
		return otherwise
	}
	if repeats < 1 || repeats > maxRepeats {
		problems.Add(n.Errorf("repeats is %d; it must be from 1 to %d", repeats, maxRepeats))
		return otherwise
	}
	return repeats
}

func (p *plan) readPrompt(ref Ref, problems *fault.List) {
	if p.deps.Prompt == nil {
		return
	}
	info, err := p.deps.Prompt(ref.Name, ref.Place)
	if err != nil {
		problems.Add(at(ref.Place, err))
		return
	}
	p.prompt = info
	for name, kind := range info.Kinds {
		if kind == "image" || kind == "file" || kind == "thread" {
			p.media = append(p.media, name)
		}
	}
	slices.Sort(p.media)
}
