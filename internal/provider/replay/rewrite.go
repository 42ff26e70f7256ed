package replay

import (
	"bufio"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// row is a line of a file that is being written anew, and what it is sorted by.
type row struct {
	name   string // case, model and prompt with zero bytes between them
	repeat int
	id     id
	span   span
	line   []byte // set for a new one; else it stands at span
}

func rowOf(recording Recording) row {
	key, _ := idOf(recording.Key)
	return row{
		name:   strings.Join([]string{recording.Case, recording.Model, recording.Prompt}, "\x00"),
		repeat: recording.Repeat, id: key,
	}
}

func (a row) compare(b row) int {
	return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.repeat, b.repeat), a.id.compare(b.id))
}

// Prune writes the file anew with the recordings that keep wants: sorted by
// case, model, prompt and repeat, the last of each key, unchanged lines byte for
// byte. It tells how many lines were removed, duplicates included. A file that
// would be empty is removed. The whole index is in memory meanwhile.
func (r *Recordings) Prune(keep func(Recording) bool) (removed int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	removed = r.duplicates
	rows, err := r.rows(func(recording Recording) bool {
		if keep(recording) {
			return true
		}
		removed++
		return false
	})
	if err != nil {
		return 0, err
	}
	if err := r.rewrite(rows); err != nil {
		return 0, err
	}
	return removed, nil
}

// Import puts recordings into the file and sorts it; one of the same key is
// replaced. It tells how many were.
func (r *Recordings) Import(recordings []Recording) (replaced int, err error) {
	added := map[id]row{}
	for _, recording := range recordings {
		row := rowOf(recording)
		if _, ok := idOf(recording.Key); !ok {
			return 0, fault.New(fault.Internal, "a recording without a key")
		}
		row.line = recording.line()
		added[row.id] = row
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, err := r.rows(func(recording Recording) bool {
		key, _ := idOf(recording.Key)
		_, again := added[key]
		if again {
			replaced++
		}
		return !again
	})
	if err != nil {
		return 0, err
	}
	for _, row := range added {
		rows = append(rows, row)
	}
	if err := r.rewrite(rows); err != nil {
		return 0, err
	}
	return replaced, nil
}

func (r *Recordings) rows(keep func(Recording) bool) ([]row, error) {
	var rows []row
	for _, s := range r.index.all() {
		recording, _, err := r.read(s)
		if err != nil {
			return nil, err
		}
		if keep(recording) {
			row := rowOf(recording)
			row.span = s
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// rewrite replaces the file by one with these rows, atomically, and reads it.
func (r *Recordings) rewrite(rows []row) error {
	if r.dir == "" {
		return fault.New(fault.Internal, "%s: was opened for reading alone", r.file)
	}
	slices.SortFunc(rows, row.compare)
	name := r.path()
	if len(rows) == 0 {
		if err := r.release(); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return r.storeFault("cannot be removed", err)
		}
		return r.load()
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return r.storeFault("its directory cannot be made", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return r.storeFault("cannot be written", err)
	}
	err = r.writeRows(temp, rows)
	if err == nil {
		// An open file cannot be replaced everywhere.
		if err = r.release(); err == nil {
			err = os.Rename(temp.Name(), name)
		}
	}
	if err != nil {
		// The first error says what is wrong; the file is as it was.
		_ = os.Remove(temp.Name())
		if r.closer == nil {
			_ = r.load()
		}
		return r.storeFault("cannot be written", err)
	}
	return r.load()
}

func (r *Recordings) writeRows(temp *os.File, rows []row) error {
	w := bufio.NewWriterSize(temp, 64<<10)
	var failure error
	for _, row := range rows {
		line := row.line
		if line == nil {
			var err error
			if _, line, err = r.read(row.span); err != nil {
				failure = err
				break
			}
			line = append(line, '\n')
		}
		if _, err := w.Write(line); err != nil {
			failure = err
			break
		}
	}
	return cmp.Or(failure, w.Flush(), temp.Chmod(0o644), temp.Sync(), temp.Close())
}
