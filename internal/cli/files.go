package cli

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// projectFiles reads the files of a project, and nothing but them: a link that
// leads out of the project is not followed, and what is no regular file (a pipe, a
// device) is refused before it is opened, as reading it might never end.
type projectFiles struct{ root *os.Root }

func openFiles(dir string) (projectFiles, error) {
	root, err := os.OpenRoot(dir)
	return projectFiles{root}, err
}

var errLeadsOut = errors.New("it is a link that leads out of the project; links are relative and stay inside")

var errNotRegular = errors.New("it is neither a file nor a directory")

func (p projectFiles) Open(name string) (fs.File, error) {
	if err := p.regular("open", name); err != nil {
		return nil, err
	}
	return p.root.FS().Open(name)
}

func (p projectFiles) regular(op, name string) error {
	info, err := fs.Stat(p.root.FS(), name)
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) { // a file where a directory would be: there is nothing
			return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		if link, linkErr := fs.Lstat(p.root.FS(), name); linkErr == nil && link.Mode()&fs.ModeSymlink != 0 && !errors.Is(err, fs.ErrNotExist) {
			return &fs.PathError{Op: op, Path: name, Err: errLeadsOut}
		}
		return err
	}
	if mode := info.Mode(); !mode.IsRegular() && !mode.IsDir() {
		return &fs.PathError{Op: op, Path: name, Err: errNotRegular}
	}
	return nil
}

// ReadFile, Stat, Lstat, ReadLink and ReadDir are what the rooms ask of a file
// system besides.
func (p projectFiles) ReadFile(name string) ([]byte, error) {
	if err := p.regular("read", name); err != nil {
		return nil, err
	}
	return fs.ReadFile(p.root.FS(), name)
}

func (p projectFiles) Stat(name string) (fs.FileInfo, error)  { return fs.Stat(p.root.FS(), name) }
func (p projectFiles) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(p.root.FS(), name) }
func (p projectFiles) ReadLink(name string) (string, error)   { return fs.ReadLink(p.root.FS(), name) }
func (p projectFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	return fs.ReadDir(p.root.FS(), name)
}
