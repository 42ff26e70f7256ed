package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmx-dev/llmx/internal/fault"
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

	saved func() []work // the prompts that a new file needs
	renew func(int)     // how many idle connections the readers may keep

	// Of the writing goroutine alone.
	file    os.FileInfo // that is open
	beside  []beside
	owes    bool // the file is new, and lacks the prompts
	renewed bool // the readers keep no connection until the next look
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
		if w.serving.renewed {
			w.serving.renewed = false
			w.serving.renew(readerConns)
		}
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

// closeServing ends the writing within its bound.
func (w *writer) closeServing() error {
	v := w.serving
	before := v.outage.dropped.Load()
	w.gate.Lock()
	w.closed = true
	v.deadline = time.Now().Add(v.closeFor)
	close(v.closing)
	close(w.queue)
	w.gate.Unlock()
	var err error
	select {
	case <-w.ended:
		if w.conn != nil {
			err = w.stop()
		}
	case <-time.After(v.closeFor + servingBusy): // it hangs at the disk, and does so beyond our end
		err = fault.New(fault.Store, "cannot write the store %s: it does not answer", w.name).
			WithHint("check the disk, or the network that it is on")
	}
	if lost := v.outage.dropped.Load() - before; lost > 0 {
		why := v.outage.recording().Why
		lostCalls := fault.New(fault.Store, "%d calls could not be recorded in the store %s within %v of the end", lost, w.name, v.closeFor)
		if why != nil {
			lostCalls = fault.New(fault.Store, "%s: %s", lostCalls.Message, fault.As(why).Message).WithHint("%s", fault.As(why).Hint)
		}
		err = lostCalls
	}
	close(v.outage.stop)
	select {
	case <-v.outage.done:
	case <-time.After(servingBusy):
	}
	return err
}

// ready sees to it that the file under the path is open.
func (w *writer) ready() error {
	v := w.serving
	if w.conn != nil {
		lost, err := w.lost()
		if err != nil {
			return err
		}
		if lost == "" {
			return nil
		}
		v.outage.fail(fault.New(fault.Store, "the store %s was %s while it was open: what was in it is no more there", w.name, lost).
			WithHint("it is opened anew; keep its file where it is while llmx serve runs"))
		w.forsake()
		v.owes = true
	}
	if err := prepareFile(v.path, v.o); err != nil {
		return err
	}
	db, conn, err := openConn(context.Background(), v.path, v.o)
	if err != nil {
		return err
	}
	w.db, w.conn = db, conn
	if v.file, err = os.Stat(v.path); err != nil {
		w.leave()
		return err
	}
	v.beside = besideOf(v.path)
	return nil
}

// beside is a file of SQLite's own beside ours.
type beside struct {
	name string
	info os.FileInfo
}

func besideOf(path string) []beside {
	var all []beside
	for _, ending := range []string{"-wal", "-shm"} {
		if info, err := os.Stat(path + ending); err == nil {
			all = append(all, beside{path + ending, info})
		}
	}
	return all
}

// lost says what happened to the file if it is no more the one that is open: SQLite goes
// on writing into one that nobody will find.
func (w *writer) lost() (what string, err error) {
	now, err := os.Stat(w.serving.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "removed", nil
	case err != nil:
		return "", fault.New(fault.Store, "cannot see the store %s: %s", w.name, reason(err)).Because(err)
	case !os.SameFile(now, w.serving.file):
		return "replaced", nil
	}
	return "", nil
}

// forsake leaves a file that was removed or replaced. Its log must not stay under the
// name: SQLite would take it for that of the file which is there now, and play into it
// what was never meant for it. It goes only if it is the one that was open, which
// nobody else can have made meanwhile, as it is open until then.
func (w *writer) forsake() {
	for _, b := range slices.Backward(w.serving.beside) {
		if now, err := os.Stat(b.name); err == nil && os.SameFile(now, b.info) {
			_ = os.Remove(b.name) // the next try to open says what is wrong
		}
	}
	w.leave()
}

// leave closes the connection, and has the readers open theirs anew.
func (w *writer) leave() {
	_ = w.stop()
	w.db, w.conn = nil, nil
	w.inserts, w.loose = inserts{}, openRun{}
	clear(w.shapes)
	w.serving.renewed = true
	w.serving.renew(0)
}
