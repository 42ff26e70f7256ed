package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// The metrics that every suite has; others are the checks' own.
const (
	metricAccuracy = "accuracy"
	metricValidity = "schema_validity"
	metricFirstTry = "first_try_validity"
	metricCost     = "cost_per_case"
	metricP50      = "latency_p50"
	metricP95      = "latency_p95"
)

var builtIns = []string{metricAccuracy, eval.MetricCritical, metricValidity, metricFirstTry, metricCost, metricP50, metricP95}

func builtIn(metric string) bool { return slices.Contains(builtIns, metric) }

// rank orders metrics: accuracy first, then the others built in, then named ones.
func rank(metric string) int {
	if i := slices.Index(builtIns, metric); i >= 0 {
		return i
	}
	return len(builtIns)
}

// confidence is that of every interval and bound; alpha that of every test.
const (
	confidence = 0.95
	alpha      = 0.05
	power      = 0.8
)

// meanMetric is a mean over cases of the cases' own means, with its best case:
// what it would be if every repeat that was not judged had scored 1.
type meanMetric struct {
	sum, squares float64
	cases        int
	results      int

	best      float64
	bestCases int

	// Of the paired cases.
	paired     int
	now, base  float64
	keep       bool
	diffs      []float64 // now − before, where keep is set
	bestDiffs  []float64 // likewise at best, of the cases that were not judged in full
	bestPlaces []int     // where in diffs each belongs, −1 for a case without a judged repeat

	clusters clusters
}

// add takes a case's mean over its judged repeats, with its cluster.
func (m *meanMetric) add(value float64, judged, missing int, cluster uint64) {
	if judged+missing == 0 {
		return
	}
	m.best += atBest(value, judged, missing)
	m.bestCases++
	if judged == 0 {
		return
	}
	m.sum += value
	m.squares += value * value
	m.cases++
	m.results += judged
	if sum := m.clusters.of(cluster); sum != nil {
		sum.cases++
		sum.value += value
		sum.squares += value * value
	}
}

// atBest is a case's mean if the missing repeats had scored 1.
func atBest(value float64, judged, missing int) float64 {
	return (value*float64(judged) + float64(missing)) / float64(judged+missing)
}

// pair takes the same case's mean in the baseline.
func (m *meanMetric) pair(value, before float64, judged, missing int, cluster uint64) {
	place := -1
	if judged > 0 {
		place = len(m.diffs)
		m.paired++
		m.now += value
		m.base += before
		sum := m.clusters.of(cluster)
		if sum != nil {
			sum.paired++
			sum.diff += value - before
		}
		if m.keep {
			m.diffs = append(m.diffs, value-before)
			if sum != nil {
				sum.places = append(sum.places, int32(place))
			}
		}
	}
	if sum := m.clusters.of(cluster); sum != nil && judged+missing > 0 {
		sum.bestPaired++
		sum.best += atBest(value, judged, missing) - before
	}
	if m.keep && missing > 0 {
		m.bestDiffs = append(m.bestDiffs, atBest(value, judged, missing)-before)
		m.bestPlaces = append(m.bestPlaces, place)
	}
}

// differences are the paired cases', or those of the best case.
func (m *meanMetric) differences(best bool) []float64 {
	if !best {
		return m.diffs
	}
	out := slices.Clone(m.diffs)
	for i, place := range m.bestPlaces {
		if place < 0 {
			out = append(out, m.bestDiffs[i])
		} else {
			out[place] = m.bestDiffs[i]
		}
	}
	return out
}

func (m *meanMetric) value(best bool) *float64 {
	if best {
		return ratio(m.best, m.bestCases)
	}
	return ratio(m.sum, m.cases)
}

// figure is the metric as reports show it.
func (m *meanMetric) figure(name, unit string) eval.Metric {
	figure := eval.Metric{Name: name, Unit: unit, Value: m.value(false), N: m.cases}
	if m.paired > 0 {
		figure.Baseline, figure.Paired = ratio(m.base, m.paired), ratio(m.now, m.paired)
	}
	if unit == "share" && m.cases > 0 {
		values := m.values()
		low, high := stats.Wilson(*figure.Value, stats.EffectiveN(*figure.Value, values.SE(), values.Clusters, m.results), confidence)
		figure.Low, figure.High = &low, &high
	}
	return figure
}

// shareMetric is a metric of passes out of repeats: its pairs are strata.
type shareMetric struct {
	meanMetric
	strata     stats.Strata
	bestStrata stats.Strata

	clustered, bestClustered stats.Strata // of these, the cases that stand in clusters
}

func (m *shareMetric) add(passes, judged, missing int, cluster uint64) {
	m.meanMetric.add(share(passes, judged), judged, missing, cluster)
}

// pair takes the same case's passes in the baseline, out of repeats > 0.
func (m *shareMetric) pair(passes, judged, missing, before, repeats int, cluster uint64) {
	if m.strata == nil {
		m.strata, m.bestStrata = stats.Strata{}, stats.Strata{}
		m.clustered, m.bestClustered = stats.Strata{}, stats.Strata{}
	}
	m.meanMetric.pair(share(passes, judged), share(before, repeats), judged, missing, cluster)
	put := func(into, clustered stats.Strata, s stats.Stratum) {
		into[s]++
		if cluster != 0 {
			clustered[s]++
		}
	}
	if judged > 0 {
		put(m.strata, m.clustered, stats.Stratum{A: passes, N: judged, B: before, M: repeats})
	}
	if n := judged + missing; n > 0 {
		put(m.bestStrata, m.bestClustered, stats.Stratum{A: passes + missing, N: n, B: before, M: repeats})
	}
}

func (m *shareMetric) of(best bool) stats.Strata {
	if best {
		return m.bestStrata
	}
	return m.strata
}

// costMetric is the mean cost of a judged result at list price.
type costMetric struct {
	sum     llm.Cost
	started bool
	results int
	cases   int
	missing int

	paired    int
	now, base float64 // sums of the paired cases' means, nano-USD
	unknown   int     // pairs where a side's cost is unknown or no ratio exists
	partial   bool    // a paired case was not judged in full
	keep      bool
	logs      []float64 // log-ratios, where keep is set
	clusters  clusters
}

func (m *costMetric) add(f *caseFold) {
	m.missing += f.missing()
	if f.judged == 0 {
		return
	}
	if !m.started {
		m.sum, m.started = llm.KnownCost(0), true
	}
	m.sum = m.sum.Plus(f.cost)
	m.results += f.judged
	m.cases++
}

func (m *costMetric) pair(f *caseFold, before *llm.Money, cluster uint64) {
	if f.missing() > 0 {
		m.partial = true
	}
	if f.judged == 0 {
		return
	}
	if !f.cost.Known || before == nil {
		m.unknown++
		return
	}
	now := float64(f.cost.Amount) / float64(f.judged)
	m.paired++
	m.now += now
	m.base += float64(*before)
	if !m.keep {
		return
	}
	// The baseline keeps whole nano-USD: the same costs may differ by rounding.
	if math.Abs(now-float64(*before)) <= 0.5 {
		now = float64(*before)
	}
	if log, ok := stats.LogRatio(float64(*before), now); ok {
		if sum := m.clusters.of(cluster); sum != nil {
			sum.places = append(sum.places, int32(len(m.logs)))
		}
		m.logs = append(m.logs, log)
	} else {
		m.unknown++
	}
}

// serviceMetric is what calls took in both arms of a run, by case.
type serviceMetric struct {
	now, base float64   // sums of the paired cases' means, ns
	logs      []float64 // log-ratios
	clusters  clusters
}

// pair takes the same case's mean beside, 0 where it was not asked for now.
func (m *serviceMetric) pair(f *caseFold, before time.Duration, cluster uint64) {
	if f.served == 0 || before <= 0 {
		return
	}
	now := float64(f.service) / float64(f.served)
	if log, ok := stats.LogRatio(float64(before), now); ok {
		if sum := m.clusters.of(cluster); sum != nil {
			sum.places = append(sum.places, int32(len(m.logs)))
		}
		m.now, m.base, m.logs = m.now+now, m.base+float64(before), append(m.logs, log)
	}
}

// value is USD per case × repeat; at best what is missing had been free.
func (m *costMetric) value(best bool) *float64 {
	if m.results == 0 || !m.sum.Known {
		return nil
	}
	n := m.results
	if best {
		n += m.missing
	}
	return ratio(float64(m.sum.Amount)/float64(llm.USD), n)
}

func (m *costMetric) figure() eval.Metric {
	figure := eval.Metric{Name: metricCost, Unit: "USD", Value: m.value(false), N: m.cases}
	if figure.Value == nil && m.results > 0 {
		figure.Note = "unknown: a model without a price answered"
	}
	if m.paired > 0 {
		figure.Baseline = ratio(m.base/float64(llm.USD), m.paired)
		figure.Paired = ratio(m.now/float64(llm.USD), m.paired)
	}
	return figure
}

func share(passes, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(passes) / float64(n)
}

func ratio(sum float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	value := sum / float64(n)
	return &value
}
