package store

import (
	"context"
	"fmt"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Spend is what calls have cost that have something in common.
type Spend struct {
	Name   string // what they have in common; "" where it was not told
	Calls  int
	Asked  int // attempts in which a provider was asked
	Stored int // attempts that were answered from what is kept: nothing was paid
	Usage  llm.Usage

	// At the list price, and what was paid. Attempts whose price nobody knows are not
	// in the sums; they are counted beside them.
	Cost, Paid               llm.Money
	CostUnknown, PaidUnknown int
}

// SpendBy says what calls are put together by.
type SpendBy string

// The ways to put calls together.
const (
	ByProject SpendBy = "project" // all of them
	ByPrompt  SpendBy = "prompt"
	ByModel   SpendBy = "model" // the alias that an attempt asked; a call may have asked more than one
	ByDay     SpendBy = "day"   // of UTC, on which a call began
	BySuite   SpendBy = "suite"
	ByRun     SpendBy = "run"
	ByKey     SpendBy = "key" // id of the caller's key
)

var spendNames = map[SpendBy]string{
	ByProject: "''",
	ByPrompt:  "calls.prompt",
	ByModel:   "coalesce(attempts.model, calls.model)",
	ByDay:     "strftime('%Y-%m-%d', calls.started / 1000000000, 'unixepoch')",
	BySuite:   "calls.suite",
	ByRun:     "calls.run",
	ByKey:     "calls.key",
}

// spendFrom has every call, with its attempts but for those in which nobody was
// asked: what those say of cost and tokens is what asking would have come to.
const spendFrom = ` FROM calls LEFT JOIN attempts ON attempts.call = calls.n
	AND NOT attempts.unasked AND coalesce(attempts.failure ->> 'class', '') <> '` + string(fault.Missing) + `'
	WHERE calls.started >= ? AND calls.started < ?`

// SpendFilter selects calls by when they began; a zero time is no bound.
type SpendFilter struct {
	By           SpendBy
	Since, Until time.Time // from Since on, before Until
}

const spendColumns = `calls, asked, stored, input, output, cached, reasoning, estimated, cost, cost_unknown, paid, paid_unknown`

// spendSums are spendColumns.
const spendSums = `count(DISTINCT calls.n),
	count(attempts.call) - count(attempts.stored), count(attempts.stored),
	coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(max(estimated), 0),
	coalesce(sum(cost) FILTER (WHERE cost_known), 0), count(*) FILTER (WHERE NOT cost_known),
	coalesce(sum(paid) FILTER (WHERE paid_known), 0), count(*) FILTER (WHERE NOT paid_known)`

// Spends sums up what the stored calls have cost, and in total all of them: the
// highest paid first, then the highest list price, then by name. Days come in their
// order. Both are read at one time.
func (s *Store) Spends(ctx context.Context, f SpendFilter) (spends []Spend, total Spend, err error) {
	name, ok := spendNames[f.By]
	if !ok {
		return nil, Spend{}, fault.New(fault.Internal, "there is no spend by %q", f.By)
	}
	since, until := int64(0), int64(1<<63-1)
	if !f.Since.IsZero() {
		since = f.Since.UnixNano()
	}
	if !f.Until.IsZero() {
		until = f.Until.UnixNano()
	}
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return nil, Spend{}, s.failure("read", err)
	}
	defer func() { _ = tx.Rollback() }()
	order := "paid DESC, cost DESC, name"
	if f.By == ByDay {
		order = "name"
	}
	spends, err = readSpends(ctx, tx, fmt.Sprintf(`WITH sums (name, %s) AS (SELECT coalesce(%s, '') AS name, %s%s GROUP BY 1) SELECT * FROM sums ORDER BY %s`,
		spendColumns, name, spendSums, spendFrom, order), since, until)
	if err != nil {
		return nil, Spend{}, s.failure("read", err)
	}
	if f.By != ByModel {
		return spends, sumOf(spends), nil // each call stands in one of them
	}
	all, err := readSpends(ctx, tx, "SELECT '', "+spendSums+spendFrom, since, until)
	if err != nil {
		return nil, Spend{}, s.failure("read", err)
	}
	return spends, all[0], nil
}

func readSpends(ctx context.Context, db rowsQuerier, query string, args ...any) ([]Spend, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var spends []Spend
	r := newRecord("name, " + spendColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		spends = append(spends, Spend{
			Name: r.text(), Calls: r.int(), Asked: r.int(), Stored: r.int(), Usage: r.usage(),
			Cost: llm.Money(r.int64()), CostUnknown: r.int(), Paid: llm.Money(r.int64()), PaidUnknown: r.int(),
		})
	}
	return spends, rows.Err()
}

func sumOf(spends []Spend) (sum Spend) {
	for _, s := range spends {
		sum.Calls, sum.Asked, sum.Stored = sum.Calls+s.Calls, sum.Asked+s.Asked, sum.Stored+s.Stored
		sum.Usage = sum.Usage.Plus(s.Usage)
		sum.Cost, sum.CostUnknown = sum.Cost+s.Cost, sum.CostUnknown+s.CostUnknown
		sum.Paid, sum.PaidUnknown = sum.Paid+s.Paid, sum.PaidUnknown+s.PaidUnknown
	}
	return sum
}
