package store

import (
	"context"
	"errors"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmx-dev/llmx/internal/fault"
)

// failure puts an error of SQLite in the user's words; doing is a verb, "write".
func (s *Store) failure(doing string, err error) error { return failureOf(s.name, doing, err) }

func failureOf(name, doing string, err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Canceled, "stopped before it could %s the store %s", doing, name).Because(err)
	}
	said, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return fault.New(fault.Store, "cannot %s the store %s: %v", doing, name, err).Because(err)
	}
	if words, ok := codeWords[said.Code()&0xff]; ok {
		return fault.New(fault.Store, "cannot %s the store %s: %s", doing, name, words.what).WithHint("%s", words.todo).Because(err)
	}
	return fault.New(fault.Store, "cannot %s the store %s: %s", doing, name, said.Error()).Because(err)
}

// codeWords says what SQLite's primary result codes mean for the user.
var codeWords = map[int]struct{ what, todo string }{
	sqlite3.SQLITE_BUSY: {
		"it is locked by another process",
		"wait for the other llmx, or end the program that holds the file open in a transaction"},
	sqlite3.SQLITE_LOCKED: {
		"it is locked by another connection",
		"wait for the other llmx, or end the program that holds the file open in a transaction"},
	sqlite3.SQLITE_READONLY: {
		"the file or its directory is read-only",
		"make both writable, or set store.path in llmx.yaml"},
	sqlite3.SQLITE_PERM: {
		"permission denied",
		"make the file and its directory writable, or set store.path in llmx.yaml"},
	sqlite3.SQLITE_CANTOPEN: {
		"the file cannot be opened or made",
		"make its directory writable, or set store.path in llmx.yaml"},
	sqlite3.SQLITE_NOTADB: {
		"the file is not a database",
		"move it away (llmx makes a new one), or set store.path in llmx.yaml"},
	sqlite3.SQLITE_CORRUPT: {
		"the file is corrupt",
		"move it away together with its -wal and -shm files (llmx makes a new one), or restore a copy"},
	sqlite3.SQLITE_FULL: {
		"the disk is full",
		"free some space, or shrink the store: llmx runs prune"},
	sqlite3.SQLITE_IOERR: {
		"the disk reports an input/output error",
		"check the disk and its free space"},
	sqlite3.SQLITE_TOOBIG: {
		"a value is larger than SQLite takes (1 GB)",
		"look for a very large input or answer"},
}

// ofDatabase tells a failure of the file from a refusal of ours.
func ofDatabase(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return err != nil && !ok
}

// reason is the bare cause of a file system's error, without the path in it.
func reason(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
