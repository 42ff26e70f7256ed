package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/report"
)

// tab adds requests up to a forecast.
type tab struct {
	sum   report.Forecast
	known [sources]int
	loads map[string]*load // by alias
}

// load is what goes to a model first.
type load struct {
	requests int
	tokens   int64
}

// request counts a request that may take so many further steps, each of which may be
// asked again.
func (t *tab) request(alias string, further, reasks int, use llm.Usage) {
	t.sum.Requests++
	t.sum.Most += 1 + further + reasks
	t.sum.Reasks += reasks
	t.sum.Input, t.sum.Output = t.sum.Input+use.Input, t.sum.Output+use.Output
	if t.loads[alias] == nil {
		t.loads[alias] = &load{}
	}
	t.loads[alias].requests++
	t.loads[alias].tokens += use.Input + use.Output
}

func (t *tab) unpriced(models []string) {
	t.sum.Unpriced++
	for _, alias := range models {
		if !slices.Contains(t.sum.Prices, alias) {
			t.sum.Prices = append(t.sum.Prices, alias)
		}
	}
}

func (t *tab) price(cost, most llm.Money, bounded bool) {
	t.sum.Cost, t.sum.MostCost = t.sum.Cost+cost, t.sum.MostCost+most
	if !bounded {
		t.sum.Unbounded++
	}
}

// forecast sums up.
func (a *appraiser) forecast(t *tab) (report.Forecast, error) {
	f := t.sum
	f.Basis = report.Basis{
		Recording: t.known[fromRecording], Baseline: t.known[fromBaseline], Older: t.known[fromOlderBaseline],
		Mean: t.known[fromMean], MaxTokens: t.known[fromMaxTokens], Guess: t.known[fromGuess],
	}
	for _, alias := range slices.Sorted(maps.Keys(t.loads)) {
		f.Models = append(f.Models, report.PlanModel{Model: alias, Requests: t.loads[alias].requests})
	}
	var err error
	f.Time, err = a.time(t)
	return f, err
}

// time is how long the requests take: the jobs share what the models need for their
// answers, unless the limits of a model hold them back for longer.
func (a *appraiser) time(t *tab) (report.PlanTime, error) {
	made := report.PlanTime{Known: true}
	var served, held time.Duration
	for _, alias := range slices.Sorted(maps.Keys(t.loads)) {
		one := t.loads[alias]
		latency, from, err := a.latency(alias)
		if err != nil {
			return made, err
		}
		if from == "" {
			made.Known = false
		} else if !slices.Contains(made.From, from) {
			made.From = append(made.From, from)
		}
		served += time.Duration(one.requests) * latency
		limits := a.project.limits(alias)
		for _, bound := range []struct {
			name  string
			value int
			takes time.Duration
		}{
			{"rpm", limits.RPM, limits.TakesRequests(one.requests)},
			{"tpm", limits.TPM, limits.TakesTokens(one.tokens)},
			{"concurrency", limits.Concurrency, inRounds(time.Duration(one.requests)*latency, one.requests, limits.Concurrency)},
		} {
			if bound.value > 0 && bound.takes > held {
				held, made.Held = bound.takes, []string{fmt.Sprintf("%s %d of %s", bound.name, bound.value, alias)}
			}
		}
	}
	if made.Took = inRounds(served, t.sum.Requests, a.jobs); made.Took >= held {
		made.Held = nil
	}
	made.Took = max(made.Took, held)
	return made, nil
}

// latency is how long a model usually takes for an answer, and who says so; "" where
// nobody does.
func (a *appraiser) latency(alias string) (_ time.Duration, from string, _ error) {
	if a.header != nil && a.header.LatencyP50 > 0 {
		return a.header.LatencyP50, fmt.Sprintf("the baseline of %s", a.header.Date), nil
	}
	resolved := a.project.resolved(alias)
	usual, err := a.habits.of(resolved)
	if err != nil {
		return 0, "", err
	}
	if len(usual.times) > 0 {
		return usual.median(), fmt.Sprintf("the recorded replies of %s", resolved), nil
	}
	if settings := a.project.config.Models[alias].Sim; settings != nil {
		return settings.Latency.P50, fmt.Sprintf("the settings of %s", alias), nil
	}
	return 0, "", nil
}

// inRounds is how long n requests take that need so long one after the other, where
// so many of them are under way at once.
func inRounds(served time.Duration, n, atOnce int) time.Duration {
	if n == 0 || atOnce == 0 {
		return 0
	}
	rounds := (n + atOnce - 1) / atOnce
	return served / time.Duration(n) * time.Duration(rounds)
}
