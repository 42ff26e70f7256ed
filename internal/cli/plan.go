package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/eval/verdict"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// plan is what a run will do: one group a suite × model, with the tally that
// judges it.
type plan struct {
	suites  []*loaded
	groups  []runner.Group
	tallies []*verdict.Tally
	planned int
	hashes  map[string]string // of the cases of each suite

	arms []*arm // one a group: how it is asked as it once was; nil for those of now

	empty bool // a part without a case, of a run that has some

	// Of suites that several models or prompts are asked: what compares them, and where
	// each group stands in that.
	compared []*verdict.SideBySide
	seats    []*seat

	// Of a run against a commit. Groups that are asked beside another come last.
	past      *past
	unchanged []eval.Group // which need not be asked
}

// planner turns suites into a plan. Everything that can be wrong is found here,
// before the first call.
type planner struct {
	project *project
	pick    pick
	repeats int // 0: as the suites say
	read    eval.Read
	past    *past    // nil: compare with baselines
	models  []string // of --model
	// confirms says that cases which flip are asked anew.
	confirms bool
}

func (b planner) plan(ctx context.Context, suites []*loaded) (*plan, error) {
	made := &plan{suites: suites, hashes: map[string]string{}, past: b.past}
	var problems fault.List
	for _, one := range suites {
		problems.Add(b.add(ctx, made, one, suites))
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	made.putBeside()
	if made.planned == 0 && len(made.unchanged) == 0 {
		if made.empty = b.elsewhere(suites); made.empty {
			return made, nil
		}
		return nil, fault.New(fault.NoMatch, "no case is selected by %s", b.pick).
			WithHint("llmx lint counts the cases of every suite")
	}
	return made, nil
}

// elsewhere reports that other parts of the run have cases: there may be more machines
// than cases.
func (b planner) elsewhere(suites []*loaded) bool {
	if b.pick.shard.of <= 1 {
		return false
	}
	whole := b.pick
	whole.shard = shard{}
	for _, one := range suites {
		for _, err := range whole.in(one.Name).from(one.Cases(), 0) {
			return err == nil
		}
	}
	return false
}

func (b planner) add(ctx context.Context, made *plan, one *loaded, suites []*loaded) error {
	size, err := b.survey(ctx, one)
	if err != nil || size.cases == 0 {
		return err
	}
	made.hashes[one.Name] = joinedHash(made.hashes[one.Name], size.hash)
	var arms map[string]*arm
	if b.past != nil {
		if arms, err = b.past.arms(one, b.models); err != nil {
			return err
		}
	}
	var problems fault.List
	for _, name := range one.models {
		found, err := b.project.lookup(name, fault.Place{})
		if err != nil {
			return err
		}
		problems.Add(b.needsPrice(one, found, size))
		standsFor, err := b.project.standsFor(found, one.prompt)
		if err != nil {
			return err
		}
		group := eval.Group{
			Suite: one.Name, Model: name, Prompt: one.prompt.Ref(), Planned: size.results, Cases: size.cases,
			Treatment: engine.Treatment(one.prompt.Hash, standsFor), ByPrompt: byPrompt(suites, one),
		}
		if a := arms[name]; a != nil && a.treatment == group.Treatment {
			made.unchanged = append(made.unchanged, group)
			continue
		} else if a != nil {
			if err := b.fits(ctx, one, a); err != nil && ctx.Err() == nil {
				problems.Add(b.past.at(err))
			}
		}
		made.arms = append(made.arms, arms[name])
		made.planned += size.results
		made.groups = append(made.groups, runner.Group{Group: group, Cases: b.pick.in(one.Name).from(one.Cases(), b.repeats)})
		tally, err := b.tally(group, one)
		if err != nil {
			return err
		}
		made.tallies = append(made.tallies, tally)
	}
	return problems.Err()
}

// byPrompt reports whether a suite is asked with more prompts than one.
func byPrompt(suites []*loaded, one *loaded) bool {
	return slices.ContainsFunc(suites, func(other *loaded) bool { return other != one && other.Name == one.Name })
}

// joinedHash is that of a suite's cases, which may depend on the prompt that they are
// asked with: of all, where there are several.
func joinedHash(before, one string) string {
	if before == "" || before == one {
		return one
	}
	return before + "+" + one
}

// putBeside adds a group for everything that is asked as it was at a commit.
func (p *plan) putBeside() {
	found := p.arms
	p.arms = make([]*arm, len(p.groups))
	for i, a := range found {
		if a == nil {
			continue
		}
		p.groups[i].Beside = len(p.groups)
		old := p.groups[i].Group
		old.Arm, old.Model, old.Prompt, old.Treatment = eval.Against, a.model, a.prompt.Ref(), a.treatment
		p.groups, p.arms = append(p.groups, runner.Group{Group: old}), append(p.arms, a)
		p.planned += old.Planned
	}
	if len(p.unchanged) > 0 {
		p.suites = slices.DeleteFunc(slices.Clone(p.suites), func(one *loaded) bool {
			return !slices.ContainsFunc(p.groups, func(g runner.Group) bool { return g.Suite == one.Name })
		})
	}
}

// survey counts a suite's selected cases, and gates what they bound.
func (b planner) survey(ctx context.Context, one *loaded) (size, error) {
	s, err := measure(ctx, b.pick.in(one.Name).from(one.Cases(), b.repeats), one.prompt, one.Count)
	if s.operational {
		one.gateOperation()
	}
	one.clusters, one.gated = s.clusters, s.gated
	return s, err
}

// suiteOf is the suite of a group, with the group's prompt where it was loaded with
// several. There is one.
func (p *plan) suiteOf(g eval.Group) *loaded {
	var found *loaded
	for _, one := range p.suites {
		if one.Name == g.Suite && (found == nil || one.prompt.Ref() == g.Prompt) {
			found = one
		}
	}
	return found
}

// gateOperation adds the default gate of checks on cost, time and attempts.
func (l *loaded) gateOperation() {
	if !slices.ContainsFunc(l.Gates, func(g eval.Gate) bool { return g.Metric == eval.MetricOperational }) {
		l.Gates = append(slices.Clone(l.Gates), eval.Gate{Metric: eval.MetricOperational, Kind: eval.GateMin, Limit: 1, Default: true})
	}
}

// tally makes what will judge a group, with the suite's gates and baseline.
func (b planner) tally(group eval.Group, one *loaded) (*verdict.Tally, error) {
	settings, err := b.settings(one, group.Model)
	if err != nil {
		return nil, err
	}
	return verdict.NewTally(group, settings), nil
}

// settings are what a suite is judged by on a model, its accepted baseline among them.
func (b planner) settings(one *loaded, model string) (verdict.Settings, error) {
	settings := b.gates(one)
	var err error
	if settings.Baseline, err = baseline.Read(b.project.fs, baseline.Path(one.File)); err != nil {
		return verdict.Settings{}, err
	}
	calibrated, err := baseline.ReadCalibration(b.project.fs, baseline.CalibrationPath(one.File))
	if err != nil {
		return verdict.Settings{}, err
	}
	settings.Sight = calibrated.Of(model).Sight(one.gated.cases, one.gated.results)
	return settings, nil
}

// gates are what a suite is judged by, without what was accepted of it.
func (b planner) gates(one *loaded) verdict.Settings {
	return verdict.Settings{
		Gates: one.Gates, OnInconclusive: one.OnInconclusive, MaxErrors: one.MaxErrors,
		Clusters: one.clusters, Jobs: b.project.config.Test.Jobs,
		Contract: contractOf(one.prompt), Read: b.read, Confirms: b.confirms,
	}
}

// needsPrice refuses a bound in dollars on a model whose price nobody knows: a gate
// on cost, or a check of it.
func (b planner) needsPrice(one *loaded, found config.Target, s size) error {
	place, because := s.bounded, "max_cost bounds its cost"
	if i := slices.IndexFunc(one.Gates, func(g eval.Gate) bool { return g.Metric == "cost_per_case" }); i >= 0 {
		place, because = one.GatePlaces[i], "a gate is on its cost"
	}
	if place.File == "" {
		return nil
	}
	var problems fault.List
	for _, alias := range found.Models() {
		known, err := b.project.priceOf(alias)
		problems.Add(err)
		if err == nil && !known.Known {
			unpriced := *config.Unpriced(alias, b.project.config.Models[alias], because)
			unpriced.Place = place
			problems.Add(&unpriced)
		}
	}
	return problems.Err()
}

// prompts are the resolved prompts by their exact names.
func (p *plan) prompts() map[llm.PromptRef]*prompt.Prompt {
	all := map[llm.PromptRef]*prompt.Prompt{}
	for _, one := range p.suites {
		all[one.prompt.Ref()] = one.prompt
		for _, judge := range one.judges.prompts() {
			all[judge.Ref()] = judge
		}
	}
	return all
}

// refsOf are the exact names of prompts, in order.
func refsOf(prompts map[llm.PromptRef]*prompt.Prompt) []llm.PromptRef {
	return slices.SortedFunc(maps.Keys(prompts), func(a, b llm.PromptRef) int { return strings.Compare(a.String(), b.String()) })
}

// models are the names that are asked, each once: those under test, then judges.
func (p *plan) models() []string {
	var names []string
	for i, group := range p.groups {
		if p.arms[i] == nil && !slices.Contains(names, group.Model) {
			names = append(names, group.Model)
		}
	}
	for _, one := range p.suites {
		for _, name := range one.judges.models() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// evalGroups are the groups that are judged.
func (p *plan) evalGroups() []eval.Group {
	var groups []eval.Group
	for _, group := range p.groups {
		if group.Arm == eval.Candidate {
			groups = append(groups, group.Group)
		}
	}
	return groups
}

// String says what was asked for, in the words of the flags.
func (p pick) String() string {
	var words []string
	if p.filter != nil {
		words = append(words, fmt.Sprintf("--filter %q", p.filter))
	}
	if len(p.tags) > 0 {
		words = append(words, "--tag "+strings.Join(p.tags, ","))
	}
	if p.sample > 0 {
		words = append(words, fmt.Sprintf("--sample %d", p.sample))
	}
	if p.only != nil {
		words = append(words, "--only "+p.only.kind)
	}
	if p.shard.of > 0 {
		words = append(words, "--shard "+p.shard.String())
	}
	return strings.Join(words, " ")
}
