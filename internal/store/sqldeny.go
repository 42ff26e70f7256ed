package store

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// denySQL is SQLite's authorizer while texts are read. It denies PRAGMA, since some take
// effect in the whole process while they are read: SQLite asks before it does anything,
// however the word is written or hidden. And it denies SELECT, which SQLite asks when it
// has read the statement and before it looks up its names: writing out stars, common
// table expressions and subqueries takes memory that no limit of SQLite's bounds, and
// can say nothing of syntax. It leaves the action that it denied at the address denied.
func denySQL(_ *libc.TLS, denied uintptr, action int32, _, _, _, _ uintptr) int32 {
	if action != sqlite3.SQLITE_PRAGMA && action != sqlite3.SQLITE_SELECT {
		return sqlite3.SQLITE_OK
	}
	libc.AtomicStorePUintptr(denied, uintptr(action))
	return sqlite3.SQLITE_DENY
}

// callback is the address by which SQLite calls a function. It must be one of the
// package's: those are never moved or freed.
func callback(f func(*libc.TLS, uintptr, int32, uintptr, uintptr, uintptr, uintptr) int32) uintptr {
	return *(*uintptr)(unsafe.Pointer(&f))
}
