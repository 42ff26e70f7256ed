package cli

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
)

//go:embed all:template
var template embed.FS

func newInit(w *World) *cobra.Command {
	judges := false
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "A project that runs at once, with no key",
		Long: `Write a project into DIR (default: here): a prompt, a suite, a baseline, and recorded
replies, so that llmx test passes at once and offline; and the standard judge prompts,
for checks that ask a model. Files that are there already are never overwritten.

With --judges a project that is there gets those of the judge prompts that it lacks.`,
		Example: "  llmx init\n  llmx init support-desk\n  llmx init --judges",
		Args:    takes(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if judges {
				return addJudges(w, firstArg(args, "."))
			}
			return runInit(w, firstArg(args, "."))
		},
	}
	cmd.Flags().BoolVar(&judges, "judges", false, "add the standard judge prompts to the project that is there")
	return cmd
}

func runInit(w *World, name string) error {
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(w.Dir, dir)
	}
	files, err := templateFiles()
	if err != nil {
		return err
	}
	for _, file := range files { // all or nothing
		switch _, err := os.Lstat(filepath.Join(dir, file.target)); {
		case err == nil:
			return fault.New(fault.Usage, "%s is there already: nothing was written", path.Join(filepath.ToSlash(name), file.target)).
				WithHint("give a new directory: llmx init NAME")
		case !errors.Is(err, fs.ErrNotExist):
			return fault.New(fault.Usage, "%s cannot be written to: %s", name, reason(err)).Because(err)
		}
	}
	for _, file := range files {
		if err := file.write(dir); err != nil {
			return fault.New(fault.Store, "%s cannot be written: %s", file.target, reason(err)).
				WithHint("the project is not whole: remove it and try again").Because(err)
		}
	}
	cd := ""
	if filepath.Clean(name) != "." {
		cd = "cd " + name + "\n  "
	}
	_, err = fmt.Fprintf(w.Stdout, `wrote a project of %d files. Next:

  %sllmx test
      judges the draft of the prompt by recorded replies: no key, no network
  llmx test --prompt triage-terse
      the same prompt, cut short to save tokens: see what that breaks
  llmx prompt diff triage
      what the draft changed since the release
`, len(files), cd)
	return err
}

type templateFile struct{ source, target string }

// templateFiles lists what init writes, in order.
func templateFiles() ([]templateFile, error) {
	var files []templateFile
	err := fs.WalkDir(template, "template", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target := strings.TrimPrefix(name, "template/")
		if target == "gitignore" { // under its own name it would hide files of this repository
			target = ".gitignore"
		}
		files = append(files, templateFile{name, target})
		return nil
	})
	return files, err
}

func (f templateFile) write(dir string) error {
	data, err := template.ReadFile(f.source)
	if err != nil {
		return err
	}
	target := filepath.Join(dir, filepath.FromSlash(f.target))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return joined(err, file.Close())
}
