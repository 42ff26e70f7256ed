package store

import (
	"context"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

// The words that stand for a run's id.
const (
	Latest         = "latest"
	LatestComplete = "latest complete"
)

// Run finds a run by its id, an unambiguous beginning of it, Latest or
// LatestComplete, with its verdict. An id that is not there is a fault.Usage
// with the nearest ones.
func (s *Store) Run(ctx context.Context, id string) (eval.Run, error) {
	n, err := s.findRun(ctx, id)
	if err != nil {
		return eval.Run{}, err
	}
	r := newRecord(runColumns)
	if err := r.scan(s.readers.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs WHERE n = ?", n)); err != nil {
		return eval.Run{}, s.failure("read", err)
	}
	run := r.run()
	if r.err != nil {
		return eval.Run{}, s.failure("read", r.err)
	}
	run.Verdict, err = s.verdict(ctx, n)
	return run, s.failure("read", err)
}

// findRun gives a run's number.
func (s *Store) findRun(ctx context.Context, id string) (int64, error) {
	const newest = " ORDER BY started DESC, n DESC LIMIT 20"
	switch id {
	case Latest:
		return s.firstRun(ctx, id, "SELECT n, id FROM runs"+newest)
	case LatestComplete:
		return s.firstRun(ctx, id, "SELECT n, id FROM runs WHERE state = ?"+newest, string(eval.Complete))
	}
	numbers, ids, err := s.runIDs(ctx, "SELECT n, id FROM runs WHERE substr(id, 1, length(?1)) = ?1 AND ?1 <> '' ORDER BY id = ?1 DESC, started DESC LIMIT 20", id)
	switch {
	case err != nil:
		return 0, err
	case len(ids) == 1, len(ids) > 1 && ids[0] == id:
		return numbers[0], nil
	case len(ids) > 1:
		return 0, fault.New(fault.Usage, "more than one run begins with %q", id).WithHint("%s", fault.Allowed("", ids))
	}
	_, ids, err = s.runIDs(ctx, "SELECT n, id FROM runs"+newest)
	if err != nil {
		return 0, err
	}
	if len(ids) == 0 {
		return 0, noRuns()
	}
	return 0, fault.New(fault.Usage, "there is no run %q", id).WithHint("%s; llmx runs lists all", fault.Allowed(id, append(ids, Latest)))
}

func (s *Store) firstRun(ctx context.Context, word, query string, args ...any) (int64, error) {
	numbers, _, err := s.runIDs(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	if len(numbers) > 0 {
		return numbers[0], nil
	}
	if word == LatestComplete {
		return 0, fault.New(fault.Usage, "no run is complete yet").WithHint("llmx test makes one")
	}
	return 0, noRuns()
}

func noRuns() error {
	return fault.New(fault.Usage, "no run is stored yet").WithHint("llmx test makes one")
}

func (s *Store) runIDs(ctx context.Context, query string, args ...any) (numbers []int64, ids []string, err error) {
	rows, err := s.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, s.failure("read", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var id string
		if err := rows.Scan(&n, &id); err != nil {
			return nil, nil, s.failure("read", err)
		}
		numbers, ids = append(numbers, n), append(ids, id)
	}
	return numbers, ids, s.failure("read", rows.Err())
}
