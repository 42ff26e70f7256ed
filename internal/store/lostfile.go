package store

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

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
	v.opened.Add(1)
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

// leave closes the connection.
func (w *writer) leave() {
	_ = w.stop()
	w.db, w.conn = nil, nil
	w.inserts, w.loose = inserts{}, openRun{}
	clear(w.shapes)
}
