package prompt

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// promptsDir is where prompts stand in a project.
const promptsDir = "prompts"

// maxFile bounds a prompt file, an include and a schema, in bytes.
const maxFile = strictyaml.MaxSize

// errOutside says that a path leads out of the directory it must stay in.
var errOutside = errors.New("outside")

// maxLinks bounds the symbolic links on the way to one file.
const maxLinks = 16

// jail finds the real path of a file below dir: a path, or a symbolic link on the
// way, that leads out of dir gives errOutside.
func jail(fsys fs.FS, dir, name string) (string, error) {
	links := 0
	rest := strings.Split(path.Clean(name), "/")
	if !within(dir, path.Clean(name)) || path.IsAbs(name) || strings.Contains(name, "\\") {
		return "", errOutside
	}
	real := ""
	for len(rest) > 0 {
		next := path.Join(real, rest[0])
		rest = rest[1:]
		info, err := fs.Lstat(fsys, next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			real = next
			continue
		}
		if links++; links > maxLinks {
			return "", errOutside
		}
		target, err := fs.ReadLink(fsys, next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) || strings.Contains(target, "\\") {
			return "", errOutside
		}
		target = path.Join(path.Dir(next), target)
		whole := path.Join(append([]string{target}, rest...)...)
		if !within(dir, whole) || !fs.ValidPath(whole) {
			return "", errOutside
		}
		real, rest = "", strings.Split(whole, "/")
	}
	return real, nil
}

func within(dir, name string) bool {
	return dir == "." && name != ".." && !strings.HasPrefix(name, "../") || strings.HasPrefix(name, dir+"/")
}

// readBounded reads at most limit bytes of a file; tooLarge reports that it has more.
func readBounded(fsys fs.FS, name string, limit int) (data []byte, tooLarge bool, err error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	if info.IsDir() {
		return nil, false, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	if !info.Mode().IsRegular() {
		return nil, false, &fs.PathError{Op: "read", Path: name, Err: errors.New("is not a regular file")}
	}
	if info.Size() > int64(limit) {
		return nil, true, nil
	}
	data, err = io.ReadAll(io.LimitReader(file, int64(limit)+1))
	return data, len(data) > limit, err
}

// readText reads a text file below prompts/: UTF-8, at most 8 MB, its line ends as \n.
// An error that is no fault.Error says that the file could not be read at all.
func readText(fsys fs.FS, name string) (string, error) { return readTextBelow(fsys, promptsDir, name) }

// ReadSchema reads a schema file from anywhere in the project. An error has no place,
// unless it is of what stands in the file.
func ReadSchema(fsys fs.FS, name string) ([]byte, error) {
	text, err := readTextBelow(fsys, ".", name)
	switch {
	case errors.Is(err, errOutside):
		return nil, fault.New(fault.Invalid, "the file %s leads out of the project", quote(name)).WithHint("it must stay within the project, symbolic links included")
	case err != nil:
		return nil, unreadable(fault.Place{}, "the file "+quote(name), err)
	}
	return []byte(text), nil
}

func readTextBelow(fsys fs.FS, dir, name string) (string, error) {
	real, err := jail(fsys, dir, name)
	if err != nil {
		return "", err
	}
	data, tooLarge, err := readBounded(fsys, real, maxFile)
	if err != nil {
		return "", err
	}
	if tooLarge {
		return "", fault.At(fault.Place{File: name}, "the file is larger than %d MB", maxFile>>20).WithHint("at most %d MB are read", maxFile>>20)
	}
	if err := strictyaml.CheckText(name, data, 1); err != nil {
		return "", err
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

// unreadable turns any error of reading into one with a place.
func unreadable(place fault.Place, what string, err error) *fault.Error {
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errOutside):
		return fault.At(place, "%s leads out of the directory %s/", what, promptsDir).WithHint("it must stay within %s/, symbolic links included", promptsDir)
	case errors.Is(err, fs.ErrNotExist):
		return fault.At(place, "%s does not exist", what).Because(err)
	case errors.Is(err, fs.ErrPermission):
		return fault.At(place, "%s may not be read", what).Because(err)
	}
	var onPath *fs.PathError
	if errors.As(err, &onPath) {
		err = onPath.Err // without the path of the machine
	}
	return fault.At(place, "%s cannot be read: %v", what, err).Because(err)
}
