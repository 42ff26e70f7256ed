package prompt

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Bump says which number of the version a release raises.
type Bump int

// The bumps.
const (
	Patch Bump = iota
	Minor
	Major
)

// Release freezes the draft of a prompt: includes and schema flattened in, the file
// and its line in the lock written. The first release is 1.0.0 by Major and 0.1.0
// otherwise; its successors raise the highest one, which becomes the parent.
func Release(rootDir, name string, bump Bump) (version string, err error) {
	lib := NewLibrary(dirFS(rootDir))
	if err := lib.exists(name); err != nil {
		return "", err
	}
	draft, err := load(lib.fsys, name, draftName)
	if err != nil {
		return "", err
	}
	versions, err := lib.releases(name)
	if err != nil {
		return "", err
	}
	entries, err := lib.lock()
	if err != nil {
		return "", err
	}
	parent := ""
	if len(versions) > 0 {
		parent = versions[len(versions)-1]
		latest, err := lib.release(name, parent)
		if err != nil {
			return "", err
		}
		if latest.Hash == draft.Hash {
			return "", fault.New(fault.Invalid, "the draft of %s is the same as %s: there is nothing to release", name, parent)
		}
	}
	version = nextVersion(parent, bump)
	if entries.find(name, version) != nil {
		return "", drifted(lockFile, "the release %s@%s is locked, but its file is missing", name, version).
			WithHint("restore it: git checkout %s", promptFile(name, version))
	}
	entries = append(entries, locked{Prompt: name, Version: version, Parent: parent, Hash: draft.Hash, Parts: draft.parts})
	entries.sort()
	return version, writeRelease(rootDir, promptFile(name, version), draft.flat, entries)
}

// writeRelease writes the release and then the lock; without the lock there is no release.
func writeRelease(rootDir, file string, flat []byte, entries lock) error {
	if err := createFile(rootDir, file, flat); err != nil {
		return err
	}
	if err := writeFile(rootDir, lockFile, entries.bytes()); err != nil {
		_ = os.Remove(filepath.Join(rootDir, filepath.FromSlash(file))) // the failure before counts
		return err
	}
	return nil
}

// nextVersion raises a version; a pre-release is raised to its release by Patch.
func nextVersion(parent string, bump Bump) string {
	if parent == "" {
		if bump == Major {
			return "1.0.0"
		}
		return "0.1.0"
	}
	core := strings.TrimSuffix(parent, semver.Prerelease("v"+parent))
	var numbers [3]int
	for i, text := range strings.Split(core, ".") {
		numbers[i], _ = strconv.Atoi(text) // a semver's numbers
	}
	switch bump {
	case Major:
		numbers = [3]int{numbers[0] + 1, 0, 0}
	case Minor:
		numbers = [3]int{numbers[0], numbers[1] + 1, 0}
	default:
		if core == parent {
			numbers[2]++
		}
	}
	return fmt.Sprintf("%d.%d.%d", numbers[0], numbers[1], numbers[2])
}
