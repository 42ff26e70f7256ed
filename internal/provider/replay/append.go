package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/llmx-dev/llmx/internal/fault"
)

// appender is what Append needs of a file; *os.File has it.
type appender interface {
	io.Writer
	io.ReaderAt
	io.Seeker
	Truncate(size int64) error
}

// Append keeps a reply, at once and in one write at the end of the file. An
// older recording of the same key is replaced for every later Lookup, and
// removed from the file by Prune.
func (r *Recordings) Append(recording Recording) error {
	key, ok := idOf(recording.Key)
	if !ok {
		return fault.New(fault.Internal, "a recording without a key")
	}
	line := recording.line()
	if len(line) > maxLine {
		return fault.New(fault.Store, "%s: a reply of %d MB is not kept", r.file, len(line)>>20).WithHint("at most %d MB a line", maxLine>>20)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openForAppend(); err != nil {
		return err
	}
	_, known := r.index.find(key)
	at, err := r.write(line)
	if err != nil {
		return err
	}
	r.lines++
	if known {
		r.duplicates++
	}
	r.index.add(span{id: key, at: at, size: uint32(len(line) - 1), line: r.lines})
	return nil
}

// write appends one line and says where it stands. After a failure nothing of
// the line is left.
func (r *Recordings) write(line []byte) (at int64, err error) {
	before, err := r.writer.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, r.storeFault("cannot be written", err)
	}
	if _, err := r.writer.Write(line); err != nil {
		return 0, r.storeFault("cannot be written", errors.Join(err, r.writer.Truncate(before)))
	}
	// Another process may have appended since; after a write in append mode the
	// position is the end of what was written.
	after, err := r.writer.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, r.storeFault("cannot be written", err)
	}
	return after - int64(len(line)), nil
}

func (r *Recordings) openForAppend() error {
	if r.writer != nil {
		return nil
	}
	if r.dir == "" {
		return fault.New(fault.Internal, "%s: was opened for reading alone", r.file)
	}
	name := r.path()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return r.storeFault("its directory cannot be made", err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return r.storeFault("cannot be opened for writing", err)
	}
	if err := repair(f); err != nil {
		_ = f.Close() // the first error says what is wrong
		return r.storeFault("cannot be repaired", err)
	}
	if r.closer != nil {
		_ = r.closer.Close() // it was only read
	}
	r.source, r.closer, r.writer = f, f, f
	return nil
}

func (r *Recordings) path() string { return filepath.Join(r.dir, filepath.FromSlash(r.file)) }

func (r *Recordings) storeFault(what string, err error) error {
	if told, ok := errors.AsType[*fault.Error](err); ok {
		return told
	}
	return fault.New(fault.Store, "%s: %s: %v", r.file, what, plain(err)).
		WithHint("look for a full disk and for missing rights").Because(err)
}

// repair makes the file end with the end of a line. A line that a killed process
// has left torn stays, and is passed over by readers until Prune removes it: what
// looks torn may also be a write of another process that is under way, and
// nothing of it may be cut off.
func repair(f appender) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte("\n"))
	return err
}

// isTorn reports whether a line was cut in a write: it begins as Append begins a
// line, and its JSON ends too early. Anything else is a line that somebody wrote.
func isTorn(line []byte) bool {
	const begin = `{"key":"`
	n := min(len(line), len(begin))
	if string(line[:n]) != begin[:n] {
		return false
	}
	var value json.RawMessage
	err := json.NewDecoder(bytes.NewReader(line)).Decode(&value)
	return errors.Is(err, io.ErrUnexpectedEOF)
}
