package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
)

const (
	// purgeCalls bounds what one transaction removes.
	purgeCalls = 200
	// rewriteUpTo is how large a file is rewritten whole without being asked to, in
	// bytes: other processes wait meanwhile, and they wait for a few seconds only.
	rewriteUpTo = 128 << 20
)

// Purged says what a purge has removed.
type Purged struct {
	Calls     int
	Cached    int   // answers in the cache that were theirs
	Bytes     int64 // by which the file is smaller
	Rewritten bool  // the whole file, so that no copy of what was removed is left in it
	Emptied   bool  // likewise its log; false where another process reads it just then
}

// PurgeCalls removes the calls that a filter selects with their turns, attempts and
// feedback, and what was kept for them alone: their answers in the cache, and the
// options and tools that no other call has. Calls of runs stay, whatever the filter says:
// they go with their run. What is removed is overwritten in the file; one of up to
// 128 MB, or any where rewrite is set, is rewritten whole, and its log emptied. Prompts
// stay, and so does what budgets have counted. When ctx ends it stops between two
// batches.
func (s *Store) PurgeCalls(ctx context.Context, f CallFilter, rewrite bool) (p Purged, err error) {
	if err := s.writable(); err != nil {
		return p, err
	}
	size, err := s.fileBytes(ctx)
	if err != nil {
		return p, err
	}
	f.Loose = true
	if p, err = s.removeCalls(ctx, f); err != nil || p.Calls == 0 && !rewrite {
		return p, err
	}
	err = s.settle(ctx, &p, size, rewrite || size <= rewriteUpTo)
	return p, err
}

// Rewrite writes the whole file anew and empties its log, so that nothing is left in
// them of what was removed before.
func (s *Store) Rewrite(ctx context.Context) (p Purged, err error) {
	if err := s.writable(); err != nil {
		return p, err
	}
	size, err := s.fileBytes(ctx)
	if err != nil {
		return p, err
	}
	err = s.settle(ctx, &p, size, true)
	return p, err
}

// settle gives the room of what was removed back, which was in a file of so many bytes.
func (s *Store) settle(ctx context.Context, p *Purged, size int64, rewrite bool) error {
	var err error
	if rewrite {
		err = s.writer.wait(ctx, work{bare: func(conn *sql.Conn) error {
			_, err := conn.ExecContext(context.Background(), "VACUUM")
			return err
		}})
		p.Rewritten = err == nil
	} else {
		err = s.vacuum(ctx)
	}
	if err != nil {
		return err
	}
	if p.Emptied, err = s.emptyLog(ctx); err != nil {
		return err
	}
	left, err := s.fileBytes(ctx)
	p.Bytes = max(0, size-left)
	return err
}

// removeCalls removes the calls that a filter selects, batch by batch.
func (s *Store) removeCalls(ctx context.Context, f CallFilter) (p Purged, err error) {
	ids, err := s.callIDs(ctx, f)
	if err != nil || len(ids) == 0 {
		return p, err
	}
	shapes := map[string]bool{}
	for batch := range slices.Chunk(ids, purgeCalls) {
		list, err := json.Marshal(batch)
		if err != nil {
			return p, err
		}
		if err := s.writer.wait(ctx, work{do: func(conn *sql.Conn) error { return removeBatch(conn, string(list), shapes, &p) }}); err != nil {
			return p, err
		}
	}
	list, err := json.Marshal(sortedKeys(shapes))
	if err != nil {
		return p, err
	}
	return p, s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		clear(s.writer.shapes) // what is used again is kept again
		_, err := conn.ExecContext(context.Background(),
			"DELETE FROM shapes WHERE hash"+ofNumbers+" AND hash NOT IN (SELECT shape FROM turns WHERE shape IS NOT NULL)", string(list))
		return err
	}})
}

func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// callIDs finds the ids of the calls that a filter selects. Numbers are given anew once
// their calls are gone, and ids are not.
func (s *Store) callIDs(ctx context.Context, f CallFilter) ([]string, error) {
	var ids []string
	for batch, err := range s.selected(ctx, f) {
		if err != nil {
			return nil, err
		}
		list, err := json.Marshal(batch)
		if err != nil {
			return nil, err
		}
		some, err := s.texts(ctx, "SELECT id FROM calls WHERE n"+ofNumbers, string(list))
		if err != nil {
			return nil, s.failure("read", err)
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

// removeBatch removes calls by their ids, and adds up what went and which shapes were
// theirs. What goes is overwritten with zeroes.
func removeBatch(conn *sql.Conn, ids string, shapes map[string]bool, p *Purged) error {
	const those = "(SELECT n FROM calls WHERE id" + ofNumbers + ")"
	ctx := context.Background() // as for every batch
	if _, err := conn.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, "SELECT DISTINCT shape FROM turns WHERE shape IS NOT NULL AND call IN "+those, ids)
	if err != nil {
		return err
	}
	for rows.Next() {
		var shape string
		if err := rows.Scan(&shape); err != nil {
			rows.Close()
			return err
		}
		shapes[shape] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, one := range []struct {
		query string
		count *int
	}{
		// Short answers are given to many: the provider's id tells whose one is, where there is an id.
		{"DELETE FROM cache WHERE (body IN (SELECT answer FROM turns WHERE answer IS NOT NULL AND call IN " + those +
			") OR tool_calls IN (SELECT tool_calls FROM turns WHERE tool_calls IS NOT NULL AND call IN " + those +
			")) AND (response_id IS NULL OR response_id IN (SELECT response_id FROM attempts WHERE call IN " + those + "))", &p.Cached},
		{"DELETE FROM attempts WHERE call IN " + those, nil},
		{"DELETE FROM turns WHERE call IN " + those, nil},
		{"DELETE FROM feedback WHERE call IN " + those, nil},
		{"DELETE FROM calls WHERE id" + ofNumbers, &p.Calls},
	} {
		args := []any{ids}
		if one.count == &p.Cached {
			args = append(args, ids, ids)
		}
		done, err := conn.ExecContext(ctx, one.query, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err == nil && one.count != nil {
			*one.count += int(n)
		}
	}
	return nil
}

// emptyLog folds the log into the file and cuts it off, and reports whether that could
// be done: another process that reads an older state keeps it.
func (s *Store) emptyLog(ctx context.Context) (emptied bool, err error) {
	told := make(chan bool, 1)
	err = s.writer.wait(ctx, work{bare: func(conn *sql.Conn) error {
		var busy, pages, done int64
		err := conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done)
		told <- busy == 0
		return err
	}})
	if err != nil {
		return false, err
	}
	return <-told, nil
}
