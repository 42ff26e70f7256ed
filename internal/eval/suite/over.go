package suite

import (
	"bytes"
	"io/fs"
	"path"
	"time"
)

// over is a project with one file as it would be.
type over struct {
	fs.FS
	name string
	data []byte
}

// Open opens the file as it would be, and every other one as it is.
func (o over) Open(name string) (fs.File, error) {
	if name != o.name {
		return o.FS.Open(name)
	}
	return &overFile{Reader: bytes.NewReader(o.data), name: path.Base(name)}, nil
}

// overFile is an open file that lies in memory.
type overFile struct {
	*bytes.Reader
	name string
}

// Stat gives the file itself, which describes itself.
func (f *overFile) Stat() (fs.FileInfo, error) { return f, nil }

// Close does nothing.
func (f *overFile) Close() error { return nil }

// The rest says of the file what fs.FileInfo asks.

// Name is its last element.
func (f *overFile) Name() string { return f.name }

// Mode is that of a file that is only read.
func (f *overFile) Mode() fs.FileMode { return 0o444 }

// ModTime is not known.
func (f *overFile) ModTime() time.Time { return time.Time{} }

// IsDir is false.
func (f *overFile) IsDir() bool { return false }

// Sys is nil.
func (f *overFile) Sys() any { return nil }
