package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/llmx-dev/llmx/internal/fault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a SQLite file as ours: "llmx" in ASCII.
const applicationID = 0x6c6c6d78

// migrations reads the numbered files; the n-th of them makes version n.
func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	scripts := make([]string, len(names))
	for i, name := range names { // Glob sorts
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts[i] = string(text)
	}
	return scripts, nil
}

// querier is a connection, a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// migrate brings the file to the version of the scripts, each in a transaction
// of its own. Another process may be doing the same: the version is read again
// under the lock.
func migrate(ctx context.Context, conn *sql.Conn, name string, scripts []string) error {
	for {
		version, err := versionOf(ctx, conn, name, len(scripts))
		if err != nil || version == len(scripts) {
			return err
		}
		if err := migrateOnce(ctx, conn, name, scripts); err != nil {
			return failureOf(name, "migrate", err)
		}
	}
}

func migrateOnce(ctx context.Context, conn *sql.Conn, name string, scripts []string) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := func() error {
		version, err := versionOf(ctx, conn, name, len(scripts))
		if err != nil || version == len(scripts) {
			return err
		}
		if _, err := conn.ExecContext(ctx, scripts[version]); err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version+1))
		return err
	}()
	if err != nil {
		// The context may be what ended it; the rollback must happen all the same.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// versionOf reads the version of the tables, 0 for an empty file, and refuses
// files that are not ours or too new.
func versionOf(ctx context.Context, db querier, name string, ours int) (int, error) {
	var version, id, tables int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&version, &id, &tables)
	switch {
	case err != nil:
		return 0, failureOf(name, "read", err)
	case id != applicationID && (tables > 0 || version > 0):
		return 0, fault.New(fault.Store, "%s is a database of another program", name).
			WithHint("set store.path in llmx.yaml to a file of its own")
	case version > ours:
		return 0, fault.New(fault.Store, "the store %s has version %d, this llmx knows versions up to %d", name, version, ours).
			WithHint("a newer llmx has written it: update llmx, or set store.path in llmx.yaml to another file")
	}
	return version, nil
}

// checkReadable refuses a file whose tables are not those of this version;
// opening it for writing would migrate it.
func checkReadable(ctx context.Context, db querier, name string) error {
	scripts, err := migrations()
	if err != nil {
		return failureOf(name, "open", err)
	}
	version, err := versionOf(ctx, db, name, len(scripts))
	if err != nil {
		return err
	}
	if version < len(scripts) {
		return fault.New(fault.Store, "the store %s has version %d, this llmx reads version %d", name, version, len(scripts)).
			WithHint("any run of llmx test brings it to this version")
	}
	return nil
}
