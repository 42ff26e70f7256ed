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

// CheckSQL says why a text is no SQL in SQLite's dialect, "" where it is. Every
// statement is prepared in an empty database in memory, and none is run; that a table,
// a column or a function is not there is no mistake of the text. An error means that it
// cannot tell.
func CheckSQL(ctx context.Context, text string) (wrong string, err error) {
	if len(text) > maxSQL {
		return "", fault.New(fault.Unjudged, "a text of %d KB is not read as SQL; at most %d KB are", len(text)>>10, maxSQL>>10)
	}
	if strings.ContainsRune(text, 0) {
		return "it has a NUL character", nil
	}
	if expansion(text) > maxExpansion {
		return "", fault.New(fault.Unjudged, "the text's common table expressions use each other too often to be read")
	}
	s, err := newSyntax(ctx, text)
	if err != nil {
		return "", err
	}
	defer s.close()
	return s.check()
}

// ptrSize is that of a pointer in SQLite's memory.
const ptrSize = strconv.IntSize / 8

// pointerAt reads a pointer that SQLite wrote.
func pointerAt(p uintptr) uintptr { return libc.AtomicLoadPUintptr(p) }

// syntax prepares statements.
type syntax struct {
	tls   *libc.TLS
	db    uintptr
	room  uintptr // two pointers: a statement, the rest of the text
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
	s.room = libc.Xcalloc(s.tls, 2, ptrSize)
	if s.room == 0 || sqlite3.Xsqlite3_open_v2(s.tls, name, s.room, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_MEMORY, 0) != sqlite3.SQLITE_OK {
		s.close()
		return nil, fault.New(fault.Internal, "SQLite cannot be asked to read SQL")
	}
	s.db = pointerAt(s.room)
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
		if isPragma(s.text[at:]) { // some take effect while they are read
			return "PRAGMA sets SQLite up, and is no SQL", nil
		}
		code := sqlite3.Xsqlite3_prepare_v2(s.tls, s.db, s.begin+uintptr(at), int32(len(s.text)-at), s.room, s.room+ptrSize)
		statement := pointerAt(s.room)
		message := libc.GoString(sqlite3.Xsqlite3_errmsg(s.tls, s.db))
		sqlite3.Xsqlite3_finalize(s.tls, statement)
		end := int(pointerAt(s.room+ptrSize) - s.begin)
		switch {
		case s.ctx.Err() != nil:
			return "", fault.New(fault.Unjudged, "SQLite did not read the text within %s", maxSQLTime)
		case code == sqlite3.SQLITE_OK && statement == 0 && strings.TrimSpace(s.text[end:]) == "":
			at = len(s.text) // a comment, or nothing
			continue
		case code == sqlite3.SQLITE_OK:
		case code != sqlite3.SQLITE_ERROR:
			return "", fault.New(fault.Unjudged, "SQLite cannot read the text: %s", message)
		case isSyntax(message):
			return fmt.Sprintf("%s (statement %d)", message, statements+1), nil
		case !endsStatement(s.text, at, end):
			return "", fault.New(fault.Unjudged, "SQLite stops reading in statement %d (%s), so whether the rest of it is SQL cannot be told", statements+1, message)
		}
		statements++
		if end <= at {
			break
		}
		at = end
	}
	if statements == 0 {
		return "there is no statement", nil
	}
	return "", nil
}

// isSyntax tells the messages of SQLite's parser from those about what is not there.
func isSyntax(message string) bool {
	for _, sign := range []string{": syntax error", "incomplete input", "unrecognized token", "parser stack overflow"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

// endsStatement reports whether reading stopped at the end of a statement.
func endsStatement(text string, from, end int) bool {
	return strings.TrimSpace(text[end:]) == "" || strings.HasSuffix(strings.TrimRightFunc(text[from:end], unicode.IsSpace), ";")
}

// isPragma reports whether a text begins with PRAGMA, comments and EXPLAIN aside.
func isPragma(text string) bool {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f;")
		switch {
		case strings.HasPrefix(text, "--"):
			_, text, _ = strings.Cut(text, "\n")
			continue
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
			continue
		}
		word := text
		if i := strings.IndexFunc(text, func(r rune) bool { return r > 127 || !unicode.IsLetter(r) }); i >= 0 {
			word = text[:i]
		}
		switch strings.ToLower(word) {
		case "pragma":
			return true
		case "explain", "query", "plan":
			text = text[len(word):]
			continue
		}
		return false
	}
}
