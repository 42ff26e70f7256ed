package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"os"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
)

const runColumns = `id, started, ended, state, command, replies, version, filtered, word, exit, failure, spent, spent_known, warnings, plan, selection`

// BeginRun keeps a run before its first result; when it returns nil, the run
// stands in the file. A run that is there already goes on, unless it is complete and lacks
// nothing: its results stay, one that is added again replaces the one before, and what was
// its verdict is none any more.
func (s *Store) BeginRun(ctx context.Context, run eval.Run) error {
	if err := s.writable(); err != nil {
		return err
	}
	if s.writer.serving != nil { // it drops what does not fit: no run is whole there
		return fault.New(fault.Internal, "the store %s is open to serve, and takes no run", s.name)
	}
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error { return s.writer.beginRun(conn, run) }})
}

// EndRun writes all that is queued and then the run's end, in one step: a run is
// complete only if all its results are in.
func (s *Store) EndRun(ctx context.Context, run eval.Run) error {
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.stillThere(); err != nil {
		return err
	}
	if s.content == ContentNone {
		run.Verdict = withoutContent(run.Verdict)
	}
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error { return s.writer.endRun(conn, run) }})
}

// stillThere refuses to end a run in a file that nobody will find: SQLite goes on
// writing into one that was removed or replaced.
func (s *Store) stillThere() error {
	if now, err := os.Stat(s.path); err == nil && os.SameFile(now, s.file) {
		return nil
	}
	return fault.New(fault.Store, "the store %s was removed or replaced during the run: the run is lost", s.name).
		WithHint("run it again")
}

// Flush waits until all that is queued is written.
func (s *Store) Flush(ctx context.Context) error {
	if err := s.writable(); err != nil {
		return err
	}
	return s.writer.wait(ctx, work{})
}

// Failed is the first write error; nil while all that was handed over is, or will be,
// written.
func (s *Store) Failed() error {
	if err := s.writable(); err != nil {
		return err
	}
	return s.writer.err()
}

func (s *Store) writable() error {
	if s.writer == nil {
		return fault.New(fault.Store, "the store %s is open for reading only", s.name)
	}
	return nil
}

func (w *writer) beginRun(conn *sql.Conn, run eval.Run) error {
	ctx := context.Background()
	open := &openRun{}
	var state string
	var verdict []byte
	err := conn.QueryRowContext(ctx, "SELECT n, state, verdict FROM runs WHERE id = ?", run.ID).Scan(&open.n, &state, &verdict)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		// A new one.
	case err != nil:
		return err
	case eval.RunState(state) == eval.Complete && !lacks(verdict):
		return fault.New(fault.Usage, "run %s is complete", run.ID).WithHint("start a new run")
	}
	values, err := runValues(run)
	if err != nil {
		return err
	}
	if open.n == 0 {
		added, err := conn.ExecContext(ctx, insertInto("INSERT", "runs", runColumns), values...)
		if err != nil {
			return err
		}
		if open.n, err = added.LastInsertId(); err != nil {
			return err
		}
	} else if err := reopenRun(ctx, conn, open.n, values); err != nil {
		return err
	}
	if err := open.load(ctx, conn); err != nil {
		return err
	}
	w.runs[run.ID] = open
	return nil
}

func (w *writer) endRun(conn *sql.Conn, run eval.Run) error {
	ctx := context.Background()
	open := w.runs[run.ID]
	if open == nil {
		return notBegun(run.ID)
	}
	values, err := runValues(run)
	if err != nil {
		return err
	}
	if err := updateRun(ctx, conn, open.n, values); err != nil {
		return err
	}
	var verdict driver.Value
	if run.Verdict != nil {
		if verdict, err = jsonValue(run.Verdict); err != nil {
			return err
		}
	}
	if _, err = conn.ExecContext(ctx, "UPDATE runs SET verdict = ? WHERE n = ?", verdict, open.n); err != nil {
		return err
	}
	delete(w.runs, run.ID)
	return nil
}

// lacks reports a verdict over answers of which some were not judged.
func lacks(verdict []byte) bool {
	var v eval.Verdict
	return json.Unmarshal(verdict, &v) == nil && v.Missing() > 0
}

func reopenRun(ctx context.Context, conn *sql.Conn, n int64, values []any) error {
	if _, err := conn.ExecContext(ctx, "UPDATE runs SET verdict = NULL WHERE n = ?", n); err != nil {
		return err
	}
	return updateRun(ctx, conn, n, values)
}

func updateRun(ctx context.Context, conn *sql.Conn, n int64, values []any) error {
	_, err := conn.ExecContext(ctx, "UPDATE runs SET ("+runColumns+") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE n = ?",
		append(values, n)...)
	return err
}

func notBegun(id string) error {
	return fault.New(fault.Internal, "run %q was not begun in this store", id)
}

func runValues(run eval.Run) ([]any, error) {
	failure, err := failureValue(run.Failure)
	if err != nil {
		return nil, err
	}
	warnings, err := listValue(run.Warnings)
	if err != nil {
		return nil, err
	}
	var plan driver.Value
	if len(run.Groups) > 0 {
		if plan, err = jsonValue(run.Groups); err != nil {
			return nil, err
		}
	}
	selection, err := jsonValue(run.Selection)
	if err != nil {
		return nil, err
	}
	return []any{
		run.ID, timeValue(run.Started), timeValue(run.Ended), string(run.State), textValue(run.Command),
		textValue(run.Replies), textValue(run.Version), boolValue(run.Filtered), textValue(string(run.Word)),
		int64(run.Exit), failure, int64(run.Spent.Amount), boolValue(run.Spent.Known), warnings, plan,
		selection,
	}, nil
}

// run reads runColumns.
func (r *record) run() eval.Run {
	run := eval.Run{
		ID: r.text(), Started: r.time(), Ended: r.time(), State: eval.RunState(r.text()), Command: r.text(),
		Replies: r.text(), Version: r.text(), Filtered: r.bool(), Word: eval.Word(r.text()),
		Exit: r.int(), Failure: r.failure(), Spent: r.cost(),
	}
	r.json(&run.Warnings)
	r.json(&run.Groups)
	r.json(&run.Selection)
	return run
}

// Runs lists the newest runs first, at most limit of them (0: all). They come
// without their verdicts; Run reads those. A run in state Running is under way,
// or its process died.
func (s *Store) Runs(ctx context.Context, limit int) ([]eval.Run, error) {
	if limit <= 0 {
		limit = -1
	}
	rows, err := s.readers.QueryContext(ctx, "SELECT "+runColumns+" FROM runs ORDER BY started DESC, n DESC LIMIT ?", limit)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var runs []eval.Run
	r := newRecord(runColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, s.failure("read", err)
		}
		runs = append(runs, r.run())
		if r.err != nil {
			return nil, s.failure("read", r.err)
		}
	}
	return runs, s.failure("read", rows.Err())
}

// verdict reads the rest of a run.
func (s *Store) verdict(ctx context.Context, n int64) (*eval.Verdict, error) {
	var text sql.NullString
	if err := s.readers.QueryRowContext(ctx, "SELECT verdict FROM runs WHERE n = ?", n).Scan(&text); err != nil {
		return nil, err
	}
	if !text.Valid {
		return nil, nil
	}
	verdict := new(eval.Verdict)
	return verdict, json.Unmarshal([]byte(text.String), verdict)
}
