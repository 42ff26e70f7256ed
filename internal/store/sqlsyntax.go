package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmx-dev/llmx/internal/fault"
)

// The bounds of a text that is looked at.
const (
	maxSQL     = 256 << 10
	maxSQLTime = 2 * time.Second
)

// readings has a place for the one text that is read at a time, so that a text's memory
// is all the memory that texts take.
var readings = make(chan struct{}, 1)

// CheckSQL says why a text is no SQL in SQLite's dialect, "" where it is. Every
// statement is read for an empty database in memory, and none is planned or run; that a
// table, a column or a function is not there is no mistake of the text. An error means
// that it cannot tell.
func CheckSQL(ctx context.Context, text string) (wrong string, err error) {
	if len(text) > maxSQL {
		return "", fault.New(fault.Unjudged, "a text of %d KB is not read as SQL; at most %d KB are", len(text)>>10, maxSQL>>10)
	}
	if strings.ContainsRune(text, 0) {
		return "it has a NUL character", nil
	}
	if sqlPages.MatchString(text) {
		return "", fault.New(fault.Unjudged, "a text that names sqlite_dbpage is not read as SQL: it stands for the database's own pages")
	}
	select {
	case readings <- struct{}{}:
		defer func() { <-readings }()
	case <-ctx.Done():
		return "", fault.New(fault.Canceled, "interrupted before the text was read as SQL")
	}
	s, err := newSyntax(ctx, text)
	if err != nil {
		return "", err
	}
	defer s.close()
	return s.check()
}

// hindered is where the action stands that SQLite was kept from last.
func (s *syntax) hindered() uintptr { return s.room + 2*ptrSize }

// ptrSize is that of a pointer in SQLite's memory.
const ptrSize = strconv.IntSize / 8

// pointerAt reads a pointer that SQLite wrote.
func pointerAt(p uintptr) uintptr { return libc.AtomicLoadPUintptr(p) }

// syntax prepares statements.
type syntax struct {
	tls   *libc.TLS
	db    uintptr
	room  uintptr // three pointers: a statement, the rest of the text, what SQLite was kept from
	begin uintptr
	text  string
	stop  func() // of the clock
	ctx   context.Context
}

func newSyntax(ctx context.Context, text string) (*syntax, error) {
	s := &syntax{tls: libc.NewTLS(), text: text, stop: func() {}}
	name, err := libc.CString(":memory:")
	if err == nil {
		s.begin, err = libc.CString(text)
	}
	if err != nil {
		s.close()
		return nil, fault.New(fault.Internal, "no memory to read SQL: %v", err)
	}
	defer libc.Xfree(s.tls, name)
	s.room = libc.Xcalloc(s.tls, 3, ptrSize)
	if s.room == 0 || sqlite3.Xsqlite3_open_v2(s.tls, name, s.room, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_MEMORY, 0) != sqlite3.SQLITE_OK {
		s.close()
		return nil, fault.New(fault.Internal, "SQLite cannot be asked to read SQL")
	}
	s.db = pointerAt(s.room)
	// A message may repeat a text that is as long as all of it.
	sqlite3.Xsqlite3_limit(s.tls, s.db, sqlite3.SQLITE_LIMIT_LENGTH, 2*maxSQL)
	sqlite3.Xsqlite3_limit(s.tls, s.db, sqlite3.SQLITE_LIMIT_SQL_LENGTH, maxSQL+1)
	sqlite3.Xsqlite3_limit(s.tls, s.db, sqlite3.SQLITE_LIMIT_ATTACHED, 0)
	if sqlite3.Xsqlite3_set_authorizer(s.tls, s.db, callback(denySQL), s.hindered()) != sqlite3.SQLITE_OK {
		s.close()
		return nil, fault.New(fault.Internal, "SQLite cannot be kept from setting itself up")
	}
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithTimeout(ctx, maxSQLTime)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-s.ctx.Done()
		tls := libc.NewTLS()
		defer tls.Close()
		sqlite3.Xsqlite3_interrupt(tls, s.db)
	}()
	s.stop = func() { cancel(); <-ended }
	return s, nil
}

func (s *syntax) close() {
	s.stop()
	if s.db != 0 {
		sqlite3.Xsqlite3_close_v2(s.tls, s.db)
	}
	for _, p := range []uintptr{s.room, s.begin} {
		if p != 0 {
			libc.Xfree(s.tls, p)
		}
	}
	s.tls.Close()
}

// check reads statement by statement, as SQLite tells where each ends.
func (s *syntax) check() (wrong string, err error) {
	at, statements := 0, 0
	for at < len(s.text) {
		form := formOf(s.text[at:])
		if form.unbounded {
			return "", fault.New(fault.Unjudged, "what statement %d reads from is worked out while it is read, so it is not read", statements+1)
		}
		at += form.skip
		said := s.prepare(at)
		switch {
		case s.ctx.Err() != nil:
			return "", fault.New(fault.Unjudged, "SQLite did not read the text within %s", maxSQLTime)
		case said.hindered == sqlite3.SQLITE_PRAGMA:
			return "PRAGMA sets SQLite up, and is no SQL", nil
		case said.code == sqlite3.SQLITE_OK && said.empty && strings.TrimSpace(s.text[said.end:]) == "":
			at = len(s.text) // a comment, or nothing
			continue
		case said.code == sqlite3.SQLITE_OK:
		case said.code != sqlite3.SQLITE_OK && said.code != sqlite3.SQLITE_ERROR:
			return "", fault.New(fault.Unjudged, "SQLite cannot read the text: %s", said.message)
		case isSyntax(said.message, s.text[at:], said.offset):
			return fmt.Sprintf("%s (statement %d)", said.message, statements+1), nil
		case form.skip > 0:
			return fmt.Sprintf("CREATE TABLE … AS takes a SELECT (statement %d)", statements+1), nil
		case !endsStatement(s.text, at, said.end):
			return "", fault.New(fault.Unjudged, "SQLite stops reading in statement %d (%s), so whether the rest of it is SQL cannot be told", statements+1, said.message)
		}
		statements++
		if said.end <= at {
			break
		}
		at = said.end
	}
	if statements == 0 {
		return "there is no statement", nil
	}
	return "", nil
}

// reading is what SQLite says of the statement at the beginning of a text.
type reading struct {
	code     int32
	message  string
	offset   int   // of the token that the message is about, from the beginning; below 0: none
	hindered int32 // the action, 0 for none
	empty    bool  // there is no statement
	end      int   // where the next one begins, in the whole text
}

func (s *syntax) prepare(at int) reading {
	libc.AtomicStorePUintptr(s.hindered(), 0)
	// With its NUL, or SQLite makes a copy of all that is left each time.
	code := sqlite3.Xsqlite3_prepare_v2(s.tls, s.db, s.begin+uintptr(at), int32(len(s.text)-at+1), s.room, s.room+ptrSize)
	statement := pointerAt(s.room)
	said := reading{
		code: code, message: libc.GoString(sqlite3.Xsqlite3_errmsg(s.tls, s.db)), offset: int(sqlite3.Xsqlite3_error_offset(s.tls, s.db)),
		hindered: int32(pointerAt(s.hindered())), empty: statement == 0, end: int(pointerAt(s.room+ptrSize) - s.begin),
	}
	sqlite3.Xsqlite3_finalize(s.tls, statement)
	return said
}

// isSyntax tells the messages of SQLite's parser from those about what is not there,
// which may repeat any words of the text. Those that name a token name the one that
// stands at their offset.
func isSyntax(message, text string, offset int) bool {
	if message == "incomplete input" || message == "parser stack overflow" {
		return true
	}
	token, is := strings.CutPrefix(message, `unrecognized token: "`)
	if is {
		token, is = strings.CutSuffix(token, `"`)
	} else if token, is = strings.CutPrefix(message, `near "`); is {
		token, is = strings.CutSuffix(token, `": syntax error`)
	}
	return is && offset >= 0 && offset <= len(text) && strings.HasPrefix(text[offset:], token)
}

// endsStatement reports whether reading stopped at the end of a statement.
func endsStatement(text string, from, end int) bool {
	return strings.TrimSpace(text[end:]) == "" || strings.HasSuffix(strings.TrimRightFunc(text[from:end], unicode.IsSpace), ";")
}
