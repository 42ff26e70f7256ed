package cli

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// promptHelp is what --prompt means to commands that read one prompt's results.
const promptHelp = "of a run that asked several prompts, that by this `NAME@VERSION`"

// promptsBeside are the prompts of those groups of a run whose suites were asked with
// several, by name; none where each had one.
func promptsBeside(groups []eval.Group) (names []string) {
	for _, g := range groups {
		if name := g.Prompt.String(); g.ByPrompt && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// choosePrompt settles whose results are meant in a run: of one that asked several
// prompts they must be of one, or two answers would stand for one. what says what
// for. "" is for all there are.
func choosePrompt(run eval.Run, word, what string) (string, error) {
	beside := promptsBeside(run.Groups)
	switch {
	case len(beside) == 0:
		var asked []string
		for _, g := range run.Groups {
			asked = append(asked, g.Prompt.String())
		}
		if word != "" && !slices.Contains(asked, word) {
			return "", fault.New(fault.Usage, "the run %s asked nothing by %s", run.ID, word).WithHint("%s", fault.Allowed(word, distinctWords(asked)))
		}
	case word == "":
		return "", fault.New(fault.Usage, "the run %s asked several prompts, and %s is of one", run.ID, what).
			WithHint("say which: --prompt %s", strings.Join(beside, ", or --prompt "))
	case !slices.Contains(beside, word):
		return "", fault.New(fault.Usage, "the run %s asked nothing by %s", run.ID, word).WithHint("%s", fault.Allowed(word, beside))
	}
	return word, nil
}

// ofPrompt is a run with the groups of one of its prompts, as if it had asked no other.
func ofPrompt(run eval.Run, word string) eval.Run {
	of := func(g *eval.Group) bool {
		g.ByPrompt = false
		return g.Prompt.String() == word
	}
	var groups []eval.Group
	for _, g := range run.Groups {
		if of(&g) {
			groups = append(groups, g)
		}
	}
	run.Groups = groups
	if run.Verdict == nil {
		return run
	}
	v := *run.Verdict
	v.Groups = nil
	for _, g := range run.Verdict.Groups {
		if of(&g.Group) {
			v.Groups = append(v.Groups, g)
		}
	}
	run.Verdict = &v
	return run
}
