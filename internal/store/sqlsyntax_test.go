package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

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
		"/* x */ explain query plan pragma user_version = 3": "PRAGMA sets SQLite up, and is no SQL",
		"SELECT 1\x00":                      "it has a NUL character",
		"SELECT 1; DROP TABLE students; --": "",
	} {
		got, err := store.CheckSQL(context.Background(), text)
		if err != nil || got != wrong {
			t.Errorf("%q: %q, %v; want %q", text, got, err, wrong)
		}
	}
}

// What cannot be told is an error, and bounded: neither a pass nor a fail.
func TestSQLThatCannotBeTold(t *testing.T) {
	doubling := "WITH v0(x) AS (SELECT 1)"
	for i := range 60 {
		doubling += fmt.Sprintf(", v%d(x) AS (SELECT l.x FROM v%d l, v%d r)", i+1, i, i)
	}
	doubling += " SELECT x FROM v60"
	for about, test := range map[string]struct{ text, says string }{
		"too long":           {"SELECT '" + strings.Repeat("a", 300<<10) + "'", "is not read as SQL"},
		"a trigger's body":   {"CREATE TRIGGER t AFTER INSERT ON nowhere BEGIN nonsense; END", "cannot be told"},
		"endless to prepare": {doubling, "use each other too often"},
	} {
		got, err := store.CheckSQL(context.Background(), test.text)
		if err == nil || !strings.Contains(err.Error(), test.says) || fault.ClassOf(err) != fault.Unjudged {
			t.Errorf("%s: %q, %v; want an error that says %q", about, got, err, test.says)
		}
	}
}
