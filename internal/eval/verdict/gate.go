package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
)

// trial is one gate on its way to a word.
type trial struct {
	eval.GateResult
	blocks bool // without this figure there is no verdict

	// Of a relative gate that is tested; loss, bound and margin are in one unit,
	// positive for worse.
	tested              bool
	worse, better       float64 // one-sided p of each direction
	adjWorse, adjBetter float64 // after Holm
	loss, bound, margin float64
	observed            float64 // what decides "worse" where nothing is significant
	moves               stats.Differences
	noise               noise
	anew                bool                  // tested by answers asked for anew, and the suite rules nothing else
	settle              func(r *trial) string // what would, and fills r.Settle

	// Where answers are missing that were to confirm it: the gate at best and at worst.
	extremes []trial
	lacks    string // how many, in words
}

// try puts one gate to the tally's figures: those of now, or those of the best
// case, in which every result that was not judged had passed.
func (t *Tally) try(gate eval.Gate, best bool) trial {
	out := trial{GateResult: eval.GateResult{Gate: gate}}
	if !gate.Kind.Relative() {
		t.tryAbsolute(&out, best)
		return out
	}
	switch {
	case t.settings.Against != nil && t.besideMissing() != "":
		out.block("the comparison is not whole: %s", t.besideMissing())
	case (gate.Metric == metricP50 || gate.Metric == metricP95) && t.settings.Against != nil && t.base != nil:
		t.riseOfLatency(&out, best)
	case gate.Metric == metricP50 || gate.Metric == metricP95:
		t.adviseLatency(&out)
	case t.base == nil:
		out.open("no baseline yet for the model %s: llmx baseline accept makes one", t.group.Model)
	case t.allShut():
		out.open(allInQuarantine)
	case gate.Kind == eval.GateMaxDrop && gate.Metric == metricAccuracy && t.confirmed != nil:
		t.dropOfConfirmed(&out, best)
	case gate.Kind == eval.GateMaxDrop && gate.Metric == metricAccuracy:
		t.dropOfShares(&out, &t.accuracy, best)
	case gate.Kind == eval.GateMaxDrop && gate.Metric == metricValidity:
		t.dropOfShares(&out, &t.validity, best)
	case gate.Kind == eval.GateMaxDrop && gate.Metric == metricFirstTry:
		t.dropOfShares(&out, &t.firstTry, best)
	case gate.Kind == eval.GateMaxRise && gate.Metric == metricCost:
		t.riseOfCost(&out, &t.cost, best)
	case !builtIn(gate.Metric):
		t.moveOfScores(&out, t.metric(gate.Metric), best)
	default:
		out.block("%s does not apply to %s", gate.Kind, gate.Metric)
	}
	return out
}

// open leaves the gate without a word; it holds nobody up.
func (r *trial) open(format string, args ...any) {
	r.Word, r.Pass, r.Note = eval.NotGated, true, fmt.Sprintf(format, args...)
}

// block leaves the gate without a word, and the run without a verdict.
func (r *trial) block(format string, args ...any) {
	r.open(format, args...)
	r.Pass, r.blocks = false, true
}

// tryAbsolute compares a figure of this run with its specification.
func (t *Tally) tryAbsolute(out *trial, best bool) {
	switch out.Metric {
	case metricP50, metricP95:
		t.tryLatency(out, best)
		return
	case eval.MetricCritical:
		t.tryCritical(out, best)
		return
	case metricAccuracy:
		out.Value, out.N = t.accuracy.value(best), t.accuracy.cases
	case metricValidity:
		out.Value, out.N = t.validity.value(best), t.validity.cases
	case metricFirstTry:
		out.Value, out.N = t.firstTry.value(best), t.firstTry.cases
	case metricCost:
		out.Value, out.N = t.cost.value(best), t.cost.cases
	default:
		if t.tryLabels(out, best) {
			return
		}
		m := t.metric(out.Metric)
		out.Value, out.N = m.value(best), m.cases
	}
	if out.Value == nil {
		out.block("%s is unknown: %s", out.Metric, t.whyUnknown(out.Metric))
		return
	}
	out.specify(*out.Value)
}

const allInQuarantine = "all cases that were judged are in quarantine, and are in no gate"

// whyUnknown says why a metric has no value.
func (t *Tally) whyUnknown(metric string) string {
	switch {
	case t.group.Judged == 0:
		return "no result was judged"
	case t.allShut():
		return allInQuarantine
	case metric == metricCost:
		return "a model without a price answered; give it a price in llmx.yaml"
	case metric == metricValidity || metric == metricFirstTry || metric == eval.MetricRepair:
		return "the prompt has no output contract"
	}
	return "no check gives this metric"
}

// slack lets a mean that equals its limit but for rounding meet it.
const slack = 1e-9

func (r *trial) specify(value float64) {
	within := value >= r.Limit*(1-slack)
	if r.Kind == eval.GateMax {
		within = value <= r.Limit*(1+slack)
	}
	r.Word, r.Pass = eval.Missed, within
	if within {
		r.Word = eval.Met
	}
}

// latency is a quantile over the calls that were made now. At best what was not
// judged took no time at all.
func (t *Tally) latency(metric string, best bool) (l stats.Latency, needed int) {
	quantile := 0.95
	if metric == metricP50 {
		quantile = 0.5
	}
	finished, cut := t.finished, t.cut
	if best {
		missing := t.group.Errors + t.group.Unjudged
		finished, cut = append(slices.Clone(finished), make([]time.Duration, missing)...), nil
	}
	return stats.LatencyQuantile(finished, cut, quantile), stats.QuantileMinN(quantile, confidence)
}

func (t *Tally) tryLatency(out *trial, best bool) {
	l, needed := t.latency(out.Metric, best)
	out.N = l.N
	if l.N < needed {
		out.open("%s needs %d calls made now, there are %d: stored answers say nothing about the latency of now", out.Metric, needed, l.N)
		return
	}
	seconds := l.Value.Seconds()
	out.Value = &seconds
	if !l.AtLeast {
		out.specify(seconds)
		return
	}
	note := fmt.Sprintf("at least: the quantile is a call that ran into a timeout (%d of %d did)", len(t.cut), l.N)
	if out.Kind == eval.GateMax && seconds <= out.Limit {
		out.open("%s, so whether it keeps the limit cannot be told", note)
		return
	}
	out.specify(seconds)
	out.Note = note
}

// adviseLatency compares with the baseline's quantile, and judges nothing: the
// calls were not made side by side.
func (t *Tally) adviseLatency(out *trial) {
	out.open("advisory: latency is compared only where both sides ran interleaved")
	l, _ := t.latency(out.Metric, false)
	out.N = l.N
	if l.N > 0 {
		seconds := l.Value.Seconds()
		out.Value = &seconds
	}
	out.Baseline = t.baseLatency(out.Metric)
}

// baseLatency is the baseline's quantile in seconds, nil where it has none.
func (t *Tally) baseLatency(metric string) *float64 {
	if t.base == nil {
		return nil
	}
	d := t.base.header.LatencyP95
	if metric == metricP50 {
		d = t.base.header.LatencyP50
	}
	if d == 0 {
		return nil
	}
	seconds := d.Seconds()
	return &seconds
}
