package store

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"github.com/llmx-dev/llmx/internal/fault"
)

const (
	// readerBusy is how long a read waits for a lock in a store that serves; with a log
	// it needs none, but while another process puts one right.
	readerBusy = 250 * time.Millisecond

	// cacheWithin is how long a request waits to hear whether its answer is stored.
	cacheWithin = 50 * time.Millisecond
	// cacheRest is how long the cache is not asked after it did not answer in time.
	cacheRest = time.Second
	// cacheReads bounds those that hang.
	cacheReads = 64
)

// readersOf opens the connections that read. Before the writer has the tables as they
// should be there is nothing to read.
type readersOf struct {
	outage *outage
	dsn    string
	opened *atomic.Int64 // how often the writer has opened a file
}

func (r *readersOf) Connect(ctx context.Context) (driver.Conn, error) {
	if !r.outage.everOpen() {
		if err := r.outage.err(); err != nil {
			return nil, err
		}
	}
	connector, err := sqlite.NewConnector(r.dsn)
	if err != nil {
		return nil, err
	}
	now := r.opened.Load() // before: what is opened meanwhile may be either file
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &reader{sqliteConn: conn.(sqliteConn), of: now, opened: r.opened}, nil
}

func (r *readersOf) Driver() driver.Driver { return &sqlite.Driver{} }

// sqliteConn is what a connection of SQLite is to database/sql.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// reader is a connection that is not used again once the writer has opened another
// file: it would read one that is no more there.
type reader struct {
	sqliteConn
	of     int64
	opened *atomic.Int64
}

// ResetSession is asked before the connection is used.
func (r *reader) ResetSession(ctx context.Context) error {
	if r.of != r.opened.Load() {
		return driver.ErrBadConn
	}
	return r.sqliteConn.ResetSession(ctx)
}

// IsValid is asked before it is put back.
func (r *reader) IsValid() bool { return r.of == r.opened.Load() && r.sqliteConn.IsValid() }

// patience is how a store that serves reads its cache: the reads under way, and
// until when there are to be none.
type patience struct {
	under chan struct{}
	until atomic.Int64 // since the start of the process
}

func newPatience() *patience { return &patience{under: make(chan struct{}, cacheReads)} }

// cacheGetInTime is cacheGet within its bound. SQLite may not return from a disk that
// does not answer, so the read has a goroutine of its own, of which there are not many.
func (s *Store) cacheGetInTime(ctx context.Context, key string) (CacheEntry, bool, error) {
	p := s.patience
	slow := fault.New(fault.Store, "the cache in the store %s does not answer in time", s.name)
	if int64(time.Since(processStart)) < p.until.Load() {
		return CacheEntry{}, false, slow
	}
	select {
	case p.under <- struct{}{}:
	default:
		return CacheEntry{}, false, slow
	}
	type found struct {
		entry CacheEntry
		hit   bool
		err   error
	}
	got := make(chan found, 1)
	hurry, cancel := context.WithTimeout(ctx, cacheWithin)
	go func() {
		defer func() { cancel(); <-p.under }()
		entry, hit, err := s.cacheGet(hurry, key)
		got <- found{entry, hit, err}
	}()
	late := time.NewTimer(cacheWithin)
	defer late.Stop()
	select {
	case f := <-got:
		return f.entry, f.hit, f.err
	case <-ctx.Done():
		return CacheEntry{}, false, s.failure("read", ctx.Err())
	case <-late.C:
	}
	p.until.Store(int64(time.Since(processStart) + cacheRest))
	return CacheEntry{}, false, slow
}
