package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Outcome is what became of a result, as far as two runs are compared by it.
type Outcome struct {
	Status       eval.Status
	Digest       string
	Answer       string
	InputHash    string
	CriteriaHash string
	Cost         llm.Cost
}

// Pair is one case × model × repeat in two runs; A or B is nil where only the
// other run has it. The outcomes are valid until the next pair.
type Pair struct {
	Suite, Model, Case string
	Repeat             int
	A, B               *Outcome
}

// Same reports whether both runs have the same answer with the same status.
func (p Pair) Same() bool {
	return p.A != nil && p.B != nil && p.A.Status == p.B.Status && p.A.Digest == p.B.Digest
}

// Diff streams two runs side by side (ids as Run takes them), in the order of
// suite, model, case and repeat; they are never all in memory.
func (s *Store) Diff(ctx context.Context, a, b string) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		fail := func(err error) { yield(Pair{}, s.failure("read", err)) }
		left, err := s.openSide(ctx, a)
		if err != nil {
			fail(err)
			return
		}
		defer left.close()
		right, err := s.openSide(ctx, b)
		if err != nil {
			fail(err)
			return
		}
		defer right.close()
		if err := merge(left, right, yield); err != nil {
			fail(err)
		}
	}
}

// merge joins two sorted sides; it returns nil when the consumer stops.
func merge(left, right *side, yield func(Pair, error) bool) error {
	for _, one := range []*side{left, right} {
		if err := one.advance(); err != nil {
			return err
		}
	}
	for !left.over || !right.over {
		order := left.compare(right)
		var pair Pair
		if order <= 0 {
			pair = left.pair
			pair.A = &left.outcome
		} else {
			pair = right.pair
		}
		if order >= 0 {
			pair.B = &right.outcome
		}
		if !yield(pair, nil) {
			return nil
		}
		if order <= 0 {
			if err := left.advance(); err != nil {
				return err
			}
		}
		if order >= 0 {
			if err := right.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

const outcomeColumns = `"case", repeat, status, digest, answer, input_hash, criteria_hash, cost, cost_known`

// side is one run on its way through its results.
type side struct {
	store   *Store
	ctx     context.Context
	arms    []arm // those to come
	rows    *sql.Rows
	record  *record
	pair    Pair // the keys of the current result
	outcome Outcome
	over    bool
}

func (s *Store) openSide(ctx context.Context, run string) (*side, error) {
	set, err := s.resultSet(ctx, run)
	if err != nil {
		return nil, err
	}
	return &side{store: s, ctx: ctx, arms: set.arms(ResultFilter{}), record: newRecord(outcomeColumns)}, nil
}

// advance moves to the next result, or sets over.
func (d *side) advance() error {
	for d.rows == nil || !d.rows.Next() {
		if d.rows != nil {
			if err := d.rows.Err(); err != nil {
				return err
			}
			d.close()
		}
		if len(d.arms) == 0 {
			d.over = true
			return nil
		}
		next := d.arms[0]
		d.arms = d.arms[1:]
		rows, err := d.store.armRows(d.ctx, outcomeColumns, next, ResultFilter{})
		if err != nil {
			return err
		}
		d.rows, d.pair = rows, Pair{Suite: next.suite, Model: next.model}
	}
	if err := d.record.scan(d.rows); err != nil {
		return err
	}
	r := d.record
	d.pair.Case, d.pair.Repeat = r.text(), r.int()
	d.outcome = Outcome{
		Status: eval.Status(r.text()), Digest: r.text(), Answer: r.text(),
		InputHash: r.text(), CriteriaHash: r.text(), Cost: r.cost(),
	}
	return nil
}

// compare orders the current results; a side that is over comes last.
func (d *side) compare(e *side) int {
	switch {
	case d.over:
		return 1
	case e.over:
		return -1
	}
	return cmp.Or(strings.Compare(d.pair.Suite, e.pair.Suite), strings.Compare(d.pair.Model, e.pair.Model),
		strings.Compare(d.pair.Case, e.pair.Case), d.pair.Repeat-e.pair.Repeat)
}

func (d *side) close() {
	if d.rows != nil {
		d.rows.Close() // its error was seen by Err, or nobody reads on
		d.rows = nil
	}
}
