package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/store"
)

func TestSQLIsToldByItsParser(t *testing.T) {
	for text, wrong := range map[string]string{
		"SELECT 1": "",
		"select name, count(*) from orders where id = 17 group by name;":                              "",
		"-- all of them\nSELECT * FROM a JOIN b USING (id); DELETE FROM a WHERE id IN (1, 2) -- gone": "",
		"INSERT INTO t (a, b) VALUES (1, 'x;y')":                                                      "",
		"CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)":                  "",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n":             "",
		"UPDATE t SET a = 1; ; ;":        "",
		"SELECT nofunction(1)":           "",
		"ATTACH 'other.db' AS other":     "",
		"SELEC 1":                        `near "SELEC": syntax error (statement 1)`,
		"SELECT * FROM a; SELECT FROM b": `near "FROM": syntax error (statement 2)`,
		"SELECT name FROM":               "incomplete input (statement 1)",
		"SELECT 'open":                   `unrecognized token: "'open" (statement 1)`,
		"":                               "there is no statement",
		" ;; -- nothing\n":               "there is no statement",
		"The answer is SELECT 1":         `near "The": syntax error (statement 1)`,
		"```sql\nSELECT 1\n```":          "near \"```sql\nSELECT 1\n```\": syntax error (statement 1)",
		"PRAGMA journal_mode = wal":      "PRAGMA sets SQLite up, and is no SQL",
		"/* x */ explain query plan pragma user_version = 3":                                   "PRAGMA sets SQLite up, and is no SQL",
		`SELECT * FROM "incomplete input"`:                                                     "",
		`SELECT * FROM "foo: syntax error"`:                                                    "",
		`INSERT INTO "near ""x"": syntax error" VALUES (1)`:                                    "",
		`DROP TABLE "unrecognized token: 'x'"`:                                                 "",
		"INSERT INTO \"near \"\"x\"\": syntax error\" (":                                       "incomplete input (statement 1)",
		"CREATE TABLE IF NOT EXISTS temp.plan AS SELECT * FROM a":                              "",
		"EXPLAIN CREATE TEMP TABLE [a b] AS WITH c AS (SELECT 1) SELECT * FROM c; SELECT 1":    "",
		"CREATE TABLE a AS SELECT FROM b":                                                      `near "FROM": syntax error (statement 1)`,
		"CREATE TABLE a AS DELETE FROM b":                                                      `near "DELETE": syntax error (statement 1)`,
		"CREATE TABLE a AS WITH c AS (SELECT 1) DELETE FROM b":                                 "CREATE TABLE … AS takes a SELECT (statement 1)",
		"INSERT INTO t VALUES (1), (2), (-3), (NULL); VALUES (1), ('a'), (3)":                  "",
		"INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c') ON CONFLICT DO NOTHING RETURNING *": "",
		"INSERT INTO t VALUES (1), (2), (3":                                                    "incomplete input (statement 1)",
		"INSERT INTO t VALUES (1), (2), 3":                                                     `near "3": syntax error (statement 1)`,
		"SELECT * FROM (VALUES (1), (2)) WHERE a IN (VALUES (1), (2)); SELEC":                  `near "SELEC": syntax error (statement 2)`,
		"CREATE TABLE a AS VALUES (1), (2), (3)":                                               "",
		"CREATE; TABLE a AS SELECT 1":                                                          `near ";": syntax error (statement 1)`,
		"CREATE VIEW v AS SELECT * FROM a; INSERT INTO t SELECT * FROM v":                      "",
		"ATTACH 'a.db' AS a; SELECT * FROM a.t; DETACH a; VACUUM INTO 'copy'":                  "",
		"SELECT load_extension('evil'), * FROM pragma_temp_store_directory":                    "",
		"\ufeffSELECT 1;\ufeff":                                                                "",
		"SELECT 1\x00":                                                                         "it has a NUL character",
		"SELECT 1; DROP TABLE students; --":                                                    "",
	} {
		got, err := store.CheckSQL(context.Background(), text)
		if err != nil || got != wrong {
			t.Errorf("%q: %q, %v; want %q", text, got, err, wrong)
		}
	}
}

// What cannot be told is an error, and bounded: neither a pass nor a fail.
func TestSQLThatCannotBeTold(t *testing.T) {
	for about, test := range map[string]struct{ text, says string }{
		"too long":         {"SELECT '" + strings.Repeat("a", 300<<10) + "'", "is not read as SQL"},
		"a trigger's body": {"CREATE TRIGGER t AFTER INSERT ON nowhere BEGIN nonsense; END", "cannot be told"},
		"subqueries that SQLite writes out itself": {"ATTACH (SELECT 1) AS a", "is not read"},
		"pages of the database":                    {"UPDATE sqlite_dbpage SET data = (SELECT 1)", "is not read"},
	} {
		got, err := store.CheckSQL(context.Background(), test.text)
		if err == nil || !strings.Contains(err.Error(), test.says) || fault.ClassOf(err) != fault.Unjudged {
			t.Errorf("%s: %q, %v; want an error that says %q", about, got, err, test.says)
		}
	}
}

// A PRAGMA is none of the answer's business, however it is hidden. Some take effect in
// the whole process while they are read, and the test fails if one has.
func TestSQLSetsNothingUp(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	limit := func() (bytes int64) {
		if err := db.QueryRow("PRAGMA hard_heap_limit").Scan(&bytes); err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	for _, before := range []string{
		"", " ", "\t\r\n\f", ";;", "\ufeff", "\ufeff\ufeff;\ufeff", "-- a\n", "--\ufeff\n", "/* a */", "/**/", "/* -- */\ufeff-- /*\n", "/*;*/;",
		"EXPLAIN ", "explain query plan \ufeff", "EXPLAIN/**/QUERY--\nPLAN\n", "SELECT 1;", "SELECT ';' ;\ufeff", "CREATE TABLE a AS SELECT 1;", "ATTACH 'a' AS b; ",
	} {
		for _, pragma := range []string{"PRAGMA", "pragma\n", "PrAgMa/**/main.", "pragma -- x\n"} {
			for _, value := range []string{" = 999999999999", "(999999999999)"} {
				text := before + pragma + " hard_heap_limit" + value
				wrong, err := store.CheckSQL(context.Background(), text)
				if err != nil || wrong != "PRAGMA sets SQLite up, and is no SQL" {
					t.Errorf("%q: %q, %v", text, wrong, err)
				}
				if bytes := limit(); bytes != 0 {
					t.Fatalf("%q has bounded the process to %d bytes", text, bytes)
				}
			}
		}
	}
}

// Short texts of which SQLite makes long ones take neither much memory nor long.
func TestSQLIsNotWrittenOut(t *testing.T) {
	columns := "1 a0"
	for i := range 1900 {
		columns += fmt.Sprintf(",1 a%d", i+1)
	}
	stars := "SELECT *" + strings.Repeat(",*", 3000) + " FROM (SELECT " + columns + ")"
	doubling, nested := "WITH v0(x) AS (SELECT 1)", "SELECT 1 x"
	for i := range 60 {
		doubling += fmt.Sprintf(", v%d(x) AS (SELECT l.x FROM v%d l, v%d r)", i+1, i, i)
		nested = "SELECT x+x x FROM (" + nested + ")"
	}
	doubling += " SELECT x FROM v60"
	rows := "VALUES (1)" + strings.Repeat(",(1)", 10000)
	many := strings.Repeat("SELECT 1;", 5000)
	windows := "SELECT sum(1) OVER w" + strings.Repeat(", sum(1) OVER w", 4000) + " FROM a WINDOW w AS (PARTITION BY 1" + strings.Repeat(",1", 50000) + ")"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for about, query := range map[string]string{"stars": stars, "doubling": doubling, "nested": nested, "windows": windows, "rows": rows, "many": many} {
		for _, before := range []string{
			"", "EXPLAIN ", "CREATE TABLE t AS ", "\ufeff;CREATE/**/TEMP TABLE IF NOT EXISTS main.[as] AS ", "CREATE VIEW v AS ",
			"INSERT INTO t ", "INSERT INTO sqlite_schema ", "INSERT INTO json_each ", "SELECT 1 FROM t WHERE a IN (SELECT 1 UNION ", "SELECT 1 UNION ALL ",
		} {
			text := before + query + strings.Repeat(")", strings.Count(before, "("))
			peak := peakOf(func() {
				if wrong, err := store.CheckSQL(ctx, text); err != nil || wrong != "" && !strings.HasPrefix(wrong, `near "WITH"`) && !strings.HasPrefix(wrong, `near ";"`) {
					t.Errorf("%s%s: %q, %v", before, about, wrong, err)
				}
			})
			if peak > 100<<20 {
				t.Errorf("%s%s: %d MB", before, about, peak>>20)
			}
		}
	}
}

// peakOf is the most bytes that SQLite took at once.
func peakOf(work func()) int64 {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_memory_highwater(tls, 1)
	before := sqlite3.Xsqlite3_memory_used(tls)
	work()
	return sqlite3.Xsqlite3_memory_highwater(tls, 0) - before
}
