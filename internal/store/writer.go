package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const (
	// gatherFor is how long the first row of a batch waits for others; with the
	// writing it stays below the 50 ms that kill -9 may lose.
	gatherFor = 20 * time.Millisecond
	// batchRows bounds a batch, and so how long another process waits for the lock.
	batchRows = 256
	// queueRows bounds what waits for the writer, which kill -9 loses too; whoever
	// comes later waits himself.
	queueRows = 256
)

// writer owns the one connection that writes. Rows are queued, and written in
// batches, each in one transaction that starts when the batch is complete: the
// lock is held for the writing alone.
type writer struct {
	name string
	now  func() time.Time
	db   *sql.DB
	conn *sql.Conn

	queue  chan work
	ended  chan struct{}
	closed bool         // guarded by gate
	gate   sync.RWMutex // held for reading while something is sent
	failed atomic.Pointer[fault.Error]

	serving *serving // nil: the first write error ends the writing

	// Of the writing goroutine alone.
	inserts inserts
	runs    map[string]*openRun
	loose   openRun // the calls outside of runs
	shapes  shapeSet
}

// work is one thing to write: at most one of the fields is set, besides done.
type work struct {
	result *eval.Result
	call   *llm.Call
	prompt *savedPrompt
	cached *cachePut
	do     func(*sql.Conn) error // in the batch's transaction, as its last
	bare   func(*sql.Conn) error // after the batch, outside of a transaction
	done   chan<- error          // told what became of the batch

	// Of a store that serves.
	size    int64        // bytes in memory, about
	claimed *atomic.Bool // by the writer, or by who has stopped waiting: the other leaves it
}

// urgent work ends its batch: somebody waits for it.
func (w *work) urgent() bool { return w.done != nil }

func openWriter(ctx context.Context, path string, o Options) (*writer, error) {
	db, conn, err := openConn(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return &writer{
		name: o.Name, now: o.Now, db: db, conn: conn,
		queue: make(chan work, queueRows), ended: make(chan struct{}),
		runs: map[string]*openRun{}, shapes: shapeSet{},
	}, nil
}

// openConn opens a connection that writes, with all tables.
func openConn(ctx context.Context, path string, o Options) (*sql.DB, *sql.Conn, error) {
	fail := func(err error) error { return failureOf(o.Name, "open", err) }
	scripts, err := migrations()
	if err != nil {
		return nil, nil, fail(err)
	}
	connector, err := sqlite.NewConnector(writerDSN(path, o.BusyTimeout, o.maxPages))
	if err != nil {
		return nil, nil, fail(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	conn, err := connect(ctx, db, o.BusyTimeout)
	if err != nil {
		db.Close()
		return nil, nil, fail(err)
	}
	if err := migrate(ctx, conn, o.Name, scripts); err != nil {
		conn.Close()
		db.Close()
		return nil, nil, err
	}
	return db, conn, nil
}

// connect waits for the lock itself: where two processes make one file, SQLite
// refuses the turn to a log at once to all but one of them, whatever its busy
// timeout says, since each holds a lock that the other one needs.
func connect(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Conn, error) {
	const pause = 5 * time.Millisecond
	for end := time.Now().Add(patience); ; {
		conn, err := db.Conn(ctx)
		said, ok := errors.AsType[*sqlite.Error](err)
		if !ok || said.Code()&0xff != sqlite3.SQLITE_BUSY || !time.Now().Before(end) {
			return conn, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// send queues work; it waits while the queue is full, but for a store that serves.
func (w *writer) send(item work) error {
	if w.serving != nil {
		return w.offer(w.queue, item)
	}
	if err := w.err(); err != nil {
		return err
	}
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.closed {
		return fault.New(fault.Store, "the store %s is closed", w.name)
	}
	w.queue <- item
	return nil
}

// wait queues work and waits until it is written.
func (w *writer) wait(ctx context.Context, item work) error {
	if w.serving != nil {
		return w.await(ctx, w.queue, item)
	}
	done := make(chan error, 1)
	item.done = done
	if err := w.send(item); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return w.gaveUp(ctx)
	}
}

func (w *writer) gaveUp(ctx context.Context) error {
	return fault.New(fault.Canceled, "gave up waiting for the store %s", w.name).Because(ctx.Err())
}

// err is the first write error; after it nothing is written any more.
func (w *writer) err() error {
	if failed := w.failed.Load(); failed != nil {
		return failed
	}
	return nil
}

func (w *writer) fail(err error) error {
	w.failed.CompareAndSwap(nil, fault.As(failureOf(w.name, "write", err)))
	return w.err()
}

// run is the writing goroutine; it ends when the queue is closed and empty.
func (w *writer) run() {
	defer close(w.ended)
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	batch := make([]work, 0, batchRows)
	for first := range w.queue {
		batch = append(batch[:0], first)
		if !first.urgent() {
			timer.Reset(gatherFor)
			batch = w.gather(batch, timer.C)
		}
		w.settle(batch)
		clear(batch)
	}
}

// gather fills a batch until the time is over, it is full, or somebody waits for it.
func (w *writer) gather(batch []work, over <-chan time.Time) []work {
	for len(batch) < batchRows {
		select {
		case item, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, item)
			if item.urgent() {
				return batch
			}
		case <-over:
			return batch
		}
	}
	return batch
}

// settle writes a batch and tells the one who waits for it, always the last.
func (w *writer) settle(batch []work) {
	last := batch[len(batch)-1]
	err := w.err()
	if err == nil {
		err = w.write(batch, last.do)
	}
	if err == nil && last.bare != nil {
		err = last.bare(w.conn)
	}
	if ofDatabase(err) {
		err = w.fail(err)
	}
	if last.done != nil {
		last.done <- err
	}
}

// write puts a batch into one transaction. An error of do that is not of the
// database is a refusal: do has written nothing then, and the rest is kept.
func (w *writer) write(batch []work, do func(*sql.Conn) error) error {
	ctx := context.Background() // waiting is bounded by the busy timeout
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := w.conn.Raw(func(conn any) error { return w.rows(conn.(driver.Conn), batch) })
	if err == nil && do != nil {
		err = do(w.conn)
	}
	if ofDatabase(err) {
		// The first error counts; SQLite may have rolled back by itself.
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	if _, failed := w.conn.ExecContext(ctx, "COMMIT"); failed != nil {
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		return failed
	}
	return err
}

func (w *writer) rows(conn driver.Conn, batch []work) error {
	if err := w.inserts.prepare(conn); err != nil {
		return err
	}
	w.loose.known = false // another process may have added calls since
	puts := 0
	for i := range batch {
		var err error
		switch item := &batch[i]; {
		case item.result != nil:
			err = w.insertResult(item.result)
		case item.call != nil:
			err = w.insertCall(item.call)
		case item.prompt != nil:
			err = w.insertPrompt(item.prompt)
		case item.cached != nil:
			puts++
			err = w.insertCached(item.cached)
		}
		if err != nil {
			return err
		}
	}
	if puts == 0 {
		return nil
	}
	return w.removeExpired(puts)
}

// close ends the writing goroutine when all that is queued is written.
func (w *writer) close() error {
	if w.serving != nil {
		return w.closeServing()
	}
	w.gate.Lock()
	w.closed = true
	close(w.queue)
	w.gate.Unlock()
	<-w.ended
	err := w.err()
	if stopped := w.stop(); err == nil {
		err = stopped
	}
	return err
}

// stop closes the connection.
func (w *writer) stop() error {
	err := w.conn.Raw(func(any) error { return w.inserts.close() })
	for _, closing := range []func() error{w.conn.Close, w.db.Close} {
		if failed := closing(); err == nil {
			err = failed
		}
	}
	return failureOf(w.name, "close", err)
}
