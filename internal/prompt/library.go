package prompt

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Use says what prompts are resolved for: which version a bare name means.
type Use int

// The uses.
const (
	Develop Use = iota // the draft, or the highest release where there is none
	Serve              // the label production
)

// Library finds the prompts of a project. It reads what is asked for, when it is
// asked for, and keeps it: a file that changes afterwards needs a new Library.
// It is safe for concurrent use.
type Library struct {
	fsys fs.FS
	lock func() (lock, error) // read once

	mu       sync.Mutex
	resolved map[request]*Prompt
	loaded   map[[2]string]*Prompt // by name and version
}

type request struct {
	ref string
	use Use
}

// NewLibrary makes the library of the project at root.
func NewLibrary(root fs.FS) *Library {
	return &Library{
		fsys:     root,
		lock:     sync.OnceValues(func() (lock, error) { return readLock(root) }),
		resolved: map[request]*Prompt{},
		loaded:   map[[2]string]*Prompt{},
	}
}

// Names lists the prompts: the directories in prompts/ that hold a prompt file, or
// that the lock knows.
func (l *Library) Names() ([]string, error) {
	entries, err := fs.ReadDir(l.fsys, promptsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(fault.Place{File: promptsDir}, "the directory", err)
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() || !validName(entry.Name()) {
			continue
		}
		files, err := fs.ReadDir(l.fsys, path.Join(promptsDir, entry.Name()))
		if err != nil {
			return nil, unreadable(fault.Place{File: path.Join(promptsDir, entry.Name())}, "the directory", err)
		}
		if slices.ContainsFunc(files, func(f fs.DirEntry) bool { return strings.HasSuffix(f.Name(), ".prompty") }) {
			names = append(names, entry.Name())
		}
	}
	locked, err := l.lock()
	if err != nil {
		return names, nil // whoever needs the lock reports it
	}
	for _, entry := range locked {
		names = append(names, entry.Prompt)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Resolve finds a prompt by its reference: a name, name@1.2.0, name@draft or
// name@label. A release that differs from the lock is an error of class Drifted.
func (l *Library) Resolve(ref string, use Use) (*Prompt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.resolved[request{ref, use}]; p != nil {
		return p, nil
	}
	name, version, exact := strings.Cut(ref, "@")
	if err := l.exists(name); err != nil {
		return nil, err
	}
	var err error
	if version, err = l.version(name, version, exact, use); err != nil {
		return nil, err
	}
	p := l.loaded[[2]string{name, version}]
	if p == nil {
		if p, err = l.read(name, version); err != nil {
			return nil, err
		}
		l.loaded[[2]string{name, version}] = p
	}
	l.resolved[request{ref, use}] = p
	return p, nil
}

func (l *Library) read(name, version string) (*Prompt, error) {
	if version == draftName {
		return load(l.fsys, name, draftName)
	}
	return l.release(name, version)
}

// exists refuses the name of no prompt.
func (l *Library) exists(name string) error {
	if validName(name) {
		if _, err := fs.Stat(l.fsys, promptFile(name, draftName)); err == nil {
			return nil
		}
	}
	names, err := l.Names()
	if err != nil {
		return err
	}
	if slices.Contains(names, name) {
		return nil
	}
	failure := fault.New(fault.Invalid, "there is no prompt %q", name).WithHint("%s", fault.Allowed(name, names))
	if len(names) == 0 {
		failure.Hint = "the first one is " + promptFile("<name>", draftName) + "; llmx init makes an example"
	}
	return failure
}

// version tells which version a reference means.
func (l *Library) version(name, version string, exact bool, use Use) (string, error) {
	if exact && (version == draftName || validVersion(version)) {
		return version, nil
	}
	labels, _, err := readLabels(l.fsys, name)
	if !exact && use == Develop {
		return l.newest(name)
	}
	if err != nil {
		return "", err
	}
	if !exact {
		version = production
	}
	if found := findLabel(labels, version); found != nil {
		return found.version, nil
	}
	if !exact {
		return "", l.unlabelled(name)
	}
	versions, err := l.releases(name)
	if err != nil {
		return "", err
	}
	slices.Reverse(versions)
	allowed := append(labelNames(labels), versions...)
	if use == Develop {
		allowed = append([]string{draftName}, allowed...)
	}
	return "", fault.New(fault.Invalid, "%s has no release or label %q", name, version).WithHint("%s", fault.Allowed(version, allowed))
}

// newest is the draft, or else the highest release.
func (l *Library) newest(name string) (string, error) {
	if _, err := fs.Stat(l.fsys, promptFile(name, draftName)); err == nil {
		return draftName, nil
	}
	versions, err := l.releases(name)
	if err != nil {
		return "", err
	}
	if len(versions) == 0 {
		return draftName, nil // whose absence is then reported
	}
	return versions[len(versions)-1], nil
}

// unlabelled refuses to serve what nobody put into production.
func (l *Library) unlabelled(name string) error {
	versions, err := l.releases(name)
	if err != nil {
		return err
	}
	failure := fault.New(fault.Invalid, "%s has no label %q, so it is not served", name, production)
	if len(versions) == 0 {
		return failure.WithHint("release it: llmx prompt release %s --minor; then set the label: llmx prompt label %s %s 0.1.0", name, name, production)
	}
	return failure.WithHint("set it: llmx prompt label %s %s %s", name, production, versions[len(versions)-1])
}

// releases are the versions of a prompt that are there or locked, ascending.
func (l *Library) releases(name string) ([]string, error) {
	files, err := fs.ReadDir(l.fsys, path.Join(promptsDir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(fault.Place{File: path.Join(promptsDir, name)}, "the directory", err)
	}
	entries, err := l.lock()
	if err != nil {
		return nil, err
	}
	versions := entries.versions(name)
	for _, file := range files {
		if version, ok := strings.CutSuffix(file.Name(), ".prompty"); ok && validVersion(version) {
			versions = append(versions, version)
		}
	}
	slices.SortFunc(versions, compareVersions)
	return slices.Compact(versions), nil
}

// release loads a release and compares it with the lock.
func (l *Library) release(name, version string) (*Prompt, error) {
	versions, err := l.releases(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(versions, version) {
		slices.Reverse(versions)
		return nil, fault.New(fault.Invalid, "%s has no release %q", name, version).WithHint("%s", fault.Allowed(version, versions))
	}
	entries, err := l.lock()
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(l.fsys, promptFile(name, version)); errors.Is(err, fs.ErrNotExist) {
		return nil, drifted(promptFile(name, version), "the release %s@%s is in %s, but its file is missing", name, version, lockFile).
			WithHint("restore it: git checkout %s", promptFile(name, version))
	}
	p, err := load(l.fsys, name, version)
	if err != nil {
		return nil, brokenRelease(entries.find(name, version), name, version, err)
	}
	if err := entries.drift(p); err != nil {
		return nil, err
	}
	if warning := entries.descent(name, version, versions); warning != nil {
		p.Warnings = append(p.Warnings, warning)
	}
	return p, nil
}

// brokenRelease says of a release that does not load, but once did, that it was
// edited. A mistake of reading (a lost permission) is reported as what it is.
func brokenRelease(entry *locked, name, version string, err error) error {
	if entry == nil {
		return err
	}
	cause := fault.As(err)
	var list fault.List
	if errors.As(err, &list) && len(list) > 0 {
		cause = list[0]
	}
	failure := drifted(promptFile(name, version), "the release %s@%s was edited: %s", name, version, cause.Message)
	failure.Place = cause.Place
	return failure.WithHint("undo the edit: git checkout %s", promptFile(name, version)).Because(cause)
}

// descent warns of a release that does not descend from the one before it.
func (l lock) descent(name, version string, versions []string) *fault.Error {
	entry := l.find(name, version)
	before := ""
	if i := slices.Index(versions, version); i > 0 {
		before = versions[i-1]
	}
	if entry == nil || entry.Parent == before {
		return nil
	}
	from := "the release " + entry.Parent
	if entry.Parent == "" {
		from = "no release"
	}
	return fault.At(fault.Place{File: promptFile(name, version)}, "%s@%s does not descend from %s, the release before it, but from %s", name, version, before, from).
		WithHint("what changed in %s may be missing; compare: llmx prompt diff %s@%s %s@%s", before, name, before, name, version)
}
