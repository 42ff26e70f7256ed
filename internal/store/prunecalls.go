package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// pruneCalls bounds what one transaction of PruneCalls removes, and pruneApart is
	// what others have for themselves between two of them, or as long as the one took.
	pruneCalls = 100
	pruneApart = 20 * time.Millisecond
)

// oldestCalls has the bound as it stands in the index: else SQLite would not use it.
const oldestCalls = `SELECT n FROM calls WHERE n <= 4294967295 AND started < ? ORDER BY started LIMIT ?`

// PruneCalls removes the calls outside of runs that began before a time, with their
// turns and attempts, the oldest first, and says how many: those of a server and of
// llmx ask. Expired entries of the cache go as well. It is made to run beside the
// writing of a server: it holds the lock for a hundred calls at a time, and pauses
// between. When ctx ends it stops between two batches. The room in the file is used
// again; PruneRuns gives it back to the disk.
func (s *Store) PruneCalls(ctx context.Context, before time.Time) (calls int, err error) {
	if err := s.writable(); err != nil {
		return 0, err
	}
	for {
		begin := time.Now()
		n, err := s.removeCalls(ctx, before)
		calls += n
		if err != nil || n < pruneCalls {
			return calls, err
		}
		select {
		case <-time.After(max(pruneApart, time.Since(begin))):
		case <-ctx.Done():
			return calls, s.writer.gaveUp(ctx)
		}
	}
}

// removeCalls removes one batch.
func (s *Store) removeCalls(ctx context.Context, before time.Time) (removed int, err error) {
	expired := s.now()
	told := make(chan int, 1)
	err = s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		ctx := context.Background()
		rows, err := conn.QueryContext(ctx, oldestCalls, before.UnixNano(), pruneCalls)
		if err != nil {
			return err
		}
		numbers, err := numbersOf(rows)
		if err != nil {
			return err
		}
		for _, query := range []string{"DELETE FROM attempts WHERE call = ?", "DELETE FROM turns WHERE call = ?", "DELETE FROM calls WHERE n = ?"} {
			for _, n := range numbers {
				if _, err := conn.ExecContext(ctx, query, n); err != nil {
					return err
				}
			}
		}
		told <- len(numbers)
		_, err = conn.ExecContext(ctx, "DELETE FROM cache WHERE rowid IN (SELECT rowid FROM cache WHERE expires <= ? ORDER BY expires LIMIT ?)",
			expired.UnixNano(), pruneRows)
		return err
	}})
	if err != nil {
		return 0, err
	}
	return <-told, nil
}
