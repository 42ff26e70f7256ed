package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/eval/scorer"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/store"
)

const configFile = "llmx.yaml"

// project is the directory that holds an llmx.yaml, with what its files say.
type project struct {
	world   *World
	root    string // absolute
	fs      fs.FS
	config  *config.Config
	prompts *prompt.Library
	// programs runs the checks that are programs, for all suites together.
	programs scorer.Programs
}

// openProject finds llmx.yaml in the working directory or above, and reads it.
func openProject(w *World) (*project, error) {
	root, err := findRoot(w.Dir)
	if err != nil {
		return nil, err
	}
	files, err := openFiles(root)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the project cannot be read: %s", reason(err)).Because(err)
	}
	cfg, err := config.Load(files, configFile)
	if err != nil {
		return nil, err
	}
	return &project{world: w, root: root, fs: files, config: cfg, prompts: prompt.NewLibrary(files),
		programs: newPrograms(w, root, files, cfg.Providers)}, nil
}

// inProject makes the run function of a command that works in a project.
func inProject(w *World, work func(cmd *cobra.Command, p *project, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		p, err := openProject(w)
		if err != nil {
			return err
		}
		return work(cmd, p, args)
	}
}

func findRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fault.New(fault.Invalid, "the directory %s cannot be found", dir).Because(err)
	}
	if info, err := os.Stat(start); err != nil || !info.IsDir() {
		return "", fault.New(fault.Usage, "%s is not a directory", dir).Because(err)
	}
	for at := start; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, configFile)); err == nil {
			return at, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fault.At(fault.Place{File: filepath.Join(at, configFile)}, "the file cannot be read").Because(err)
		}
		if at == filepath.Dir(at) {
			return "", fault.New(fault.Invalid, "no %s in this directory or above it", configFile).
				WithHint("llmx init makes a project that runs at once")
		}
	}
}

// access says what a command does with the store.
type access int

const (
	looks   access = iota // at what is there; no file is created, not even one of SQLite's own
	reads                 // what is there
	changes               // what is there
	adds                  // to what is there, or to a new file
)

// openStore opens the project's database.
func (p *project) openStore(ctx context.Context, what access) (*store.Store, error) {
	name, path := p.config.Store.Path, p.storePath()
	if what != adds {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Usage, "nothing is stored yet: %s does not exist", name).WithHint("llmx test makes the first run")
		}
	}
	if what == adds {
		p.keepFromGit(filepath.Dir(path))
	}
	return store.Open(ctx, path, store.Options{
		Now: p.world.Now, ReadOnly: what <= reads, Untouched: what == looks,
		Content: store.Content(p.config.Store.Content), Name: name,
	})
}

// ownDir holds what llmx makes of its own, unless the store is said to be elsewhere.
const ownDir = ".llmx"

// keepFromGit makes the directory of a new store one that git passes over: a store that was
// added with all else would be put back to what it was by a checkout, and lose its runs.
// What cannot be made here is said by who opens the store.
func (p *project) keepFromGit(dir string) {
	if dir == filepath.Join(p.root, ownDir) && os.Mkdir(dir, 0o755) == nil {
		_ = os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644)
	}
}

func (p *project) storePath() string {
	if path := p.config.Store.Path; filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.root, filepath.FromSlash(p.config.Store.Path))
}
