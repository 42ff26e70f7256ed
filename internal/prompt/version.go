package prompt

import (
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Version is one release of a prompt, as a list shows it.
type Version struct {
	Version string
	Parent  string // the release it descends from, "" for the first
	Hash    string // as locked; "" where the lock does not know it
	Labels  []string
	Drift   error // of class Drifted where file and lock disagree, else nil
}

// Versions lists the releases of a prompt, the highest first. A release that has
// drifted is listed and marked; a mistake in labels or lock is an error.
func (l *Library) Versions(name string) ([]Version, error) {
	if err := l.exists(name); err != nil {
		return nil, err
	}
	labels, _, err := readLabels(l.fsys, name)
	if err != nil {
		return nil, err
	}
	entries, err := l.lock()
	if err != nil {
		return nil, err
	}
	versions, err := l.releases(name)
	if err != nil {
		return nil, err
	}
	slices.Reverse(versions)
	list := make([]Version, len(versions))
	for i, version := range versions {
		list[i].Version = version
		if entry := entries.find(name, version); entry != nil {
			list[i].Parent, list[i].Hash = entry.Parent, entry.Hash
		}
		for _, label := range labels {
			if label.version == version {
				list[i].Labels = append(list[i].Labels, label.name)
			}
		}
		slices.Sort(list[i].Labels)
		if _, err := l.release(name, version); fault.ClassOf(err) == fault.Drifted {
			list[i].Drift = err
		} else if err != nil {
			return nil, err
		}
	}
	return list, nil
}
