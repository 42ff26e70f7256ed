package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// callBatch is how many calls are read at a time, so that a list of any length
// needs little memory.
const callBatch = 256

// grepFor bounds how long calls are looked through for a text.
const grepFor = time.Minute

// Calls streams calls, the newest first, with their turns, attempts and feedback but
// without contents: no inputs, messages and answers; Call reads those. Which calls they are
// is settled when it begins. Stopping early is fine. An error ends the stream. A filter
// with Grep looks through contents for at most a minute, and says so then.
func (s *Store) Calls(ctx context.Context, f CallFilter) iter.Seq2[*llm.Call, error] {
	return func(yield func(*llm.Call, error) bool) {
		given := 0
		for batch, err := range s.selected(ctx, f) {
			if err != nil {
				yield(nil, err)
				return
			}
			calls, err := s.callHeads(ctx, batch)
			if err != nil {
				yield(nil, s.failure("read", err))
				return
			}
			for _, n := range batch {
				call := calls[n]
				if call == nil { // pruned since
					continue
				}
				if given++; !yield(call, nil) || given == f.Limit {
					return
				}
			}
		}
	}
}

// selected gives the numbers of the calls that a filter selects, in batches; where it
// looks for a text, of as many calls as have it, past the limit.
func (s *Store) selected(ctx context.Context, f CallFilter) iter.Seq2[[]int64, error] {
	return func(yield func([]int64, error) bool) {
		numbers, err := s.callNumbers(ctx, f)
		if err != nil {
			yield(nil, err)
			return
		}
		end, seen := time.Now().Add(grepFor), 0
		for batch := range slices.Chunk(numbers, callBatch) {
			if f.Grep != "" {
				if time.Now().After(end) {
					yield(nil, tooMuch(seen, len(numbers)))
					return
				}
				seen += len(batch)
				if batch, err = s.onlySaying(ctx, batch, f.Grep); err != nil {
					yield(nil, s.failure("read", err))
					return
				}
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// CallCount counts the calls that a filter selects, outside of runs and in them.
func (s *Store) CallCount(ctx context.Context, f CallFilter) (loose, ofRuns int, err error) {
	for batch, err := range s.selected(ctx, f) {
		if err != nil {
			return 0, 0, err
		}
		for _, n := range batch {
			if n <= lastRow(0) {
				loose++
			} else {
				ofRuns++
			}
		}
	}
	return loose, ofRuns, nil
}

func tooMuch(seen, all int) error {
	return fault.New(fault.Store, "looked through the contents of %d of %d calls for %s, and stopped", seen, all, grepFor).
		WithHint("look through fewer: --since, --until, --prompt, --user, --key, --status")
}

// onlySaying keeps those of some calls that have a text, in their order.
func (s *Store) onlySaying(ctx context.Context, batch []int64, text string) ([]int64, error) {
	found, err := s.saying(ctx, batch, text)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(batch), func(n int64) bool { return !found[n] }), nil
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
	feedback, err := s.feedbackOf(ctx, "call"+ofNumbers, string(list))
	if err != nil {
		return nil, err
	}
	for n, call := range calls {
		call.Feedback = feedback[n]
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
type CallNames struct{ Suites, Prompts, Models, Keys, Users []string }

// maxUsers bounds how many users are named: there are as many as callers say.
const maxUsers = 1000

// CallNames finds the names in all stored calls.
func (s *Store) CallNames(ctx context.Context) (names CallNames, err error) {
	for _, one := range []struct {
		into  *[]string
		query string
	}{
		{&names.Suites, "SELECT DISTINCT suite FROM calls WHERE suite IS NOT NULL ORDER BY 1"},
		{&names.Prompts, "SELECT DISTINCT prompt FROM calls WHERE prompt IS NOT NULL ORDER BY 1"},
		{&names.Models, "SELECT model FROM calls WHERE model IS NOT NULL UNION SELECT model FROM attempts WHERE model IS NOT NULL ORDER BY 1"},
		{&names.Keys, "SELECT key FROM calls WHERE key IS NOT NULL UNION SELECT name FROM keys WHERE id IN (SELECT key FROM calls) ORDER BY 1"},
		{&names.Users, fmt.Sprintf("SELECT DISTINCT user FROM calls WHERE user IS NOT NULL ORDER BY 1 LIMIT %d", maxUsers)},
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
