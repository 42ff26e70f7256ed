package store

import (
	"database/sql/driver"
	"encoding/json"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// insertInto writes an INSERT for a comma-separated list of columns.
func insertInto(verb, table, columns string) string {
	marks := strings.Repeat("?, ", strings.Count(columns, ",")) + "?"
	return verb + " INTO " + table + " (" + columns + ") VALUES (" + marks + ")"
}

// Go → SQL. The empty value of texts and times is NULL: it costs a byte.

func textValue(text string) driver.Value {
	if text == "" {
		return nil
	}
	return text
}

func timeValue(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func boolValue(b bool) driver.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}

func failureValue(f *llm.Failure) (driver.Value, error) {
	if f == nil {
		return nil, nil
	}
	return jsonValue(f)
}

func jsonValue(v any) (driver.Value, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

// listValue is a JSON array, NULL for none.
func listValue[T any](items []T) (driver.Value, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return jsonValue(items)
}

func storedValue(s *llm.Stored) (driver.Value, error) {
	if s == nil {
		return nil, nil
	}
	return jsonValue(s)
}

// SQL → Go.

// record is one row that was read, whose columns are taken from left to right.
type record struct {
	values []any
	into   []any // pointers to values, for Scan
	next   int
	err    error // the first column that did not parse
}

func newRecord(columns string) *record {
	n := strings.Count(columns, ",") + 1
	r := &record{values: make([]any, n), into: make([]any, n)}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r
}

// scanner is *sql.Rows or *sql.Row.
type scanner interface{ Scan(into ...any) error }

func (r *record) scan(from scanner) error {
	r.next, r.err = 0, nil
	return from.Scan(r.into...)
}

func (r *record) take() any {
	r.next++
	return r.values[r.next-1]
}

func (r *record) text() string {
	text, _ := r.take().(string)
	return text
}

func (r *record) int64() int64 {
	n, _ := r.take().(int64)
	return n
}

func (r *record) int() int                { return int(r.int64()) }
func (r *record) bool() bool              { return r.int64() != 0 }
func (r *record) duration() time.Duration { return time.Duration(r.int64()) }

func (r *record) time() time.Time {
	n, ok := r.take().(int64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// json parses a column; NULL leaves into as it is.
func (r *record) json(into any) {
	text, ok := r.take().(string)
	if !ok {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil && r.err == nil {
		r.err = err
	}
}

func (r *record) failure() *llm.Failure {
	var f *llm.Failure
	r.json(&f)
	return f
}

func (r *record) cost() llm.Cost {
	return llm.Cost{Amount: llm.Money(r.int64()), Known: r.bool()}
}

func (r *record) usage() llm.Usage {
	return llm.Usage{Input: r.int64(), Output: r.int64(), CachedInput: r.int64(), Reasoning: r.int64(), Estimated: r.bool()}
}

func (r *record) stored() *llm.Stored {
	var s *llm.Stored
	r.json(&s)
	return s
}
