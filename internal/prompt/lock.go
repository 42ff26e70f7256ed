package prompt

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/llmx-dev/llmx/internal/fault"
)

// lockFile holds one line of JSON for each release, sorted, so that git merges and
// shows it well.
const lockFile = promptsDir + "/prompts.lock"

// locked is a line of the lock: what a release was when it was frozen.
type locked struct {
	Prompt  string            `json:"prompt"`
	Version string            `json:"version"`
	Parent  string            `json:"parent"` // the release before it, "" for the first
	Hash    string            `json:"hash"`
	Parts   map[string]string `json:"parts,omitempty"` // short hashes: what drift compares
}

// lock is the whole file, sorted by prompt and version.
type lock []locked

func readLock(fsys fs.FS) (lock, error) {
	text, err := readText(fsys, lockFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(fault.Place{File: lockFile}, "the lock", err)
	}
	return parseLock(text)
}

func parseLock(text string) (lock, error) {
	var entries lock
	var problems fault.List
	seen := map[[2]string]int{}
	for i, line := range strings.Split(text, "\n") {
		place := fault.Place{File: lockFile, Line: i + 1}
		if strings.TrimSpace(line) == "" {
			continue
		}
		for _, marker := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
			if strings.HasPrefix(line, marker) {
				return nil, fault.At(place, "the lock has conflict markers").WithHint("keep the lines of both sides: each is a release of its own")
			}
		}
		var entry locked
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&entry); err != nil || decoder.More() {
			problems.Add(fault.At(place, "the line is no release of the lock").WithHint("restore the file: git checkout %s", lockFile))
			continue
		}
		if !validName(entry.Prompt) || !validVersion(entry.Version) || entry.Hash == "" || entry.Parent != "" && !validVersion(entry.Parent) {
			problems.Add(fault.At(place, "the line wants prompt, version, parent and hash").WithHint("restore the file: git checkout %s", lockFile))
			continue
		}
		key := [2]string{entry.Prompt, entry.Version}
		if first := seen[key]; first > 0 {
			problems.Add(fault.At(place, "the release %s@%s is locked twice", entry.Prompt, entry.Version).WithHint("it stands at line %d already", first))
			continue
		}
		seen[key] = i + 1
		entries = append(entries, entry)
	}
	entries.sort()
	return entries, problems.Err()
}

func (l lock) sort() {
	slices.SortFunc(l, func(a, b locked) int {
		return cmp.Or(strings.Compare(a.Prompt, b.Prompt), compareVersions(a.Version, b.Version))
	})
}

func (l lock) bytes() []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for _, entry := range l {
		_ = encoder.Encode(entry) // strings always encode
	}
	return b.Bytes()
}

// find gives the line of a release, or nil.
func (l lock) find(name, version string) *locked {
	for i := range l {
		if l[i].Prompt == name && l[i].Version == version {
			return &l[i]
		}
	}
	return nil
}

// versions are the locked versions of a prompt, ascending.
func (l lock) versions(name string) []string {
	var versions []string
	for _, entry := range l {
		if entry.Prompt == name {
			versions = append(versions, entry.Version)
		}
	}
	return versions
}

// validVersion wants a whole semver without v and without build metadata.
func validVersion(version string) bool {
	v := "v" + version
	return semver.IsValid(v) && semver.Canonical(v) == v && semver.Build(v) == ""
}

func compareVersions(a, b string) int { return semver.Compare("v"+a, "v"+b) }

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isNameByte(c) && (c != '-' || i == 0) {
			return false
		}
	}
	return name != ""
}

// drift compares a release with its line in the lock; nil if they agree.
func (l lock) drift(p *Prompt) error {
	entry := l.find(p.Name, p.Version)
	if entry == nil {
		return drifted(p.File, "the release %s@%s is not in %s", p.Name, p.Version, lockFile).
			WithHint("restore the lock: git checkout %s; or release the text anew: rename the file to %s and run: llmx prompt release %s --patch",
				lockFile, path.Base(promptFile(p.Name, draftName)), p.Name)
	}
	if entry.Hash == p.Hash {
		return nil
	}
	message := "the release %s@%s was edited"
	if changed := changedParts(entry.Parts, p.parts); changed != "" {
		message += ": " + strings.ReplaceAll(changed, "%", "%%")
	}
	return drifted(p.File, message+"; its hash is %s, and %s has %s", p.Name, p.Version, p.Hash, lockFile, entry.Hash).
		WithHint("undo the edit: git checkout %s; to keep it, put it into %s and run: llmx prompt release %s --patch", p.File, promptFile(p.Name, draftName), p.Name)
}

func drifted(file, format string, args ...any) *fault.Error {
	err := fault.At(fault.Place{File: file}, format, args...)
	err.Class = fault.Drifted
	return err
}

// changedParts names the front matter keys and sections that differ. Where all
// agree, it was a comment or the form.
func changedParts(before, now map[string]string) string {
	if len(before) == 0 {
		return ""
	}
	var words []string
	for _, part := range sortedKeys(now) {
		switch was, known := before[part]; {
		case !known:
			words = append(words, part+" was added")
		case was != now[part]:
			words = append(words, part+" changed")
		}
	}
	for _, part := range sortedKeys(before) {
		if _, still := now[part]; !still {
			words = append(words, part+" was removed")
		}
	}
	if len(words) == 0 {
		return "comments or white space changed"
	}
	return strings.Join(words, ", ")
}
