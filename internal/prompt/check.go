package prompt

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Check reads everything in prompts/: every draft and release, the lock, the labels,
// and files that nothing uses. All problems are reported at once.
func (l *Library) Check() (warnings []*fault.Error, err error) {
	var problems, remarks fault.List
	names, err := l.Names()
	if err != nil {
		return nil, err
	}
	if _, err := l.lock(); err != nil {
		return nil, err
	}
	l.checkStray(&remarks)
	for _, name := range names {
		l.checkPrompt(name, &problems, &remarks)
	}
	if list, ok := remarks.Err().(fault.List); ok {
		warnings = list
	}
	return warnings, problems.Err()
}

func (l *Library) checkPrompt(name string, problems, remarks *fault.List) {
	take := func(p *Prompt, err error) {
		problems.Add(err)
		if p != nil {
			*remarks = append(*remarks, p.Warnings...)
		}
	}
	if _, err := fs.Stat(l.fsys, promptFile(name, draftName)); err == nil {
		take(load(l.fsys, name, draftName))
	}
	versions, err := l.releases(name)
	problems.Add(err)
	for _, version := range versions {
		take(l.release(name, version))
	}
	labels, _, err := readLabels(l.fsys, name)
	if err != nil {
		problems.Add(err)
		return
	}
	slices.Reverse(versions)
	for _, label := range labels {
		if !slices.Contains(versions, label.version) {
			problems.Add(fault.At(label.value.Place(), "the label %q names %s, which is no release of %s", label.name, label.version, name).
				WithHint("%s", fault.Allowed(label.version, versions)))
		}
	}
	if _, err := l.Labels(name); err != nil {
		problems.Add(err)
	}
}

// checkStray remarks on files that look as if they were meant for something.
func (l *Library) checkStray(remarks *fault.List) {
	err := fs.WalkDir(l.fsys, promptsDir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if hint := stray(file); hint != "" {
			remarks.Add(fault.At(fault.Place{File: file}, "the file is not used").WithHint("%s", hint))
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		remarks.Add(unreadable(fault.Place{File: promptsDir}, "the directory", err))
	}
}

// stray says how a misplaced or misnamed file would be used, "" for others.
func stray(file string) string {
	dir, base := path.Split(file)
	depth := strings.Count(dir, "/") // prompts/ is 1
	version, isPrompt := strings.CutSuffix(base, ".prompty")
	switch {
	case isPrompt && depth != 2:
		return "a prompt stands in " + promptsDir + "/<name>/, as draft.prompty or 1.2.0.prompty"
	case isPrompt && version != draftName && !validVersion(version):
		return "a prompt file is named draft.prompty, or by a whole version: 1.2.0.prompty"
	case isPrompt && !validName(path.Base(dir)):
		return "a prompt's name has letters, digits, - and _"
	case strings.HasPrefix(base, "labels.") && (base != "labels.yaml" || depth != 2):
		return "labels stand in " + promptsDir + "/<name>/labels.yaml"
	case strings.HasSuffix(base, ".lock") && file != lockFile:
		return "the lock is " + lockFile
	case strings.HasPrefix(base, ".llmx-"):
		return "it was left behind by an interrupted write; remove it"
	}
	return ""
}
