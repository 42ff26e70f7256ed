package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// promptsDir is where prompts stand in a project.
const promptsDir = "prompts"

// past is the project as it was at a commit, for what is asked once more: its prompts,
// models and routes. Providers, cases, checks and budgets are those of now.
type past struct {
	*project
	commit commit
	prefix string // of the project within the repository
	files  projectFiles
	dir    string // where the files were put; removed by close
}

// openPast reads the project as it was at a commit.
func (p *project) openPast(ctx context.Context, g *git, at commit) (*past, error) {
	files, err := g.files(ctx, at)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "llmx-past-")
	if err != nil {
		return nil, fault.New(fault.Store, "no directory can be made for the files of %s: %s", at, reason(err)).Because(err)
	}
	made := &past{commit: at, prefix: g.prefix, dir: dir}
	err = put(dir, files)
	if err == nil {
		made.files, err = openFiles(dir)
	}
	if err == nil {
		made.project, err = p.asIn(made.files)
	}
	if err != nil {
		made.close()
		return nil, made.at(err)
	}
	return made, nil
}

// asIn is the project with the prompts, models and routes of other files.
func (p *project) asIn(old fs.FS) (*project, error) {
	if _, err := fs.Stat(old, configFile); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.At(fault.Place{File: configFile}, "there was no such file yet").WithHint("compare with a commit that has the project")
	}
	settings, err := config.Load(old, configFile)
	if err != nil {
		return nil, err
	}
	if settings, err = settings.With(p.config); err != nil {
		return nil, err
	}
	made := *p
	made.config = settings
	// A prompt's own files are those of then, and what cases name (a picture, a
	// conversation) is of now.
	made.prompts = prompt.NewLibrary(overlay{p.fs, old})
	return &made, nil
}

// put writes files below a directory that nobody else has.
func put(dir string, files []entry) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fault.New(fault.Store, "%s cannot be opened: %s", dir, reason(err)).Because(err)
	}
	defer root.Close()
	for _, file := range files {
		name := filepath.FromSlash(file.path)
		err := root.MkdirAll(filepath.Dir(name), 0o700)
		if err == nil && file.mode == "120000" {
			err = root.Symlink(string(file.data), name)
		} else if err == nil {
			err = root.WriteFile(name, file.data, 0o600)
		}
		if err != nil {
			return fault.New(fault.Store, "%s cannot be written: %s", file.path, reason(err)).Because(err)
		}
	}
	return nil
}

func (p *past) close() {
	if p.files.root != nil {
		_ = p.files.root.Close()
	}
	_ = os.RemoveAll(p.dir)
}

// at names the commit before the files of a refusal, as git does: main:llmx.yaml:3:1.
func (p *past) at(err error) error {
	var problems fault.List
	problems.Add(err)
	var placed fault.List
	for _, problem := range problems {
		one := *problem
		if one.Place.File != "" {
			one.Place.File = p.commit.ref + ":" + p.prefix + one.Place.File
		} else {
			one.Message = "at " + p.commit.String() + ": " + one.Message
		}
		placed.Add(&one)
	}
	return placed.Err()
}

// named is what a suite's own file named at the commit: its prompt, and models where it
// did. Nothing where there was no such file: then the suite of now asks the prompt of
// then.
func (p *past) named(file string) (prompt string, models []string, err error) {
	data, err := fs.ReadFile(p.files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fault.At(fault.Place{File: file}, "the file cannot be read: %s", reason(err)).Because(err)
	}
	document, err := strictyaml.Parse(file, data, 1)
	if err != nil {
		return "", nil, err
	}
	for _, item := range document.Get("models").Items() {
		models = append(models, item.Text())
	}
	return document.Get("prompt").Text(), models, nil
}

// overlay reads prompts in one place, and all other files in another.
type overlay struct{ files, prompts fs.FS }

func (o overlay) of(name string) fs.FS {
	if name == promptsDir || strings.HasPrefix(name, promptsDir+"/") {
		return o.prompts
	}
	return o.files
}

func (o overlay) Open(name string) (fs.File, error)          { return o.of(name).Open(name) }
func (o overlay) ReadFile(name string) ([]byte, error)       { return fs.ReadFile(o.of(name), name) }
func (o overlay) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(o.of(name), name) }
func (o overlay) Lstat(name string) (fs.FileInfo, error)     { return fs.Lstat(o.of(name), name) }
func (o overlay) ReadLink(name string) (string, error)       { return fs.ReadLink(o.of(name), name) }
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(o.of(name), name) }
