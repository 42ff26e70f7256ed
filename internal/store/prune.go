package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
)

const (
	// pruneRows bounds what one transaction removes, so that other writers get in.
	pruneRows = 500
	// vacuumPages bounds what one step gives back to the disk: 8 MB.
	vacuumPages = 2000
	// youngFor protects runs that may be under way, and what they are about to use.
	youngFor = 24 * time.Hour
	// budgetsFor is how long the account of a budget is kept after it last changed: its
	// month is over then.
	budgetsFor = 62 * 24 * time.Hour
)

// PruneRuns removes runs with their results, checks, calls, turns, attempts and feedback:
// those that are not among the newest keepLast and were started before a time
// (zero: whenever). A run that may be under way, begun here or in state Running
// for less than a day, stays. Prompts that nothing names any more, expired
// cache entries and the accounts of budgets that are long over go as well. It returns how many runs it removed, and by
// how many bytes the file has shrunk. When ctx ends it stops between two batches;
// what is left of a run then is removed by the next time.
func (s *Store) PruneRuns(ctx context.Context, keepLast int, before time.Time) (runs int, bytes int64, err error) {
	if err := s.writable(); err != nil {
		return 0, 0, err
	}
	doomed, err := s.doomed(ctx, keepLast, before)
	if err != nil {
		return 0, 0, err
	}
	size, err := s.fileBytes(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, run := range doomed {
		removed, err := s.removeRun(ctx, run)
		if err != nil {
			return runs, 0, err
		}
		if removed {
			runs++
		}
	}
	if err := s.removeOrphans(ctx); err != nil {
		return runs, 0, err
	}
	if err := s.vacuum(ctx); err != nil {
		return runs, 0, err
	}
	left, err := s.fileBytes(ctx)
	return runs, max(0, size-left), err
}

type doomedRun struct {
	n  int64
	id string
}

// doomed finds the runs to remove, the oldest first.
func (s *Store) doomed(ctx context.Context, keepLast int, before time.Time) ([]doomedRun, error) {
	cutoff := before
	if cutoff.IsZero() {
		cutoff = time.Unix(0, 1<<63-1)
	}
	rows, err := s.readers.QueryContext(ctx, `SELECT n, id FROM runs
		WHERE n NOT IN (SELECT n FROM runs ORDER BY started DESC, n DESC LIMIT ?)
		AND coalesce(started, 0) < ? AND NOT (state = ? AND coalesce(started, 0) > ?)
		ORDER BY started, n`,
		max(0, keepLast), cutoff.UnixNano(), string(eval.Running), s.now().Add(-youngFor).UnixNano())
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var doomed []doomedRun
	for rows.Next() {
		var run doomedRun
		if err := rows.Scan(&run.n, &run.id); err != nil {
			return nil, s.failure("read", err)
		}
		doomed = append(doomed, run)
	}
	return doomed, s.failure("read", rows.Err())
}

// removeRun removes the rows of a run batch by batch, and the run last, so that
// what is left after a crash is found again. A run that is being written stays.
func (s *Store) removeRun(ctx context.Context, run doomedRun) (removed bool, err error) {
	first, last := firstRow(run.n), lastRow(run.n)
	for _, sql := range []string{
		"DELETE FROM attempts WHERE (call, turn, n) IN (SELECT call, turn, n FROM attempts WHERE call BETWEEN ?1 AND ?2 LIMIT ?3)",
		"DELETE FROM turns WHERE (call, n) IN (SELECT call, n FROM turns WHERE call BETWEEN ?1 AND ?2 LIMIT ?3)",
		"DELETE FROM feedback WHERE (call, n) IN (SELECT call, n FROM feedback WHERE call BETWEEN ?1 AND ?2 LIMIT ?3)",
		"DELETE FROM calls WHERE n IN (SELECT n FROM calls WHERE n BETWEEN ?1 AND ?2 LIMIT ?3)",
		"DELETE FROM results WHERE id IN (SELECT id FROM results WHERE id BETWEEN ?1 AND ?2 LIMIT ?3)",
	} {
		for more := true; more; {
			n, open, err := s.remove(ctx, run.id, sql, first, last, pruneRows)
			if err != nil || open {
				return false, err
			}
			more = n == pruneRows
		}
	}
	if _, _, err := s.remove(ctx, run.id, "DELETE FROM result_groups WHERE n BETWEEN ? AND ?", firstGroup(run.n), lastGroup(run.n)); err != nil {
		return false, err
	}
	n, _, err := s.remove(ctx, run.id, "DELETE FROM runs WHERE n = ?", run.n)
	return n > 0, err
}

// remove runs one DELETE in a transaction, but for a run that is open here.
func (s *Store) remove(ctx context.Context, run, query string, args ...any) (n int64, open bool, err error) {
	type outcome struct {
		n    int64
		open bool
	}
	told := make(chan outcome, 1)
	err = s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		if s.writer.runs[run] != nil {
			told <- outcome{open: true}
			return nil
		}
		done, err := conn.ExecContext(context.Background(), query, args...)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		told <- outcome{n: n}
		return err
	}})
	if err != nil {
		return 0, false, err
	}
	got := <-told
	return got.n, got.open, nil
}

// removeOrphans removes what was kept for calls and results that are gone. What
// is young may belong to a run that has not written its results yet.
func (s *Store) removeOrphans(ctx context.Context) error {
	now := s.now()
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		for _, one := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM prompts WHERE saved < ? AND hash NOT IN (
				SELECT prompt_hash FROM result_groups WHERE prompt_hash IS NOT NULL
				UNION SELECT prompt_hash FROM calls WHERE prompt_hash IS NOT NULL)`, []any{now.Add(-youngFor).UnixNano()}},
			{`DELETE FROM cache WHERE expires <= ?`, []any{now.UnixNano()}},
			{`DELETE FROM budget_accounts WHERE changed < ?`, []any{now.Add(-budgetsFor).UnixNano()}},
			{`DELETE FROM budget_leases WHERE renewed < ?`, []any{now.Add(-budgetsFor).UnixNano()}},
		} {
			if _, err := conn.ExecContext(context.Background(), one.query, one.args...); err != nil {
				return err
			}
		}
		s.prompts.Clear() // a prompt that is used again is saved again
		return nil
	}})
}

// vacuum gives free pages back to the disk, step by step.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		left := make(chan int64, 1)
		err := s.writer.wait(ctx, work{bare: func(conn *sql.Conn) error {
			ctx := context.Background()
			if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
				return err
			}
			var free int64
			if err := conn.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
				return err
			}
			if free == 0 {
				// Another process that reads keeps the log from being emptied; that is
				// not an error, and reported in a row that nobody needs.
				if _, err := conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
					return err
				}
			}
			left <- free
			return nil
		}})
		if err != nil {
			return err
		}
		if <-left == 0 {
			return nil
		}
	}
}

func (s *Store) fileBytes(ctx context.Context) (int64, error) {
	var bytes int64
	err := s.readers.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes)
	return bytes, s.failure("read", err)
}
