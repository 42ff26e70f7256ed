package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

const (
	servingBusy  = time.Second // how long a write waits for another process
	servingRows  = 20_000
	servingBytes = 32 << 20
	servingClose = 5 * time.Second
)

// Serving is how a store is kept open under a server.
type Serving struct {
	// Trouble is told, once a change, that nothing is recorded any more, that the reason
	// is another one, and that all is well again: one after the other, from a goroutine
	// of its own. nil for nobody.
	Trouble func(Recording)

	Rows     int           // that wait to be written, at most; default 20,000
	Bytes    int64         // of them, about; default 32 MB
	CloseFor time.Duration // what Close may take to write them; default 5 s
}

// Recording says whether what happens is recorded.
type Recording struct {
	Why     error     // why it is not, of class fault.Store; nil: it is
	Since   time.Time // since when; where it is recorded again, since when it was not
	Dropped int64     // calls since then that are not recorded and will not be
}

// OpenServing gives a store at once, whatever state its file is in, for a process
// that must go on answering. It is used like any other, but for these:
//
//   - Record, SavePrompt and CachePut never wait. What cannot be written now is kept in
//     memory as long as it fits the bounds, and tried again; what does not fit is dropped
//     and counted.
//   - A file that is locked, full, read-only, broken or not there is no end: it is tried
//     until it can be opened and written again. One that was removed or replaced while it
//     was open is left, and the one under its name is opened, or made anew.
//   - What somebody waits for (Change, Flush, PruneCalls and their like) fails at once
//     while nothing can be written. So does every read before the file was opened.
//   - CacheGet takes 50 ms at most; later it is a miss.
//   - It takes no runs.
//
// Close writes what waits, within CloseFor, and says how many calls it had to drop.
//
// A server opens it first, asks Opened for a moment so as to say at its start whether
// it records, and closes it last, after the book of budgets. Recording is for its
// readiness and its figures.
func OpenServing(path string, o Options, v Serving) *Store {
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = servingBusy
	}
	if o.Name == "" {
		o.Name = filepath.ToSlash(path)
	}
	if v.Rows <= 0 {
		v.Rows = servingRows
	}
	if v.Bytes <= 0 {
		v.Bytes = servingBytes
	}
	if v.CloseFor <= 0 {
		v.CloseFor = servingClose
	}
	s := &Store{name: o.Name, now: o.Now, content: o.Content, path: path, patience: newPatience()}
	w := &writer{
		name: o.Name, now: o.Now, queue: make(chan work, v.Rows), ended: make(chan struct{}),
		runs: map[string]*openRun{}, shapes: shapeSet{},
	}
	w.serving = &serving{
		path: path, o: o, most: v.Bytes, closeFor: v.CloseFor,
		ahead: make(chan work, aheadRows), closing: make(chan struct{}),
		outage: newOutage(o.Name, o.Now, v.Trouble), saved: s.savedPrompts,
	}
	s.writer = w
	s.readers = sql.OpenDB(&readersOf{outage: w.serving.outage, dsn: readerDSN(path, readerBusy, false), opened: &w.serving.opened})
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns)
	s.cached = preparedOnce(s.readers, cacheQuery)
	go w.serve()
	go w.serving.outage.watch()
	return s
}

// Opened waits until the file is open, or it is known why it cannot be opened now,
// or ctx ends.
func (s *Store) Opened(ctx context.Context) error {
	if s.writer == nil || s.writer.serving == nil {
		return nil
	}
	outage := s.writer.serving.outage
	select {
	case <-outage.opened:
		return outage.err()
	case <-ctx.Done():
		return fault.New(fault.Store, "the store %s is still being opened", s.name).Because(ctx.Err())
	}
}

// Recording says whether what happens is recorded now. Of a store that does not serve
// it is empty: its methods say what went wrong.
func (s *Store) Recording() Recording {
	if s.writer == nil || s.writer.serving == nil {
		return Recording{}
	}
	return s.writer.serving.outage.recording()
}

// Dropped counts the calls that were not recorded since the store was opened.
func (s *Store) Dropped() int64 {
	if s.writer == nil || s.writer.serving == nil {
		return 0
	}
	return s.writer.serving.outage.dropped.Load()
}
