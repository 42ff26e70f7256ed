package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// CallFilter selects calls; an empty field selects all.
type CallFilter struct {
	Run     string // an id as Run takes it
	Suite   string
	Case    string
	Prompt  string
	Version string    // of the prompt
	Model   string    // that was asked for, a model or a route, or that one of the attempts went to
	Failed  bool      // only calls that failed
	Since   time.Time // only calls that began then or later
	Limit   int       // at most so many; 0: all
}

// callBatch is how many calls are read at a time, so that a list of any length
// needs little memory.
const callBatch = 256

// Calls streams calls, the newest first, with their turns and attempts but without
// contents: no inputs, messages and answers; Call reads those. Which calls they are
// is settled when it begins. Stopping early is fine. An error ends the stream.
func (s *Store) Calls(ctx context.Context, f CallFilter) iter.Seq2[*llm.Call, error] {
	return func(yield func(*llm.Call, error) bool) {
		numbers, err := s.callNumbers(ctx, f)
		if err != nil {
			yield(nil, err)
			return
		}
		for batch := range slices.Chunk(numbers, callBatch) {
			calls, err := s.callHeads(ctx, batch)
			if err != nil {
				yield(nil, s.failure("read", err))
				return
			}
			for _, n := range batch {
				if call := calls[n]; call != nil && !yield(call, nil) { // nil: pruned since
					return
				}
			}
		}
	}
}

// callNumbers finds the calls that a filter selects.
func (s *Store) callNumbers(ctx context.Context, f CallFilter) ([]int64, error) {
	where, args, err := s.callsWhere(ctx, f)
	if err != nil {
		return nil, err
	}
	limit := f.Limit
	if limit == 0 {
		limit = -1
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT n FROM calls WHERE "+where+" ORDER BY started DESC, n DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, s.failure("read", err)
	}
	numbers, err := numbersOf(rows)
	return numbers, s.failure("read", err)
}

func numbersOf(rows *sql.Rows) (numbers []int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// callsWhere makes the condition of a filter; a run is a range of numbers.
func (s *Store) callsWhere(ctx context.Context, f CallFilter) (string, []any, error) {
	conditions, args := []string{"true"}, []any{}
	add := func(condition string, values ...any) {
		conditions, args = append(conditions, condition), append(args, values...)
	}
	if f.Run != "" {
		run, err := s.findRun(ctx, f.Run)
		if err != nil {
			return "", nil, err
		}
		add("n BETWEEN ? AND ?", firstRow(run), lastRow(run))
	}
	for _, one := range []struct{ column, value string }{
		{"suite", f.Suite}, {`"case"`, f.Case}, {"prompt", f.Prompt}, {"prompt_version", f.Version},
	} {
		if one.value != "" {
			add(one.column+" = ?", one.value)
		}
	}
	if f.Model != "" {
		add("(model = ? OR EXISTS (SELECT 1 FROM attempts WHERE attempts.call = calls.n AND attempts.model = ?))", f.Model, f.Model)
	}
	if f.Failed {
		add("failure IS NOT NULL")
	}
	if !f.Since.IsZero() {
		add("started >= ?", f.Since.UnixNano())
	}
	return strings.Join(conditions, " AND "), args, nil
}

const ofNumbers = " IN (SELECT value FROM json_each(?))"

// callHeads reads some calls without their contents, by number.
func (s *Store) callHeads(ctx context.Context, numbers []int64) (map[int64]*llm.Call, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT "+callHead+", NULL, NULL, 0 FROM calls WHERE n"+ofNumbers, string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	calls := make(map[int64]*llm.Call, len(numbers))
	r := newRecord(callColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		n, call, _ := r.call()
		if r.err != nil {
			return nil, r.err
		}
		calls[n] = call
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := s.turnHeads(ctx, string(list), calls); err != nil {
		return nil, err
	}
	return calls, s.attempts(ctx, "call"+ofNumbers, string(list), func(n int64) []llm.Turn {
		if call := calls[n]; call != nil {
			return call.Turns
		}
		return nil
	})
}

// turnHeads reads the turns of calls into them.
func (s *Store) turnHeads(ctx context.Context, list string, calls map[int64]*llm.Call) error {
	const columns = `call, kind, violation`
	rows, err := s.readers.QueryContext(ctx, "SELECT "+columns+" FROM turns WHERE call"+ofNumbers+" ORDER BY call, n", list)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := newRecord(columns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return err
		}
		if call := calls[r.int64()]; call != nil {
			call.Turns = append(call.Turns, llm.Turn{Kind: r.text(), Violation: r.text()})
		}
	}
	return rows.Err()
}

// CallNames are the names that stored calls have, sorted: what a filter may ask for.
type CallNames struct{ Suites, Prompts, Models []string }

// CallNames finds the names in all stored calls.
func (s *Store) CallNames(ctx context.Context) (names CallNames, err error) {
	for _, one := range []struct {
		into  *[]string
		query string
	}{
		{&names.Suites, "SELECT DISTINCT suite FROM calls WHERE suite IS NOT NULL ORDER BY 1"},
		{&names.Prompts, "SELECT DISTINCT prompt FROM calls WHERE prompt IS NOT NULL ORDER BY 1"},
		{&names.Models, "SELECT model FROM calls WHERE model IS NOT NULL UNION SELECT model FROM attempts WHERE model IS NOT NULL ORDER BY 1"},
	} {
		if *one.into, err = s.texts(ctx, one.query); err != nil {
			return CallNames{}, s.failure("read", err)
		}
	}
	return names, nil
}

// texts reads a query's only column.
func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
