package store

import (
	"path/filepath"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestMigrateOneByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	conn := foreign(t, path)
	scripts := []string{
		"CREATE TABLE t (a); INSERT INTO t VALUES (1);",
		"ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1;",
		"CREATE TABLE u (c); INSERT INTO nowhere VALUES (1);", // fails half-way
	}
	version := func() (n int) {
		if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := migrate(ctx, conn, "llmx.db", scripts[:1]); err != nil || version() != 1 {
		t.Fatalf("version %d, %v", version(), err)
	}
	if err := migrate(ctx, conn, "llmx.db", scripts[:2]); err != nil || version() != 2 {
		t.Fatalf("version %d, %v", version(), err)
	}
	for range 2 { // again: the transaction was ended
		wantFault(t, migrate(ctx, conn, "llmx.db", scripts), fault.Store, "cannot migrate the store llmx.db", "nowhere")
	}
	var b, tables int
	if err := conn.QueryRowContext(ctx, "SELECT b, (SELECT count(*) FROM sqlite_schema) FROM t").Scan(&b, &tables); err != nil {
		t.Fatal(err)
	}
	if b != 2 || tables != 1 || version() != 2 {
		t.Errorf("b %d, %d tables, version %d", b, tables, version())
	}
	wantFault(t, migrate(ctx, conn, "llmx.db", scripts[:1]), fault.Store, "version 2", "up to 1")
}

// TestMigrateBeatenByAnother has another process migrate between the first look
// at the version and the lock.
func TestMigrateBeatenByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	conn := foreign(t, path)
	scripts := []string{"CREATE TABLE t (a)"}
	foreign(t, path, "PRAGMA application_id = 1819045240", "PRAGMA user_version = 1", scripts[0])
	if err := migrateOnce(ctx, conn, "llmx.db", scripts); err != nil {
		t.Error(err)
	}
}

// TestMigrateByAnEmptyScript: a version may change nothing.
func TestMigrateByAnEmptyScript(t *testing.T) {
	conn := foreign(t, filepath.Join(t.TempDir(), "llmx.db"))
	scripts := []string{"CREATE TABLE t (a)", "", "-- nothing\n", "ALTER TABLE t ADD COLUMN b"}
	if err := migrate(ctx, conn, "llmx.db", scripts); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, "INSERT INTO t (b) VALUES (1)"); err != nil {
		t.Error(err)
	}
}
