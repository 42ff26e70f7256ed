package store

import (
	"context"
	"database/sql/driver"
	"errors"
)

// inserts are the prepared statements of the rows that come by the thousand.
// They go to the driver past database/sql, which would cost as much again.
type inserts struct {
	ready                                                                                  bool
	result, group, call, turn, attempt, shape, prompt, cached, expired, lastLoose, version *statement
}

func (in *inserts) prepare(conn driver.Conn) error {
	if in.ready {
		return nil
	}
	for _, one := range []struct {
		into **statement
		text string
	}{
		// A result that a resumed run has again replaces the one before.
		{&in.result, insertInto("INSERT OR REPLACE", "results", resultColumns)},
		{&in.group, insertInto("INSERT", "result_groups", groupColumns)},
		{&in.call, insertInto("INSERT", "calls", callColumns)},
		{&in.turn, insertInto("INSERT", "turns", turnColumns)},
		{&in.attempt, insertInto("INSERT", "attempts", attemptColumns)},
		{&in.shape, insertInto("INSERT OR IGNORE", "shapes", shapeColumns)},
		{&in.prompt, insertInto("INSERT OR IGNORE", "prompts", promptColumns)},
		{&in.cached, insertInto("INSERT OR REPLACE", "cache", cacheColumns)},
		{&in.expired, "DELETE FROM cache WHERE rowid IN (SELECT rowid FROM cache WHERE expires <= ? ORDER BY expires LIMIT ?)"},
		{&in.lastLoose, "SELECT coalesce(max(n), 0) FROM calls WHERE n <= ?"},
		{&in.version, "PRAGMA data_version"},
	} {
		made, err := prepare(conn, one.text)
		if err != nil {
			return errors.Join(err, in.close())
		}
		*one.into = made
	}
	in.ready = true
	return nil
}

func (in *inserts) close() error {
	var errs []error
	for _, s := range []*statement{in.result, in.group, in.call, in.turn, in.attempt, in.shape, in.prompt, in.cached, in.expired, in.lastLoose, in.version} {
		if s != nil {
			errs = append(errs, s.prepared.Close())
		}
	}
	*in = inserts{}
	return errors.Join(errs...)
}

// statement is a prepared statement with room for its arguments.
type statement struct {
	prepared driver.Stmt
	args     []driver.NamedValue
}

func prepare(conn driver.Conn, text string) (*statement, error) {
	prepared, err := conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	return &statement{prepared: prepared}, nil
}

// bind puts the values where the driver expects them. They are int64, float64,
// string, []byte or nil.
func (s *statement) bind(values []driver.Value) []driver.NamedValue {
	for len(s.args) < len(values) {
		s.args = append(s.args, driver.NamedValue{Ordinal: len(s.args) + 1})
	}
	for i, value := range values {
		s.args[i].Value = value
	}
	return s.args
}

func (s *statement) exec(values ...driver.Value) error {
	_, err := s.prepared.(driver.StmtExecContext).ExecContext(context.Background(), s.bind(values))
	return err
}

// int64 runs a query for one number.
func (s *statement) int64(values ...driver.Value) (int64, error) {
	rows, err := s.prepared.(driver.StmtQueryContext).QueryContext(context.Background(), s.bind(values))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	n, _ := row[0].(int64)
	return n, nil
}
