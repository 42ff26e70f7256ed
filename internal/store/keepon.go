package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// shortestPause and longestPause are those between two tries to write.
	shortestPause = 50 * time.Millisecond
	longestPause  = 2 * time.Second
)

// serving is what a writer has besides, where it must not give up.
type serving struct {
	path     string
	o        Options
	most     int64        // bytes in the queue
	bytes    atomic.Int64 // likewise, now
	ahead    chan work    // goes before the queue
	outage   *outage
	closeFor time.Duration
	closing  chan struct{} // closed by Close
	deadline time.Time     // set before that

	saved  func() []work // the prompts that a new file needs
	opened atomic.Int64  // how often a file was opened

	// Of the writing goroutine alone.
	file   os.FileInfo // that is open
	beside []beside
	owes   bool // the file is new, and lacks the prompts
}

// serve is the writing goroutine of a store that serves: like run, but that it never
// takes a failure for the end.
func (w *writer) serve() {
	defer close(w.ended)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	w.keep(nil) // opens it
	batch := make([]work, 0, batchRows)
	for open := true; open; {
		var asked *work
		batch, asked, open = w.next(batch[:0], look.C, timer)
		if asked == nil || len(batch) > 0 {
			w.keep(batch)
		}
		for i := range batch {
			w.serving.bytes.Add(-batch[i].size)
		}
		clear(batch)
		if asked != nil {
			w.answer(asked)
		}
	}
	for {
		select {
		case item := <-w.serving.ahead:
			w.answer(&item)
		default:
			return
		}
	}
}

// next waits for rows to write, for somebody who asks for more, or for the time to
// look after the file. open is false once the queue is closed and empty.
func (w *writer) next(batch []work, look <-chan time.Time, timer *time.Timer) (_ []work, asked *work, open bool) {
	select {
	case item := <-w.serving.ahead:
		return batch, &item, true
	case <-look:
		return batch, nil, true
	case item, ok := <-w.queue:
		if !ok || item.urgent() {
			return batch, &item, ok
		}
		batch = append(batch, item)
	}
	timer.Reset(gatherFor)
	for len(batch) < batchRows {
		select {
		case item, ok := <-w.queue:
			if !ok {
				return batch, nil, false
			}
			if item.urgent() {
				return batch, &item, true
			}
			batch = append(batch, item)
		case item := <-w.serving.ahead:
			return batch, &item, true
		case <-timer.C:
			return batch, nil, true
		}
	}
	return batch, nil, true
}

// keep writes rows, in one transaction. As long as the file cannot be written it tries
// again; one that is whole is looked at alone where there are no rows. A row that no
// file would take is dropped.
func (w *writer) keep(rows []work) {
	outage := w.serving.outage
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		if w.late() {
			break
		}
		err := w.attempt(rows)
		switch {
		case err == nil:
			outage.works()
			return
		case ofRow(err) && len(rows) > 1:
			for i := range rows {
				w.keep(rows[i : i+1])
			}
			return
		case ofRow(err):
			for i := range rows {
				w.drop(&rows[i])
			}
			return
		}
		outage.fail(err)
		w.pause(pause)
	}
	for i := range rows {
		w.drop(&rows[i])
	}
}

// late reports that Close has waited long enough.
func (w *writer) late() bool {
	select {
	case <-w.serving.closing:
		return !time.Now().Before(w.serving.deadline)
	default:
		return false
	}
}

func (w *writer) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.serving.closing: // whoever closes does not want to wait for a long one
		<-time.After(min(shortestPause, max(0, time.Until(w.serving.deadline))))
	}
}

// attempt writes rows once, into the file that is there. Without rows it looks whether
// that would go.
func (w *writer) attempt(rows []work) error {
	defer w.serving.outage.attempt()()
	err := w.ready()
	if err == nil && w.serving.owes {
		if err = w.write(w.serving.saved(), nil); err == nil {
			w.serving.owes = false
		}
	}
	switch {
	case err != nil:
	case len(rows) > 0:
		err = w.write(rows, nil)
	case w.serving.outage.err() != nil:
		err = w.probe()
	}
	if err != nil {
		w.recover(err)
	}
	return err
}

// probe writes what the file has already.
func (w *writer) probe() error {
	return w.write(nil, func(conn *sql.Conn) error {
		var version int
		if err := conn.QueryRowContext(context.Background(), "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		_, err := conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

// recover makes the writer ready for the next try. A connection is kept only after
// failures that say nothing against it.
func (w *writer) recover(err error) {
	clear(w.shapes) // what was rolled back stands nowhere
	if said, ok := errors.AsType[*sqlite.Error](err); ok {
		switch said.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL:
			return
		}
	}
	if !ofRow(err) && w.conn != nil {
		w.leave()
	}
}

// ofRow tells a value that no file would take from a file that takes none.
func ofRow(err error) bool {
	if said, ok := errors.AsType[*sqlite.Error](err); ok {
		switch said.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
			return true
		}
		return false
	}
	_, unsupported := errors.AsType[*json.UnsupportedValueError](err)
	_, marshaler := errors.AsType[*json.MarshalerError](err)
	return unsupported || marshaler
}

// answer does what somebody waits for, and tells him. He may have left.
func (w *writer) answer(item *work) {
	if item.done == nil || !item.claimed.CompareAndSwap(false, true) {
		return
	}
	ended := w.serving.outage.attempt()
	err := w.ready()
	if err == nil && item.do != nil {
		err = w.write(nil, item.do)
	}
	if err == nil && item.bare != nil {
		err = item.bare(w.conn)
	}
	ended()
	down := w.conn == nil || ofDatabase(err) && !ofRow(err)
	if down {
		w.recover(err)
		w.serving.outage.fail(err)
	}
	item.done <- failureOf(w.name, "write", err)
	if down {
		w.keep(nil) // until it can be written again
	}
}
