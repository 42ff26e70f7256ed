package suite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// preparedFile is an edited file that waits beside the one that it replaces.
type preparedFile struct {
	name, temporary, target string
}

// writeAll replaces files whole. All of them are prepared before the first is
// replaced, so that a full disk or a missing right leaves everything as it was.
func writeAll(rootDir string, files []*goldenFile) error {
	var ready []preparedFile
	defer func() {
		for _, p := range ready {
			_ = os.Remove(p.temporary) // it is gone where all went well
		}
	}()
	for _, f := range files {
		p, err := prepare(rootDir, f)
		if err != nil {
			return unwritten(f.name, err)
		}
		ready = append(ready, p)
	}
	var done []string
	for _, p := range ready {
		if err := os.Rename(p.temporary, p.target); err != nil {
			problem := unwritten(p.name, err)
			if len(done) > 0 {
				problem.Hint += "; written were " + strings.Join(done, ", ")
			}
			return problem
		}
		done = append(done, p.name)
	}
	return nil
}

// prepare writes a file beside the one that it is to replace, with its rights. Of a
// symbolic link the file is replaced, not the link.
func prepare(rootDir string, f *goldenFile) (preparedFile, error) {
	target, err := filepath.EvalSymlinks(filepath.Join(rootDir, filepath.FromSlash(f.name)))
	if err != nil {
		return preparedFile{}, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return preparedFile{}, err
	}
	temporary, err := os.CreateTemp(filepath.Dir(target), ".golden-*")
	if err != nil {
		return preparedFile{}, err
	}
	_, err = temporary.Write(f.after)
	if err == nil {
		err = temporary.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the failure before counts
		return preparedFile{}, err
	}
	return preparedFile{name: f.name, temporary: temporary.Name(), target: target}, nil
}

// unwritten words a failure without the machine's paths.
func unwritten(name string, err error) *fault.Error {
	words := err
	var link *os.LinkError
	if errors.As(err, &link) {
		words = link.Err
	}
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		words = inner.Err
	}
	return fault.New(fault.Store, "the file %s could not be written", name).Because(err).WithHint("%v", words)
}
