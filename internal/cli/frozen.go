package cli

import (
	"bytes"
	"io"
	"io/fs"
	"sync"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// frozenFiles are files as they were when each was first looked at: what a server gives
// stays what it was checked to be, whatever becomes of the files. It keeps what was read
// in memory, so it is for files that are few and small: prompts and llmx.yaml.
type frozenFiles struct {
	disk fs.FS

	mu    sync.Mutex
	texts map[string]known[frozenText]
	stats map[string]known[fs.FileInfo]
	links map[string]known[fs.FileInfo] // lstat
	leads map[string]known[string]      // where links lead
	lists map[string]known[[]fs.DirEntry]
}

// mostFrozen bounds what is kept of one file, in bytes.
const mostFrozen = strictyaml.MaxSize

// known is what the disk said once.
type known[T any] struct {
	value T
	err   error
}

type frozenText struct {
	info fs.FileInfo
	data []byte
}

func freeze(disk fs.FS) *frozenFiles {
	return &frozenFiles{
		disk: disk, texts: map[string]known[frozenText]{}, stats: map[string]known[fs.FileInfo]{}, links: map[string]known[fs.FileInfo]{},
		leads: map[string]known[string]{}, lists: map[string]known[[]fs.DirEntry]{},
	}
}

// once asks the disk the first time.
func once[T any](f *frozenFiles, kept map[string]known[T], name string, ask func() (T, error)) (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer, ok := kept[name]
	if !ok {
		answer.value, answer.err = ask()
		kept[name] = answer
	}
	return answer.value, answer.err
}

// Open opens a file whose content is known then; directories are read by ReadDir.
func (f *frozenFiles) Open(name string) (fs.File, error) {
	if info, err := f.Stat(name); err != nil {
		return nil, err
	} else if info.IsDir() {
		return f.disk.Open(name)
	} else if info.Size() > mostFrozen {
		return f.disk.Open(name) // no prompt is that large: it is refused, or media that is read for the one request
	}
	text, err := once(f, f.texts, name, func() (frozenText, error) {
		file, err := f.disk.Open(name)
		if err != nil {
			return frozenText{}, err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return frozenText{}, err
		}
		data, err := io.ReadAll(file)
		return frozenText{info, data}, err
	})
	if err != nil {
		return nil, err
	}
	return &frozenFile{text.info, bytes.NewReader(text.data)}, nil
}

func (f *frozenFiles) Stat(name string) (fs.FileInfo, error) {
	return once(f, f.stats, name, func() (fs.FileInfo, error) { return fs.Stat(f.disk, name) })
}

func (f *frozenFiles) Lstat(name string) (fs.FileInfo, error) {
	return once(f, f.links, name, func() (fs.FileInfo, error) { return fs.Lstat(f.disk, name) })
}

func (f *frozenFiles) ReadLink(name string) (string, error) {
	return once(f, f.leads, name, func() (string, error) { return fs.ReadLink(f.disk, name) })
}

func (f *frozenFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	return once(f, f.lists, name, func() ([]fs.DirEntry, error) { return fs.ReadDir(f.disk, name) })
}

// frozenFile is an open file of which all is known.
type frozenFile struct {
	info fs.FileInfo
	*bytes.Reader
}

func (f *frozenFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *frozenFile) Close() error               { return nil }
