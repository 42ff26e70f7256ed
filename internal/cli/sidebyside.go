package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// seat is where a group's results count side by side with those of others: the place of
// the comparison in the plan, and of the group in it. Nil for a group that stands alone.
type seat struct{ comparison, candidate int }

// checkSideBySide refuses what cannot stand beside several models or prompts.
func (o *testOptions) checkSideBySide() error {
	switch several := len(o.prompts) > 1; {
	case o.reference == "" && o.given("reference"):
		return fault.New(fault.Usage, "--reference names nothing").WithHint("name one of the models or prompts that are asked: --model small,large --reference small")
	case o.reference != "" && o.against != "":
		return fault.New(fault.Usage, "--reference and --against do not go together: one compares models and prompts of now with each other, the other with those of a commit").
			WithHint("leave one of them out")
	case several && o.against != "":
		return fault.New(fault.Usage, "--against asks one prompt as it was, and --prompt names %d", len(o.prompts)).WithHint("name one, or leave --against out")
	case several && o.confirm > 0:
		return fault.New(fault.Usage, "--confirm asks anew what flipped against the baseline, and --prompt names %d prompts, which have one baseline between them", len(o.prompts)).
			WithHint("leave --confirm out; --repeats 3 asks every case more often")
	}
	return nil
}

// putSideBySide lets groups of one suite be asked in turn and compared with one of them:
// that which reference names, else the first.
func (p *plan) putSideBySide(now *project, reference string) error {
	var known []string
	found, several := false, false
	p.seats = make([]*seat, len(p.groups))
	for _, places := range p.bySuite() {
		if len(places) < 2 {
			continue
		}
		several = true
		groups := make([]eval.Group, len(places))
		for i, at := range places {
			groups[i] = p.groups[at].Group
			p.seats[at] = &seat{len(p.compared), i}
		}
		p.groups[places[0]].Along = places[1:]
		at, ok := now.findReference(groups, reference)
		found = found || ok
		for _, word := range referenceWords(groups) {
			if !slices.Contains(known, word) {
				known = append(known, word)
			}
		}
		one := p.suiteOf(groups[0])
		s := verdict.NewSideBySide(groups, at, verdict.Settings{Gates: one.Gates, Clusters: one.clusters})
		if !ok && reference != "" {
			s.Note(fmt.Sprintf("%s is not asked of this suite: the reference is the first that is.", reference))
		}
		p.compared = append(p.compared, s)
	}
	switch {
	case reference == "" || found:
		return nil
	case !several:
		return fault.New(fault.Usage, "--reference %s: nothing is asked beside it to be compared with it", reference).
			WithHint("name several models or prompts: --model small,large, or --prompt triage@1.0.0,triage@draft")
	}
	return fault.New(fault.Usage, "--reference %s is none of the models and prompts that are asked", reference).WithHint("%s", fault.Allowed(reference, known))
}

// bySuite are the places of the groups that are judged, those of a suite together.
func (p *plan) bySuite() [][]int {
	var all [][]int
	at := map[string]int{}
	for i, g := range p.groups {
		if g.Arm != eval.Candidate {
			continue
		}
		if _, ok := at[g.Suite]; !ok {
			at[g.Suite] = len(all)
			all = append(all, nil)
		}
		all[at[g.Suite]] = append(all[at[g.Suite]], i)
	}
	return all
}

// findReference is the first of the groups that a reference names: MODEL, PROMPT@VERSION
// or both, PROMPT@VERSION,MODEL. Without one, or where it names none, it is the first.
func (p *project) findReference(groups []eval.Group, reference string) (place int, ok bool) {
	words := strings.Split(reference, ",")
	is := func(g eval.Group, word string) bool {
		if word == g.Model || word == g.Prompt.String() {
			return true
		}
		named, err := p.prompts.Resolve(word, prompt.Develop)
		return err == nil && named.Ref() == g.Prompt
	}
	for i, g := range groups {
		named := len(words) <= 2
		for _, word := range words {
			named = named && is(g, strings.TrimSpace(word))
		}
		if named {
			return i, true
		}
	}
	return 0, false
}

// referenceWords are what a reference to one of the groups may say.
func referenceWords(groups []eval.Group) (words []string) {
	add := func(word string) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	for _, g := range groups {
		add(g.Model)
	}
	for _, g := range groups {
		add(g.Prompt.String())
	}
	return words
}

// add counts a result of a group, as it is judged, and beside the others of its suite.
func (p *plan) add(group int, c *eval.Case, r *eval.Result) {
	if p.past == nil { // else both arms are compared once they are in
		p.tallies[group].Add(c, r)
	}
	if group < len(p.seats) && p.seats[group] != nil {
		p.compared[p.seats[group].comparison].Add(p.seats[group].candidate, c, r)
	}
}

// tellSideBySide says how models and prompts did beside each other. A part of a run has
// not enough cases to say so.
func (t *testRun) tellSideBySide(v *eval.Verdict) {
	if len(t.plan.compared) > 0 && t.shard.of <= 1 {
		v.SideBySide = verdict.CompareSideBySide(t.plan.compared)
	}
}
