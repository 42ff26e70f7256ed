package store

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// denySQL is SQLite's authorizer while texts are read. It denies PRAGMA, since some take
// effect in the whole process while they are read: SQLite asks before it does anything,
// however the word is written or hidden. And it has SQLite leave every SELECT alone,
// which it asks before it looks up names: writing out stars, common table expressions and
// subqueries takes memory that no limit of SQLite's bounds, and can say nothing of syntax.
// That is no error, as SQLite goes on reading after it has asked (for rows of VALUES).
// What it hindered stands at the address hindered.
func denySQL(_ *libc.TLS, hindered uintptr, action int32, _, _, _, _ uintptr) int32 {
	switch action {
	case sqlite3.SQLITE_PRAGMA:
		libc.AtomicStorePUintptr(hindered, uintptr(action))
		return sqlite3.SQLITE_DENY
	case sqlite3.SQLITE_SELECT:
		libc.AtomicStorePUintptr(hindered, uintptr(action))
		return sqlite3.SQLITE_IGNORE
	}
	return sqlite3.SQLITE_OK
}

// callback is the address by which SQLite calls a function. It must be one of the
// package's: those are never moved or freed.
func callback(f func(*libc.TLS, uintptr, int32, uintptr, uintptr, uintptr, uintptr) int32) uintptr {
	return *(*uintptr)(unsafe.Pointer(&f))
}
