package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/engine"
	"github.com/llmx-dev/llmx/internal/engine/route"
	"github.com/llmx-dev/llmx/internal/engine/structured"
	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/price"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// appraiser says what the requests of a group are about to cost.
type appraiser struct {
	project    *project
	jobs       int
	target     config.Target
	policy     route.Policy
	prices     map[string]price.Price // by alias
	tellers    map[string]*structured.Teller
	recordings *replay.Recordings // nil where there are none
	habits     *habits            // of the suite's recorded answers

	// What was accepted of the models that are asked now; nil for none. What others
	// cost says nothing.
	accepted   []eval.BaselineLine
	header     *eval.BaselineHeader
	samePrompt bool // … by the prompt that is asked now

	asked, wanted tab
}

// source is what an expected cost rests on, the best first.
type source int

const (
	fromRecording     source = iota // what the same request used when it was recorded, at today's price
	fromBaseline                    // what the baseline says that the case cost
	fromMean                        // estimated input, and output as the suite's recorded answers have on average
	fromOlderBaseline               // what the baseline says that the case cost, by another version of the prompt
	fromMaxTokens                   // estimated input, and output as much as max_tokens lets be
	fromGuess                       // … and where it says nothing, what llm.Request.Estimate takes
	sources
)

// newAppraiser prices a group, in the way of the arm by which it is asked; nil for now.
func (d *dryRun) newAppraiser(group *runner.Group, by *arm) (*appraiser, error) {
	one := d.plan.suiteOf(group.Group)
	p, asks := d.project, one.prompt
	if by != nil {
		p, asks = by.project, by.prompt
	}
	found, err := p.lookup(group.Model, fault.Place{})
	if err != nil {
		return nil, err
	}
	recordings := d.files[group.Suite]
	if d.habits[group.Suite] == nil {
		d.habits[group.Suite] = &habits{recordings: recordings}
	}
	a, err := d.appraise(p, found, recordings, d.habits[group.Suite])
	if err != nil {
		return nil, err
	}
	return a, a.readBaseline(one, asks, &group.Group)
}

// appraise prices what goes to a target, without what was accepted.
func (d *dryRun) appraise(p *project, found config.Target, recordings *replay.Recordings, usual *habits) (*appraiser, error) {
	a := &appraiser{
		project: p, jobs: d.jobs, target: found, policy: p.policy(found), prices: map[string]price.Price{},
		tellers:    map[string]*structured.Teller{},
		recordings: recordings, habits: usual,
		asked: tab{loads: map[string]*load{}}, wanted: tab{loads: map[string]*load{}},
	}
	for _, alias := range found.Models() {
		var err error
		if a.prices[alias], err = p.priceOf(alias); err != nil {
			return nil, err
		}
		a.tellers[alias] = p.teller(alias)
	}
	return a, nil
}

func (a *appraiser) readBaseline(one *loaded, asks *prompt.Prompt, group *eval.Group) error {
	accepted, err := baseline.Read(a.project.fs, baseline.Path(one.File))
	if err != nil || accepted == nil {
		return err
	}
	header := baseline.HeaderOf(accepted, group.Model)
	standsFor, err := a.project.standsFor(a.target, asks)
	if err != nil || header == nil || engine.Treatment(header.Prompt.Hash, standsFor) != header.Treatment {
		return err
	}
	a.accepted, a.header, a.samePrompt = accepted.Lines, header, header.Treatment == group.Treatment
	return nil
}

// add puts a request of a case on a tab.
func (a *appraiser) add(to *tab, c *eval.Case, asked ask) error {
	steps := a.stepsAfter(asked)
	use, known, err := a.expect(asked)
	if err != nil {
		return err
	}
	to.request(asked.alias, len(steps), reasksOf(&asked.request, len(steps)), use)
	if unpriced := a.unpriced(asked.alias, steps); len(unpriced) > 0 {
		to.unpriced(unpriced)
		return nil
	}
	cost := a.prices[asked.alias].Cost(use).Amount
	if paid, by, ok := a.paid(c, asked); ok && (by < known || len(steps) > 0) {
		cost, known = paid, by // of a cascade nothing else knows the whole path
	} else if len(steps) > 0 {
		to.sum.FirstSteps++
	}
	longest, bounded := asked.request.MaxOutput()
	to.price(cost, max(cost, a.most(append(steps, asked.alias), &asked.request, use.Input, longest)), bounded)
	to.known[known]++
	return nil
}

// stepsAfter are the models that a cascade may go on to.
func (a *appraiser) stepsAfter(asked ask) []string {
	if a.target.Cascade == nil {
		return nil
	}
	var steps []string
	for alias := asked.alias; ; {
		step, last := a.policy.Next(asked.request, alias)
		if last {
			return steps
		}
		asked.request.Step = step
		alias = a.policy.First(asked.request)
		steps = append(steps, alias)
	}
}

// expect is what a request is about to use.
func (a *appraiser) expect(asked ask) (llm.Usage, source, error) {
	resolved := a.project.resolved(asked.alias)
	used, found, err := a.recorded(asked.request, resolved)
	if found || err != nil {
		return used, fromRecording, err
	}
	use := a.tellers[asked.alias].Estimate(asked.request)
	usual, err := a.habits.of(resolved)
	switch _, bounded := asked.request.MaxOutput(); {
	case err != nil:
		return llm.Usage{}, 0, err
	case usual.answers > 0:
		use.Output = usual.meanOutput()
		return use, fromMean, nil
	case bounded:
		return use, fromMaxTokens, nil
	}
	return use, fromGuess, nil
}

// recorded is what a request used when it was asked before, else when its first
// repeat was.
func (a *appraiser) recorded(request llm.Request, resolved string) (llm.Usage, bool, error) {
	if a.recordings == nil {
		return llm.Usage{}, false, nil
	}
	for _, request.Repeat = range []int{request.Repeat, 0} {
		recording, found, err := a.recordings.Lookup(replay.Key(request, resolved))
		if err != nil || found && recording.Usage.Input > 0 {
			return recording.Usage, err == nil, err
		}
	}
	return llm.Usage{}, false, nil
}

// paid is what the case cost on average when it was accepted.
func (a *appraiser) paid(c *eval.Case, asked ask) (llm.Money, source, bool) {
	if asked.request.Step > 0 {
		return 0, 0, false // it cost that from the first step on
	}
	i, found := slices.BinarySearchFunc(a.accepted, c.ID, func(line eval.BaselineLine, id string) int {
		return cmp.Or(strings.Compare(line.Case, id), strings.Compare(line.Model, a.target.Name))
	})
	if !found || a.accepted[i].Cost == nil || a.accepted[i].Input != c.InputHash {
		return 0, 0, false
	}
	cost := *a.accepted[i].Cost / llm.Money(c.Asked()) // of a conversation: what a reply cost on average
	if a.samePrompt {
		return cost, fromBaseline, true
	}
	return cost, fromOlderBaseline, true
}

// unpriced are those models that a request may go to without a known price.
func (a *appraiser) unpriced(first string, steps []string) []string {
	var list []string
	for _, alias := range append([]string{first}, steps...) {
		if !a.prices[alias].Known && !slices.Contains(list, alias) {
			list = append(list, alias)
		}
	}
	return list
}

// reasksOf is how often a request, and each of the steps after it, may be asked again.
func reasksOf(req *llm.Request, steps int) int {
	return max(0, req.Output.Reask-req.Reask) + steps*req.Output.Reask
}

// complaintTokens is about how long the message is, at most, that sends an answer back.
const complaintTokens = 550

// most is the cost of a request on each of the models with the longest answers, each
// asked for again as often as it may be, with all that was said before.
func (a *appraiser) most(models []string, req *llm.Request, input, longest int64) llm.Money {
	sum := llm.Money(0)
	for again := range int64(req.Output.Reask) + 1 {
		sum += a.through(models, llm.Usage{Input: input + again*(longest+complaintTokens), Output: longest})
	}
	return sum
}

// through is the cost of a usage on each of the models.
func (a *appraiser) through(models []string, use llm.Usage) llm.Money {
	sum := llm.Money(0)
	for _, alias := range models {
		sum += a.prices[alias].Cost(use).Amount
	}
	return sum
}
