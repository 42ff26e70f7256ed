// Package store is what is kept: runs, results, checks, calls, turns, attempts,
// prompt contents, cached answers and what budgets have counted, in one SQLite file.
// One goroutine writes, in batches; many read. It may import eval, llm, fault and the
// words of engine/budget, and alone imports modernc.org/sqlite.
package store

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Content says how much of what was asked and answered is kept.
type Content string

// The levels of content.
const (
	// ContentFull keeps everything; so does the empty level.
	ContentFull Content = "full"
	// ContentRedacted leaves inputs, messages, tools and their calls, answers, users, options
	// that are texts and schemas that are no prompt's out of calls and turns, with the
	// refusals that may quote them; the results of test runs keep their answers.
	ContentRedacted Content = "redacted"
	// ContentNone leaves them out of results and verdicts too, with all that may
	// quote them: the reasons of scores and the texts of contract violations.
	ContentNone Content = "none"
)

// Options are how a store is opened.
type Options struct {
	Now         func() time.Time // the wall clock; required
	BusyTimeout time.Duration    // how long a write waits for another process; default 5 s
	ReadOnly    bool             // only read: nothing is created, migrated or written
	Untouched   bool             // with ReadOnly: not even SQLite's own files are made beside it
	Content     Content          // default: full
	Name        string           // the file's name in messages; default: the path

	maxPages int // tests fill the disk with it
}

const (
	defaultBusyTimeout = 5 * time.Second
	readerConns        = 8
)

// Store is an open file. It is safe for concurrent use, also by more than one
// process on the same file.
type Store struct {
	name    string
	now     func() time.Time
	content Content
	readers *sql.DB
	cached  func() (*sql.Stmt, error) // cacheQuery, prepared when it is first used
	writer  *writer                   // nil where the store is read-only
	path    string                    // of what the writer writes
	file    os.FileInfo               // that stood there when it was opened

	prompts  sync.Map  // *savedPrompt by hash: those that were saved by this process
	patience *patience // with the cache; nil: as long as it takes

	closing sync.Once
	closed  error
}

// Open opens the file, creates it and its directory where they are missing, and
// brings its tables to the version of this program. Errors have the class
// fault.Store and say what to do, or fault.Canceled when ctx ended.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = defaultBusyTimeout
	}
	if o.Name == "" {
		o.Name = filepath.ToSlash(path)
	}
	if err := prepareFile(path, o); err != nil {
		return nil, err
	}
	s := &Store{name: o.Name, now: o.Now, content: o.Content}
	if o.ReadOnly {
		if err := s.openReaders(ctx, path, o); err != nil {
			return nil, err
		}
		return s, nil
	}
	w, err := openWriter(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := s.openReaders(ctx, path, o); err != nil {
		w.stop()
		return nil, err
	}
	s.writer, s.path = w, path
	if s.file, err = os.Stat(path); err != nil {
		w.stop()
		s.readers.Close()
		return nil, s.failure("open", err)
	}
	go w.run()
	return s, nil
}

// prepareFile finds out what SQLite would only call "unable to open".
func prepareFile(path string, o Options) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fault.New(fault.Store, "%s is a directory, not a store", o.Name).
			WithHint("name a file under store.path in llmx.yaml, like .llmx/llmx.db")
	case err == nil && !info.Mode().IsRegular():
		return fault.New(fault.Store, "%s is no regular file, so it is no store", o.Name).
			WithHint("name a file under store.path in llmx.yaml, like .llmx/llmx.db")
	case err == nil:
		return nil
	case !os.IsNotExist(err):
		return fault.New(fault.Store, "cannot open the store %s: %s", o.Name, reason(err)).Because(err)
	case o.ReadOnly:
		return fault.New(fault.Store, "there is no store %s yet", o.Name).
			WithHint("llmx test makes it with its first run").Because(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.New(fault.Store, "cannot make the directory of the store %s: %s", o.Name, reason(err)).
			WithHint("make it writable, or set store.path in llmx.yaml").Because(err)
	}
	return nil
}

func (s *Store) openReaders(ctx context.Context, path string, o Options) error {
	db, err := sql.Open("sqlite", readerDSN(path, o.BusyTimeout, o.Untouched && !hasLog(path)))
	if err != nil {
		return s.failure("open", err)
	}
	db.SetMaxOpenConns(readerConns)
	db.SetMaxIdleConns(readerConns) // opened again, one would run its pragmas again
	s.readers = db
	s.cached = preparedOnce(db, cacheQuery)
	if o.ReadOnly {
		if err := checkReadable(ctx, db, o.Name); err != nil {
			db.Close()
			return err
		}
	}
	return nil
}

// preparedOnce prepares a query when it is first needed, and again where that failed.
func preparedOnce(db *sql.DB, query string) func() (*sql.Stmt, error) {
	var mu sync.Mutex
	var known atomic.Pointer[sql.Stmt]
	return func() (*sql.Stmt, error) {
		if made := known.Load(); made != nil {
			return made, nil
		}
		mu.Lock()
		defer mu.Unlock()
		if made := known.Load(); made != nil {
			return made, nil
		}
		made, err := db.Prepare(query)
		if err == nil {
			known.Store(made)
		}
		return made, err
	}
}

// Close writes what is queued and closes the file. It waits as long as the
// writing takes, for a lock at most the busy timeout, and returns the first
// write error there was. A store that serves has its own bound: see OpenServing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		// The writer goes last: only the last connection folds the log into the file.
		if err := s.readers.Close(); err != nil {
			s.closed = s.failure("close", err)
		}
		if s.writer != nil {
			if err := s.writer.close(); err != nil {
				s.closed = err
			}
		}
	})
	return s.closed
}
