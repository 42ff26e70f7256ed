package verdict

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Draws are a case with many answers to it, all of one prompt and model.
type Draws struct {
	Case    *eval.Case     // its Repeats are those of a test
	Results []*eval.Result // judged ones, at least twice as many
}

// CalibrateOptions say how much work is put into it.
type CalibrateOptions struct {
	Comparisons int // of the prompt with itself, at least 1; fewer where the suite is large
	Workers     int // at once, at least 1
}

// Calibrate judges a prompt against itself: again and again the answers to each case
// are split at random into a baseline and a candidate, each with as many repeats as a
// test has, and put to the suite's own gates. The splits are of one seed. Answers are
// drawn without replacement: so the differences have the variance of two fresh runs,
// whose estimate by resampling with replacement would be too small.
//
// What a metric sees is found by breaking: more and more cases are made to fail in the
// candidate (of cost: all are made dearer), until the metric's gate says regressed in
// four comparisons of five. Class Canceled where ctx ends first.
func Calibrate(ctx context.Context, g eval.Group, s Settings, draws []Draws, o CalibrateOptions) (eval.Calibration, error) {
	c := &calibrator{ctx: ctx, group: g, settings: s, draws: draws, workers: max(1, o.Workers)}
	for i := range draws {
		c.results += draws[i].Case.Repeats
	}
	c.group.Planned, c.group.Cases = c.results, len(draws)
	out := eval.Calibration{
		Model: g.Model, Prompt: g.Prompt, Treatment: g.Treatment, Cases: len(draws), Results: c.results,
		Comparisons: c.affordable(o.Comparisons, 200, 1_000_000), Simulated: c.affordable(o.Comparisons/5, 50, 200_000),
	}
	seen := c.compare(out.Comparisons, s.Gates, nil)
	out.Gates, out.FalseAlarms = countGates(seen)
	out.Metrics = c.noiseOf(seen)
	for i := range out.Metrics {
		m := &out.Metrics[i]
		m.Sees, m.Power = c.sees(m.Name, out.Simulated, out.Comparisons)
	}
	out.Suggested = suggest(seen, out)
	if ctx.Err() != nil {
		return out, fault.New(fault.Canceled, "interrupted")
	}
	return out, nil
}

// calibrator judges one group against itself.
type calibrator struct {
	ctx      context.Context
	group    eval.Group
	settings Settings
	draws    []Draws
	results  int // of one arm
	workers  int
}

// affordable bounds comparisons by the results that they judge, at most so many unless
// that were too few to say anything: some seconds of work.
func (c *calibrator) affordable(wanted, least, most int) int {
	return max(1, min(wanted, max(least, most/max(1, 2*c.results))))
}

// harm is what is done to the candidate: cases that fail, or a factor on what all cost.
type harm struct {
	metric string
	broken int // cases that fail for good
	dearer float64
}

// compare judges so many splits, each by a generator of its own, on all workers. A
// canceled ctx leaves the rest out.
func (c *calibrator) compare(n int, gates []eval.Gate, done *harm) []eval.GroupVerdict {
	verdicts := make([]eval.GroupVerdict, n)
	var working sync.WaitGroup
	for worker := range c.workers {
		working.Go(func() {
			for i := worker; i < n && c.ctx.Err() == nil; i += c.workers {
				verdicts[i] = c.once(rand.New(rand.NewPCG(uint64(i), 0xca11b)), gates, done)
			}
		})
	}
	working.Wait()
	return verdicts
}

// once splits and judges.
func (c *calibrator) once(random *rand.Rand, gates []eval.Gate, done *harm) eval.GroupVerdict {
	baseline := &eval.Baseline{Headers: []eval.BaselineHeader{{Suite: c.group.Suite, Model: c.group.Model}}}
	baseline.Lines = make([]eval.BaselineLine, len(c.draws))
	candidates := make([][]int, len(c.draws)) // places in the draws
	for i := range c.draws {
		d := &c.draws[i]
		places := random.Perm(len(d.Results))
		baseline.Lines[i] = c.line(d, places[:d.Case.Repeats])
		candidates[i] = places[d.Case.Repeats : 2*d.Case.Repeats]
	}
	broken := map[int]bool{}
	if done != nil {
		for _, i := range random.Perm(len(c.draws))[:done.broken] {
			broken[i] = true
		}
	}
	settings := c.settings
	settings.Baseline, settings.Gates = baseline, gates
	tally := NewTally(c.group, settings)
	tally.unwatched = true
	for i := range c.draws {
		for repeat, place := range candidates[i] {
			r := *c.draws[i].Results[place]
			r.Repeat = repeat
			if done != nil {
				done.apply(&r, broken[i])
			}
			tally.Add(c.draws[i].Case, &r)
		}
	}
	v := Judge([]*Tally{tally}, Options{})
	group := v.Groups[0]
	group.Flips, group.Failed = nil, nil // thousands of verdicts are held
	return group
}

// line is the baseline's of a case.
func (c *calibrator) line(d *Draws, places []int) eval.BaselineLine {
	fold := newCaseFold(d.Case)
	for _, place := range places {
		fold.add(d.Results[place])
	}
	line := eval.BaselineLine{
		Case: d.Case.ID, Model: c.group.Model, Input: d.Case.InputHash, Criteria: d.Case.CriteriaHash,
		Passes: fold.passes, Repeats: fold.judged, Valid: -1,
	}
	if fold.contract {
		line.Valid, line.FirstTry = fold.valid, &fold.first
	}
	if len(fold.scores) > 0 {
		line.Scores = make(map[string]float64, len(fold.scores))
		for metric, m := range fold.scores {
			line.Scores[metric] = m.value()
		}
	}
	if fold.cost.Known {
		mean := llm.Money(math.Round(float64(fold.cost.Amount) / float64(fold.judged)))
		line.Cost = &mean
	}
	return line
}

// apply changes a result of the candidate, which is a copy.
func (d *harm) apply(r *eval.Result, broken bool) {
	if d.metric == metricCost {
		r.Cost.Amount = llm.Money(math.Round(float64(r.Cost.Amount) * (1 + d.dearer)))
		return
	}
	if !broken {
		return
	}
	switch d.metric {
	case metricAccuracy:
		r.Status = eval.Fail
	case metricValidity, metricFirstTry:
		if r.Valid != eval.NoContract {
			r.Valid, r.FirstTry = eval.Violated, eval.Violated
		}
	default:
		r.Scores = slices.Clone(r.Scores)
		for i := range r.Scores {
			if r.Scores[i].Metric == d.metric {
				r.Scores[i].Value, r.Scores[i].Pass = 0, false
			}
		}
	}
}

// countGates counts what the gates said, and how often the whole verdict failed.
func countGates(seen []eval.GroupVerdict) (gates []eval.CalibratedGate, falseAlarms float64) {
	if len(seen) == 0 || len(seen[0].Gates) == 0 {
		return []eval.CalibratedGate{}, 0
	}
	all := float64(len(seen))
	count := func(is func(v *eval.GroupVerdict) bool) float64 {
		n := 0
		for i := range seen {
			if is(&seen[i]) {
				n++
			}
		}
		return float64(n) / all
	}
	for j := range seen[0].Gates {
		said := func(word eval.Word) float64 {
			return count(func(v *eval.GroupVerdict) bool { return j < len(v.Gates) && v.Gates[j].Word == word })
		}
		gates = append(gates, eval.CalibratedGate{
			Gate: seen[0].Gates[j].Gate, Regressed: said(eval.Regressed), Inconclusive: said(eval.Inconclusive),
			Fails: count(func(v *eval.GroupVerdict) bool {
				return j < len(v.Gates) && !v.Gates[j].Pass && v.Gates[j].Word != eval.NotGated
			}),
		})
	}
	return gates, count(func(v *eval.GroupVerdict) bool { return !v.Pass && v.Word != eval.NotGated })
}

// whole gives the metrics of all answers together, by name. The mean over the splits is
// that with some chance in it: 81 % of ten answers, of which eight pass.
func (c *calibrator) whole() map[string]*float64 {
	group, settings := c.group, c.settings
	group.Planned, settings.Baseline, settings.Gates = 0, nil, nil
	for i := range c.draws {
		group.Planned += len(c.draws[i].Results)
	}
	tally := NewTally(group, settings)
	tally.unwatched = true
	for i := range c.draws {
		asked := *c.draws[i].Case
		asked.Repeats = len(c.draws[i].Results)
		for repeat, result := range c.draws[i].Results {
			r := *result
			r.Repeat = repeat
			tally.Add(&asked, &r)
		}
	}
	values := map[string]*float64{}
	for _, m := range Judge([]*Tally{tally}, Options{}).Groups[0].Metrics {
		values[m.Name] = m.Value
	}
	return values
}

// noiseOf is the standard deviation of each metric's difference.
func (c *calibrator) noiseOf(seen []eval.GroupVerdict) []eval.CalibratedMetric {
	var out []eval.CalibratedMetric
	if len(seen) == 0 {
		return out
	}
	whole := c.whole()
	for _, first := range seen[0].Metrics {
		switch {
		case first.Unit == "seconds", first.Name == eval.MetricCritical, first.Name == eval.MetricRepair, first.Name == eval.MetricOperational:
			continue // nothing that is broken moves them
		}
		m := eval.CalibratedMetric{Name: first.Name, Unit: first.Unit}
		var n, sum, squares float64
		for i := range seen {
			at := slices.IndexFunc(seen[i].Metrics, func(x eval.Metric) bool { return x.Name == first.Name })
			if at < 0 {
				continue
			}
			x := seen[i].Metrics[at]
			if x.Baseline == nil || x.Paired == nil {
				continue
			}
			d := *x.Paired - *x.Baseline
			if first.Name == metricCost {
				if *x.Baseline == 0 {
					continue
				}
				d /= *x.Baseline
			}
			n, sum, squares = n+1, sum+d, squares+d*d
		}
		if n < 2 {
			continue
		}
		m.Value, m.Noise = whole[first.Name], math.Sqrt(max(0, squares-sum*sum/n)/(n-1))
		out = append(out, m)
	}
	return out
}
