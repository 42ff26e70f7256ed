package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Recordings are the replies that are kept for one suite: the file
// fixtures/<suite>.jsonl. In memory there is an index alone, 32 bytes a
// recording. It is safe for concurrent use.
type Recordings struct {
	root fs.FS
	dir  string // the root's directory, "" where nothing may be written
	file string // relative to the root, with forward slashes

	mu         sync.RWMutex
	source     io.ReaderAt // nil where there is no file
	closer     io.Closer
	writer     appender // nil until the first recording is appended
	index      index
	lines      uint32
	duplicates int
	warnings   []string
}

// Path is the file of a suite's recordings, relative to the project.
func Path(suite string) string { return "fixtures/" + suite + ".jsonl" }

// Open reads the recordings of a suite and checks every line; all that is wrong
// is told at once. No file is no recordings. root is the project; dir is the same
// as a directory to write into, "" where nothing will be written.
func Open(root fs.FS, dir, suite string) (*Recordings, error) {
	file := Path(suite)
	if !fs.ValidPath(suite) || suite == "." || path.Clean(suite) != suite {
		return nil, fault.New(fault.Invalid, "%q cannot name a file of recordings", suite).
			WithHint("a suite's name is letters, digits, -, _ and .; / makes a folder")
	}
	r := &Recordings{root: root, dir: dir, file: file}
	if err := r.load(); err != nil {
		return nil, err
	}
	return r, nil
}

// load opens the file and builds the index.
func (r *Recordings) load() error {
	r.source, r.closer, r.index, r.lines, r.duplicates, r.warnings = nil, nil, index{}, 0, 0, nil
	f, err := r.root.Open(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.At(fault.Place{File: r.file}, "cannot be opened: %v", plain(err)).Because(err)
	}
	if err := r.scan(f); err != nil {
		_ = f.Close() // it was only read
		return err
	}
	return nil
}

func (r *Recordings) scan(f fs.File) error {
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		return fault.At(fault.Place{File: r.file}, "is a directory; want a file of recordings")
	}
	var reader io.Reader = f
	source, seekable := f.(io.ReaderAt)
	if !seekable {
		data, err := io.ReadAll(f)
		if err != nil {
			return fault.At(fault.Place{File: r.file}, "cannot be read: %v", plain(err)).Because(err)
		}
		source, reader = bytes.NewReader(data), bytes.NewReader(data)
	}
	size := int64(0)
	if info != nil {
		size = info.Size()
	}
	spans, err := r.readSpans(reader, size)
	if err != nil {
		return err
	}
	r.source, r.closer = source, f
	if r.duplicates = r.index.build(spans); r.duplicates > 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("%s: %d recordings are replaced by later ones of the same key; `llmx fixtures prune` removes them", r.file, r.duplicates))
	}
	return nil
}

// readSpans checks every line and says where it stands. size is the file's, to
// make room once.
func (r *Recordings) readSpans(source io.Reader, size int64) ([]span, error) {
	const sample = 1000
	var spans []span
	var wrong problems
	err := eachLine(r.file, source, func(l fileLine) error {
		r.lines = uint32(l.n)
		s, torn := r.readSpan(l, &wrong)
		if torn {
			r.warnings = append(r.warnings, fmt.Sprintf("%s:%d: the line was not written to its end, and is left out; `llmx fixtures prune` removes it", r.file, l.n))
		}
		if s.size > 0 {
			spans = append(spans, s)
		}
		if len(spans) == sample {
			left := (size - l.at) * sample / (l.at + 1)
			spans = append(make([]span, 0, sample+left+left/32), spans...)
		}
		return nil
	})
	if err != nil {
		wrong.list.Add(err)
	}
	return spans, wrong.err(r.file)
}

// readSpan checks one line. torn is set for a line that was cut.
func (r *Recordings) readSpan(l fileLine, wrong *problems) (s span, torn bool) {
	if isConflictMarker(l.text) {
		wrong.add(fault.At(fault.Place{File: r.file, Line: l.n}, "a conflict marker of git").
			WithHint("remove the marker lines and keep the recordings of both sides; of one key the later counts"))
		return span{}, false
	}
	recording, flaws := parseRecording(l.text)
	if len(flaws) > 0 {
		if isTorn(l.text) {
			return span{}, true
		}
		for _, f := range flaws {
			wrong.add(f.fault(r.file, l.n, l.text))
		}
		return span{}, false
	}
	key, _ := idOf(recording.Key)
	return span{id: key, at: l.at, size: uint32(len(l.text)), line: uint32(l.n)}, false
}

// Lookup finds the recording of a key.
func (r *Recordings) Lookup(key string) (Recording, bool, error) {
	id, ok := idOf(key)
	if !ok {
		return Recording{}, false, nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.index.find(id)
	if !ok {
		return Recording{}, false, nil
	}
	recording, _, err := r.read(s)
	if err != nil {
		return Recording{}, false, err
	}
	return recording, strings.EqualFold(recording.Key, key), nil
}

// read reads the line at a span. The caller holds the lock.
func (r *Recordings) read(s span) (Recording, []byte, error) {
	line := make([]byte, s.size)
	if n, err := r.source.ReadAt(line, s.at); n < len(line) {
		return Recording{}, nil, fault.At(fault.Place{File: r.file, Line: int(s.line)}, "cannot be read: %v", plain(err)).Because(err)
	}
	recording, flaws := parseRecording(line)
	if len(flaws) > 0 {
		return Recording{}, nil, flaws[0].fault(r.file, int(s.line), line)
	}
	if key, _ := idOf(recording.Key); key != s.id {
		return Recording{}, nil, fault.At(fault.Place{File: r.file, Line: int(s.line)}, "the file was changed while it was in use").WithHint("run the command again")
	}
	return recording, line, nil
}

// All gives every recording in the order of the file, the last of each key.
func (r *Recordings) All() iter.Seq2[Recording, error] {
	return func(yield func(Recording, error) bool) {
		r.mu.RLock()
		spans := r.index.all()
		r.mu.RUnlock()
		for _, s := range spans {
			r.mu.RLock()
			recording, _, err := r.read(s)
			r.mu.RUnlock()
			if !yield(recording, err) || err != nil {
				return
			}
		}
	}
}

// Len counts the recordings, one a key.
func (r *Recordings) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.index.len()
}

// Duplicates counts the lines that a later line of the same key replaces.
func (r *Recordings) Duplicates() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.duplicates
}

// Warnings says what is odd about the file and does not keep it from being used.
func (r *Recordings) Warnings() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return append([]string(nil), r.warnings...)
}

// File is the path of the file, relative to the project's root.
func (r *Recordings) File() string { return r.file }

// Close lets go of the file.
func (r *Recordings) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.release()
}

func (r *Recordings) release() error {
	if r.closer == nil {
		return nil
	}
	lost := r.lost()
	err := r.closer.Close()
	r.source, r.closer, r.writer, r.index = nil, nil, nil, index{}
	if err != nil {
		return fault.New(fault.Store, "%s: cannot be closed: %v", r.file, plain(err)).Because(err)
	}
	return lost
}

// lost reports that the file in which replies were recorded is not the one that
// stands under its name any more: somebody removed or rewrote it meanwhile.
func (r *Recordings) lost() error {
	file, writing := r.writer.(*os.File)
	if !writing {
		return nil
	}
	ours, err := file.Stat()
	if err != nil {
		return r.storeFault("cannot be read", err)
	}
	if theirs, err := os.Stat(r.path()); err == nil && os.SameFile(ours, theirs) {
		return nil
	}
	return fault.New(fault.Store, "%s was removed or rewritten while replies were recorded: what was recorded is lost", r.file).
		WithHint("record again, and do not prune or check out files meanwhile")
}

// plain is a file error without its path, which may name the user's machine.
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
