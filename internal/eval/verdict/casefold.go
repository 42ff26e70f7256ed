package verdict

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/llm"
)

// caseFold gathers the repeats of one case.
type caseFold struct {
	c       *eval.Case
	results int

	passes, judged int
	valid          int
	first          int  // repeats whose first answer was valid
	contract       bool // a repeat has a standing under a contract
	repaired       bool // a repeat was put right
	cost           llm.Cost
	scores         map[string]*mean // by metric
	labels         map[string][]stats.Labelled
	bounded        int           // repeats with operational checks
	within         int           // of these, those that keep all of them
	service        time.Duration // of repeats that were asked for now
	served         int           // so many
	digests        uint64        // sum of the judged answers' marks, in any order

	passAnswer, failAnswer string
	passCall, failCall     string
	passTalk, failTalk     *eval.Talk
	passed, failedOnce     bool
	reason                 string // of the first repeat that failed
	failRepeat, passRepeat int
}

// mean is a weighted one: a check without a weight weighs 1.
type mean struct{ sum, weight float64 }

func (m *mean) add(value, weight float64) {
	m.sum += value * weight
	m.weight += weight
}

func (m *mean) value() float64 { return m.sum / m.weight }

func newCaseFold(c *eval.Case) *caseFold { return &caseFold{c: c, cost: llm.KnownCost(0)} }

// missing is how many repeats were not judged.
func (f *caseFold) missing() int { return f.results - f.judged }

func (f *caseFold) add(r *eval.Result) {
	if f.count(r); r.Status.Judged() {
		f.digests += markOf(digestOf(r), r.Finish)
		f.addLabels(r)
		f.addText(r)
	}
}

// count takes of a repeat what sums are made of, and no text.
func (f *caseFold) count(r *eval.Result) {
	f.results++
	if !r.Status.Judged() {
		return
	}
	f.judged++
	if r.Status == eval.Pass {
		f.passes++
	}
	f.cost = f.cost.Plus(r.Cost)
	if r.Valid != eval.NoContract {
		f.contract = true
	}
	if r.Valid == eval.Valid {
		f.valid++
	}
	if cmp.Or(r.FirstTry, r.Valid) == eval.Valid {
		f.first++
	}
	if !r.StoredPart() {
		f.service += r.Service
		f.served++
	}
	if score, ok := r.Repaired(); ok {
		f.score(eval.MetricRepair, score, 1)
		f.repaired = f.repaired || r.Valid == eval.Valid && score < 1
	}
	f.addScores(r)
}

// addText keeps the answers that a flip shows: of the lowest repeat that passed
// and that failed, so that the order of arrival does not matter.
func (f *caseFold) addText(r *eval.Result) {
	if r.Status == eval.Pass {
		if !f.passed || r.Repeat < f.passRepeat {
			f.passed, f.passRepeat, f.passAnswer, f.passCall = true, r.Repeat, r.Transcript(), r.CallID
			f.passTalk = r.Talk()
		}
		return
	}
	if !f.failedOnce || r.Repeat < f.failRepeat {
		f.failedOnce, f.failRepeat, f.failAnswer, f.reason, f.failCall = true, r.Repeat, r.Transcript(), r.Reason(), r.CallID
		f.failTalk = r.Talk()
	}
}

// addScores averages a repeat's scores per metric. A fail that came before any
// scoring (a cut answer, a filter) has nothing to score: it counts as 0, or
// failing would raise the metric.
func (f *caseFold) addScores(r *eval.Result) {
	for i := range r.Scores {
		if metric := r.Scores[i].Metric; metric != "" {
			f.score(metric, r.Scores[i].Value, r.Scores[i].Weighs())
		}
	}
	f.addOperational(r)
	if r.Failure == nil || len(r.Scores) > 0 {
		return
	}
	for check := range f.c.AllChecks() {
		if metric := check.Metric(); metric != "" && !check.Operational() {
			f.score(metric, 0, eval.WeightOf(check))
		}
	}
}

// addOperational counts whether a repeat keeps its bounds on cost, time and
// attempts: they are no part of accuracy, and would go unheard.
func (f *caseFold) addOperational(r *eval.Result) {
	within, bounded := true, false
	for i := range r.Scores {
		if r.Scores[i].Operational {
			bounded, within = true, within && r.Scores[i].Pass
		}
	}
	if bounded {
		f.bounded++
		if within {
			f.within++
		}
	}
}

func (f *caseFold) score(metric string, value, weight float64) {
	if f.scores == nil {
		f.scores = map[string]*mean{}
	}
	m := f.scores[metric]
	if m == nil {
		m = new(mean)
		f.scores[metric] = m
	}
	m.add(value, weight)
}

func digestOf(r *eval.Result) string {
	if r.Digest != "" {
		return r.Digest
	}
	return eval.DigestOf(r.Answer)
}

// markOf spreads an answer's digest over 64 bits, so that sums of marks tell
// bags of answers apart. A length stop is another answer than the same text whole.
func markOf(digest string, finish llm.FinishReason) uint64 {
	n, err := strconv.ParseUint(digest, 16, 64)
	if err != nil {
		for _, b := range []byte(digest) {
			n = n*1099511628211 + uint64(b)
		}
	}
	if finish != "" && finish != llm.FinishStop {
		for _, b := range []byte(finish) {
			n = n*1099511628211 + uint64(b)
		}
	}
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func outOf(passes, n int) string { return fmt.Sprintf("%d/%d", passes, n) }

// finish takes a case whose repeats have all come.
func (t *Tally) finish(f *caseFold) {
	if f.c.Quarantined() {
		t.shut(f)
		return
	}
	missing, cluster := f.missing(), t.clusterOf(f)
	t.accuracy.add(f.passes, f.judged, missing, cluster)
	t.critical.add(f)
	if f.contract || t.hasContract() {
		t.validity.add(f.valid, f.judged, missing, cluster)
		t.firstTry.add(f.first, f.judged, missing, cluster)
	}
	t.askedBack = t.askedBack || f.first != f.valid
	t.repaired = t.repaired || f.repaired
	t.cost.add(f)
	for metric, m := range f.scores {
		t.metric(metric).add(m.value(), f.judged, missing, cluster)
	}
	t.addLabels(f)
	if f.bounded > 0 {
		t.metric(eval.MetricOperational).add(float64(f.within)/float64(f.bounded), f.judged, missing, cluster)
	}
	if f.judged == 0 {
		t.addUnscored(f)
	}
	if f.passes < f.judged {
		t.failedAll++
		t.failed.add(f.asFailed(t.base != nil && t.base.find(f.c) != nil))
	}
	if t.base != nil {
		t.compare(f, cluster)
	}
}

// addUnscored lets a case without any judged repeat count in its metrics' best case.
func (t *Tally) addUnscored(f *caseFold) {
	if t.hasContract() {
		t.metric(eval.MetricRepair).add(0, 0, f.missing(), 0)
	}
	seen := map[string]bool{}
	for check := range f.c.AllChecks() {
		if metric := check.Metric(); metric != "" && !seen[metric] && !check.Operational() {
			seen[metric] = true
			t.metric(metric).add(0, 0, f.missing(), 0)
		}
	}
}

func (t *Tally) hasContract() bool {
	return t.settings.Contract.Binds()
}

func (t *Tally) metric(name string) *meanMetric {
	m := t.named[name]
	if m == nil {
		m = new(meanMetric)
		t.named[name] = m
	}
	return m
}
