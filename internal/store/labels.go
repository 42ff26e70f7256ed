package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/llmx-dev/llmx/internal/prompt"
)

const overrideColumns = `id, prompt, label, version, percent, before, until, because, by, at, ended, how`

// SetOverride puts a label in force, in place of the one that was, and waits until it is
// written. It gives the override with its number.
func (s *Store) SetOverride(ctx context.Context, o prompt.Override) (prompt.Override, error) {
	if err := s.writable(); err != nil {
		return o, err
	}
	err := s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		if err := endOverride(conn, o.Prompt, o.Label, prompt.EndReplaced, o.At); err != nil {
			return err
		}
		return conn.QueryRowContext(context.Background(), `INSERT INTO label_overrides (prompt, label, version, percent, before, until, because, by, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			o.Prompt, o.Label, o.Version, o.Percent, o.Before, timeValue(o.Until), o.Because, o.By, o.At.UnixNano()).Scan(&o.ID)
	}})
	return o, err
}

// LogOverride writes an override that has ended with its beginning: what was asked for is
// what the files say already. It ends the one that was in force.
func (s *Store) LogOverride(ctx context.Context, o prompt.Override) error {
	if err := s.writable(); err != nil {
		return err
	}
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		if err := endOverride(conn, o.Prompt, o.Label, prompt.EndReplaced, o.At); err != nil {
			return err
		}
		_, err := conn.ExecContext(context.Background(), `INSERT INTO label_overrides (prompt, label, version, percent, before, until, because, by, at, ended, how)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			o.Prompt, o.Label, o.Version, o.Percent, o.Before, timeValue(o.Until), o.Because, o.By, o.At.UnixNano(), o.Ended.UnixNano(), o.How)
		return err
	}})
}

// EndOverride ends one that is in force; ended is false where another process did it first.
func (s *Store) EndOverride(ctx context.Context, id int64, how string, at time.Time) (ended bool, err error) {
	if err := s.writable(); err != nil {
		return false, err
	}
	err = s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		done, err := conn.ExecContext(context.Background(), "UPDATE label_overrides SET ended = ?, how = ? WHERE id = ? AND ended IS NULL", at.UnixNano(), how, id)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		ended = n > 0
		return err
	}})
	return ended, err
}

func endOverride(conn *sql.Conn, name, label, how string, at time.Time) error {
	_, err := conn.ExecContext(context.Background(), "UPDATE label_overrides SET ended = ?, how = ? WHERE prompt = ? AND label = ? AND ended IS NULL",
		at.UnixNano(), how, name, label)
	return err
}

// Overrides reads the labels in force, by prompt and label.
func (s *Store) Overrides(ctx context.Context) ([]prompt.Override, error) {
	return s.overrides(ctx, "WHERE ended IS NULL ORDER BY prompt, label")
}

// HasOverride reports whether an override is known here, ended or not. One of before is
// not where the file is another one.
func (s *Store) HasOverride(ctx context.Context, o prompt.Override) (known bool, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM label_overrides WHERE prompt = ? AND label = ? AND at = ?)", o.Prompt, o.Label, o.At.UnixNano()).Scan(&known)
	return known, s.failure("read", err)
}

// OverrideLog reads the last of all labels that were set on servers, the newest first; of
// one prompt, or of all with "".
func (s *Store) OverrideLog(ctx context.Context, name string, limit int) ([]prompt.Override, error) {
	return s.overrides(ctx, "WHERE ?1 IN ('', prompt) ORDER BY id DESC LIMIT ?2", name, limit)
}

func (s *Store) overrides(ctx context.Context, where string, args ...any) ([]prompt.Override, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+overrideColumns+" FROM label_overrides "+where, args...)
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var all []prompt.Override
	for rows.Next() {
		var o prompt.Override
		var at int64
		var until, ended sql.NullInt64
		var how sql.NullString
		if err := rows.Scan(&o.ID, &o.Prompt, &o.Label, &o.Version, &o.Percent, &o.Before, &until, &o.Because, &o.By, &at, &ended, &how); err != nil {
			return nil, s.failure("read", err)
		}
		o.At, o.Until, o.Ended, o.How = time.Unix(0, at).UTC(), whenOf(until), whenOf(ended), how.String
		all = append(all, o)
	}
	return all, s.failure("read", rows.Err())
}

func whenOf(nanos sql.NullInt64) time.Time {
	if !nanos.Valid {
		return time.Time{}
	}
	return time.Unix(0, nanos.Int64).UTC()
}
