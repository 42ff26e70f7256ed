package report

import (
	"cmp"
	"io"
	"iter"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// DiffRuns writes two runs side by side: what flipped, what changed, and the
// metrics. Both results are ranged over once and must be sorted by suite, model,
// case and repeat; only the differences that are listed are held in memory.
func DiffRuns(w io.Writer, a, b eval.Run, resultsA, resultsB iter.Seq2[eval.Result, error], s Style) error {
	d := runDiff{most: s.limit()}
	if err := d.merge(resultsA, resultsB); err != nil {
		return err
	}
	p := newPage(w, s)
	p.diffHeadline(&d)
	p.space()
	p.runLine("A", a, s)
	p.runLine("B", b, s)
	p.diffCounts(&d)
	p.metricsBeside(a, b)
	p.pairs("Worse", bad, d.worse)
	p.pairs("Better", good, d.better)
	p.pairs("Changed, same result", strong, d.changed)
	return p.end()
}

// pair is one case × model × repeat in two runs.
type pair struct{ a, b eval.Result }

// pairs are the first few pairs of a kind, and how many there were.
type pairs struct {
	list []pair
	all  int
}

// runDiff is what differs between two runs.
type runDiff struct {
	most                   int
	same                   int
	worse, better, changed pairs
	asked                  int // another input under the same case id
	unsettled              int // an error, or unjudged, on either side
	onlyA, onlyB           int
}

func (d *runDiff) keep(list *pairs, a, b eval.Result) {
	list.all++
	if len(list.list) < d.most {
		list.list = append(list.list, pair{a, b})
	}
}

// merge walks both streams in step.
func (d *runDiff) merge(resultsA, resultsB iter.Seq2[eval.Result, error]) error {
	// The longer way round (a coroutine switch) is taken by one stream alone.
	next, stop := iter.Pull2(resultsB)
	defer stop()
	b := cursor{next: next}
	if err := b.step(); err != nil {
		return err
	}
	var last eval.Result
	started := false
	for a, err := range resultsA {
		if err != nil {
			return err
		}
		if started && order(last, a) > 0 {
			return errOrder(a)
		}
		last, started = a, true
		for b.ok && order(b.now, a) < 0 {
			d.onlyB++
			if err := b.step(); err != nil {
				return err
			}
		}
		if !b.ok || order(b.now, a) > 0 {
			d.onlyA++
			continue
		}
		d.compare(a, b.now)
		if err := b.step(); err != nil {
			return err
		}
	}
	for b.ok {
		d.onlyB++
		if err := b.step(); err != nil {
			return err
		}
	}
	return nil
}

// cursor is where a pulled stream stands.
type cursor struct {
	next func() (eval.Result, error, bool)
	now  eval.Result
	ok   bool
}

func (c *cursor) step() error {
	before, had := c.now, c.ok
	var err error
	c.now, err, c.ok = c.next()
	if !c.ok {
		return nil
	}
	if err != nil {
		return err
	}
	if had && order(before, c.now) > 0 {
		return errOrder(c.now)
	}
	return nil
}

func order(a, b eval.Result) int {
	return cmp.Or(cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Case, b.Case), cmp.Compare(a.Repeat, b.Repeat))
}

func errOrder(r eval.Result) error {
	return fault.New(fault.Internal, "the results of run %s are not sorted by suite, model, case and repeat: at %s, case %s",
		r.Run, name(r.Suite, r.Model), r.Case)
}

func (d *runDiff) compare(a, b eval.Result) {
	switch {
	case a.InputHash != b.InputHash:
		d.asked++
	case !a.Status.Judged() || !b.Status.Judged():
		d.unsettled++
	case a.Status == eval.Pass && b.Status == eval.Fail:
		d.keep(&d.worse, a, b)
	case a.Status == eval.Fail && b.Status == eval.Pass:
		d.keep(&d.better, a, b)
	case a.Digest != b.Digest:
		d.keep(&d.changed, a, b)
	default:
		d.same++
	}
}
