package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// standardJudges are the judge prompts that init brings, by name.
func standardJudges() map[string]templateFile {
	files, err := templateFiles()
	if err != nil {
		return nil // they are part of the binary
	}
	judges := map[string]templateFile{}
	for _, file := range files {
		if name := path.Base(path.Dir(file.target)); strings.HasPrefix(file.target, "prompts/judge-") {
			judges[name] = file
		}
	}
	return judges
}

// addJudges adds the judge prompts that a project lacks. One that is there in any
// version is the project's own.
func addJudges(w *World, dir string) error {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(w.Dir, dir)
	}
	root, err := findRoot(dir)
	if err != nil {
		return err
	}
	judges := standardJudges()
	var added, kept []string
	for _, name := range slices.Sorted(maps.Keys(judges)) {
		switch _, err := os.Lstat(filepath.Join(root, "prompts", name)); {
		case err == nil:
			kept = append(kept, name)
			continue
		case !errors.Is(err, fs.ErrNotExist):
			return fault.New(fault.Usage, "prompts/%s cannot be looked at: %s", name, reason(err)).Because(err)
		}
		if err := judges[name].write(root); err != nil {
			return fault.New(fault.Store, "%s cannot be written: %s", judges[name].target, reason(err)).Because(err)
		}
		added = append(added, name)
	}
	for _, name := range added {
		if _, err := fmt.Fprintf(w.Stdout, "wrote %s\n", judges[name].target); err != nil {
			return err
		}
	}
	if len(kept) > 0 {
		_, err = fmt.Fprintf(w.Stdout, "left as they are: %s\n", strings.Join(kept, ", "))
	}
	return err
}
