// Package verdict says what a run amounts to: a Tally counts one group's results
// as they come, Judge puts the gates to the tallies. It imports the words (llm,
// fault, eval) and eval/stats.
package verdict

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/stats"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Settings are what one group is judged by.
type Settings struct {
	Baseline       *eval.Baseline // nil where nothing was accepted; lines of other models are passed over
	Gates          []eval.Gate    // as the suite says; the default is added where accuracy has none
	OnInconclusive eval.OnInconclusive
	MaxErrors      int

	// Clusters are the keys of eval.Case.ClusterKey that more than one case has: such
	// cases are not independent of each other.
	Clusters map[uint64]bool
	// Sight is the suite's by its calibration; nil without one that fits.
	Sight *eval.Sight
	Jobs  int // calls at once, for estimates of time; 0 stands for 1

	// Contract is the prompt's, and Read reads the baseline's answers under it, to
	// score them again. A nil Read is plain text.
	Contract eval.Contract
	Read     eval.Read

	// Against says that the Baseline was asked in this run, side by side with the group:
	// then latency is compared too. Nil for one that was accepted.
	Against *eval.Comparison

	Confirms bool // cases that flip are named, to be asked anew: see Flipped
	Pairs    bool // what came of each case is kept, for a tally that it confirms: see ConfirmBy
}

// Tally counts one group's results. Memory: a few sums, the cases in flight, at
// most 2 × eval.MaxFlips flips and failed cases with their texts, 8 bytes per
// uncached result (latency), and per paired case 1 byte and 8 more for each relative
// gate on cost or a score. It belongs to one goroutine.
type Tally struct {
	group    eval.Group
	settings Settings
	base     *reference // nil without a baseline

	pending map[string]*caseFold // cases whose repeats have not all come

	accuracy   shareMetric
	validity   shareMetric
	firstTry   shareMetric
	askedBack  bool // an answer was not as valid at first as in the end
	named      map[string]*meanMetric
	critical   criticalTally
	quarantine quarantineTally
	look       alertTally
	labels     map[string]*labelTally // by the first part of their metrics' names
	repaired   bool                   // an answer was put right
	cost       costMetric
	pair       pairing
	finished   []time.Duration // of calls made now
	cut        []time.Duration // of calls made now that ran into a timeout
	flips      keeper[eval.Flip]
	flipsDown  int
	flipsUp    int
	failed     keeper[eval.Failed]
	failedAll  int
	classes    map[fault.Class]*eval.ErrorClass
	answered   map[string]int
	draws      drawSpan
	spent      llm.Cost
	paid       llm.Cost
	eval       eval.Eval
	missing    llm.Cost // estimate for the unjudged results
	spend      spendTally
	unwatched  bool          // no alerts: the same cases are judged thousands of times
	took       time.Duration // by all judged results, kept ones as they were
	service    serviceMetric
	flipped    map[string]uint64 // clusters of flipped cases, by id, where Settings.Confirms
	confirmed  *confirmation
	pairs      map[string]stats.Stratum // by case, where Settings.Pairs
	bothFail   int                      // cases that mostly fail in both arms, likewise
	ruled      bool                     // the suite says what an inconclusive gate does
}

// NewTally begins counting. g says who is judged and how many results are
// planned; its counts of judged, errors and unjudged are the tally's to fill.
func NewTally(g eval.Group, s Settings) *Tally {
	g.Judged, g.Errors, g.Unjudged = 0, 0, 0
	ruled := s.OnInconclusive != ""
	if s.OnInconclusive == "" {
		s.OnInconclusive = eval.InconclusiveWorse
	}
	t := &Tally{
		group: g, settings: s, ruled: ruled, flipped: map[string]uint64{}, pairs: map[string]stats.Stratum{},
		base:     newReference(s.Baseline, g.Model),
		pending:  map[string]*caseFold{},
		named:    map[string]*meanMetric{},
		labels:   map[string]*labelTally{},
		flips:    keeper[eval.Flip]{before: flipBefore},
		failed:   keeper[eval.Failed]{before: failedBefore},
		critical: newCriticalTally(), quarantine: newQuarantineTally(), look: newAlertTally(),
		classes:  map[fault.Class]*eval.ErrorClass{},
		answered: map[string]int{},
		spent:    llm.KnownCost(0), paid: llm.KnownCost(0), missing: llm.KnownCost(0),
	}
	t.settings.Gates = withDefault(s.Gates, t.base != nil)
	for _, gate := range t.settings.Gates {
		switch {
		case !gate.Kind.Relative():
		case gate.Metric == metricCost:
			t.cost.keep = true
		case !builtIn(gate.Metric):
			t.metric(gate.Metric).keep = true
		}
	}
	return t
}

// withDefault adds the rule of suites that gate accuracy in no way: all must pass,
// or with a baseline nothing may be lost. Accuracy stands first.
func withDefault(gates []eval.Gate, hasBaseline bool) []eval.Gate {
	out := slices.Clone(gates)
	if !slices.ContainsFunc(gates, func(g eval.Gate) bool { return g.Metric == metricAccuracy }) {
		rule := eval.Gate{Metric: metricAccuracy, Kind: eval.GateMin, Limit: 1, Default: true}
		if hasBaseline {
			rule.Kind, rule.Limit = eval.GateMaxDrop, 0
		}
		out = append(out, rule)
	}
	slices.SortStableFunc(out, func(a, b eval.Gate) int {
		return cmp.Or(rank(a.Metric)-rank(b.Metric), strings.Compare(a.Metric, b.Metric), strings.Compare(string(b.Kind), string(a.Kind)))
	})
	return out
}

// Add takes one result of the group, in any order. It keeps neither argument
// beyond the case's last repeat; texts of flips and failed cases stay.
func (t *Tally) Add(c *eval.Case, r *eval.Result) {
	t.count(c, r)
	fold := t.pending[c.ID]
	if fold == nil {
		fold = newCaseFold(c)
		if c.Repeats > 1 {
			t.pending[c.ID] = fold
		}
	}
	fold.add(r)
	if fold.results >= c.Repeats {
		delete(t.pending, c.ID)
		t.finish(fold)
	}
}

// Counts is the group with the counts of what came so far.
func (t *Tally) Counts() eval.Group { return t.group }

// Beside sums up what came, for a group that was asked beside another.
func (t *Tally) Beside() eval.Beside {
	g := t.group
	return eval.Beside{Planned: g.Planned, Judged: g.Judged, Errors: g.Errors, Unjudged: g.Unjudged, Cost: t.spent, Paid: t.paid, Eval: t.eval}
}

// count takes what does not wait for the other repeats of the case.
func (t *Tally) count(c *eval.Case, r *eval.Result) {
	shut := c.Quarantined()
	if shut {
		t.quarantine.count(r)
	}
	switch {
	case r.Status.Judged():
		t.group.Judged++
		t.spent = t.spent.Plus(r.Cost)
		t.took += r.Service
		if !shut {
			t.spend.add(r)
		}
		t.draws.add(r)
		if r.Answered != "" {
			t.answered[r.Answered]++
		}
		if !r.StoredPart() && !shut {
			t.finished = append(t.finished, r.Service)
		}
	case r.Status == eval.Unjudged:
		t.group.Unjudged++
		t.missing = t.missing.Plus(missingCost(r))
		t.countError(r, shut)
	default:
		t.group.Errors++
		t.countError(r, shut)
	}
	if r.Attempts > 0 {
		t.paid = t.paid.Plus(r.Paid)
	}
	spent := r.Eval
	if r.Status == eval.Unjudged {
		spent.Cost = llm.KnownCost(0) // what asking would cost: see missingCost
	}
	t.eval = t.eval.Plus(spent)
}

// missingCost estimates what asking for an unjudged result would cost: for its answer,
// or where that is there, for the judge's.
func missingCost(r *eval.Result) llm.Cost {
	if r.Digest != "" {
		return r.Eval.Cost
	}
	return r.Cost
}

func (t *Tally) countError(r *eval.Result, shut bool) {
	class, message := fault.Internal, "an error without a record"
	if r.Failure != nil {
		class, message = r.Failure.Class, r.Failure.Message
	}
	seen := t.classes[class]
	if seen == nil {
		seen = &eval.ErrorClass{Class: class, First: message}
		t.classes[class] = seen
	}
	seen.Count++
	seen.Mixed = seen.Mixed || seen.First != message
	seen.First = min(seen.First, message) // not the first to arrive: that differs from run to run
	switch class {
	case fault.TimeoutFirstToken, fault.TimeoutIdle, fault.TimeoutTotal:
		if r.Attempts > 0 && !shut { // one that was still waiting for its turn says nothing of a model
			t.cut = append(t.cut, r.Service)
		}
	}
}

// settle finishes the cases that will get no more results.
func (t *Tally) settle() {
	ids := make([]string, 0, len(t.pending))
	for id := range t.pending {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		t.finish(t.pending[id])
		delete(t.pending, id)
	}
}

// drawSpan says whether the answers are of now, and when the kept ones were given.
type drawSpan struct {
	live, stored int
	cached       int // of stored
	paid         int // of stored: an earlier step of theirs was asked now
	from, to     time.Time
	origins      []string
}

const maxOrigins = 5

func (d *drawSpan) add(r *eval.Result) {
	if r.StoredBy == "" {
		d.live++
		return
	}
	d.stored++
	if !r.Paid.Known || r.Paid.Amount > 0 {
		d.paid++
	}
	if r.StoredBy == "cache" {
		d.cached++
	}
	if r.Origin != "" && len(d.origins) < maxOrigins && !slices.Contains(d.origins, r.Origin) {
		d.origins = append(d.origins, r.Origin)
		slices.Sort(d.origins)
	}
	if r.StoredAt.IsZero() {
		return
	}
	if d.from.IsZero() || r.StoredAt.Before(d.from) {
		d.from = r.StoredAt
	}
	if r.StoredAt.After(d.to) {
		d.to = r.StoredAt
	}
}

func (d *drawSpan) word() string {
	switch {
	case d.live+d.stored == 0:
		return "" // nothing was judged
	case (d.live > 0 || d.paid > 0) && d.stored > 0:
		return "mixed"
	case d.stored > 0 && d.cached == d.stored:
		return "cached"
	case d.stored > 0 && d.cached > 0:
		return "mixed"
	case d.stored > 0:
		return "recorded"
	}
	return "live"
}

// keeper holds the first eval.MaxFlips items of an order, out of any number.
type keeper[T any] struct {
	before func(a, b *T) int
	items  []T
}

func (k *keeper[T]) add(item T) {
	k.items = append(k.items, item)
	if len(k.items) >= 2*eval.MaxFlips {
		k.cut()
	}
}

func (k *keeper[T]) cut() {
	slices.SortFunc(k.items, func(a, b T) int { return k.before(&a, &b) })
	if len(k.items) > eval.MaxFlips {
		clear(k.items[eval.MaxFlips:]) // lets go of the texts
		k.items = k.items[:eval.MaxFlips]
	}
}

// sorted is what is kept, in order; never nil, so that JSON has a list.
func (k *keeper[T]) sorted() []T {
	k.cut()
	return append([]T{}, k.items...)
}

func flipBefore(a, b *eval.Flip) int {
	if a.Worse != b.Worse {
		if a.Worse {
			return -1
		}
		return 1
	}
	return strings.Compare(a.Case, b.Case)
}
