package prompt

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/llmx-dev/llmx/internal/fault"
)

func dirFS(rootDir string) fs.FS { return os.DirFS(rootDir) }

// writeFile replaces a file at once: readers see the old one or the new one, whole.
// name is within the project, with forward slashes.
func writeFile(rootDir, name string, data []byte) error {
	temporary, err := writeTemporary(rootDir, name, data)
	if err != nil {
		return err
	}
	target := filepath.Join(rootDir, filepath.FromSlash(name))
	if err := os.Rename(temporary, target); err != nil {
		_ = os.Remove(temporary) // the failure before counts
		return unwritable(name, err)
	}
	return syncDir(filepath.Dir(target), name)
}

// createFile is writeFile for a file that must not exist.
func createFile(rootDir, name string, data []byte) error {
	temporary, err := writeTemporary(rootDir, name, data)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	target := filepath.Join(rootDir, filepath.FromSlash(name))
	if err := os.Link(temporary, target); err != nil {
		return unwritable(name, err)
	}
	return syncDir(filepath.Dir(target), name)
}

func writeTemporary(rootDir, name string, data []byte) (string, error) {
	target := filepath.Join(rootDir, filepath.FromSlash(name))
	file, err := os.CreateTemp(filepath.Dir(target), ".llmx-*")
	if err != nil {
		return "", unwritable(name, err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the failure before counts
		return "", unwritable(name, err)
	}
	return file.Name(), nil
}

// syncDir makes the new name last over a loss of power.
func syncDir(dir, name string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return unwritable(name, err)
	}
	err = handle.Sync()
	if closing := handle.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return unwritable(name, err)
	}
	return nil
}

func unwritable(name string, err error) error {
	words := err
	switch err := err.(type) { // without the path of the machine
	case *fs.PathError:
		words = err.Err
	case *os.LinkError:
		words = err.Err
	}
	return fault.At(fault.Place{File: name}, "the file cannot be written: %v", words).Because(err)
}
