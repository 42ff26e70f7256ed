package prompt

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Production is the label that serving follows.
const Production = production

// Label is a movable name for a release.
type Label struct {
	Name    string
	Version string
	Percent float64     // of those who ask for the bare name, 0 for none: the label is asked for by its name alone
	Place   fault.Place // of the name in its file; the zero Place for one that stands in none
}

// Labels are those of labels.yaml, sorted by name. Shares of more than 100 percent in
// all, and a share of production, which has what the others leave, are refused.
func (l *Library) Labels(name string) ([]Label, error) {
	read, _, err := readLabels(l.fsys, name)
	if err != nil {
		return nil, err
	}
	labels := make([]Label, len(read))
	for i, one := range read {
		labels[i] = Label{one.name, one.version, one.percent, one.place}
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return labels, CheckShares(name, labels)
}

// CheckShares refuses labels whose shares do not go together.
func CheckShares(name string, labels []Label) error {
	total := 0.0
	var last fault.Place
	for _, label := range labels {
		if label.Percent == 0 {
			continue
		}
		if label.Name == production {
			return fault.At(label.Place, "the label %s has a share of the callers", production).
				WithHint("it has what the other labels leave; write %s: %s", production, label.Version)
		}
		total, last = total+label.Percent, label.Place
	}
	if total > 100+shareSlack {
		return fault.At(last, "the labels of %s have %g %% of the callers in all", name, total).WithHint("at most 100; what is left is of the label %s", production)
	}
	return nil
}

// shareSlack is what sums of decimal fractions may be beside the truth.
const shareSlack = 1e-9

// LabelFor chooses the label that a bare name means for whom sticky names: one that has a
// share, or production. It is the same for the same sticky everywhere and always. Who is
// in a label's share stays there when that share grows. labels are sorted by name.
//
// Every label draws by a hash of its own, from those whom the labels before it left, so
// that what it takes of them makes its share of all.
func LabelFor(name string, labels []Label, sticky string) string {
	left := 100.0
	for _, label := range labels {
		if label.Percent == 0 {
			continue
		}
		if left <= label.Percent || draw(name, label.Name, sticky) < label.Percent/left {
			return label.Name
		}
		left -= label.Percent
	}
	return production
}

// draw is a number in [0, 1) that its words decide.
func draw(words ...string) float64 {
	var text []byte
	for _, word := range words {
		text = binary.AppendUvarint(text, uint64(len(word))) // so that no two lists of words are one text
		text = append(text, word...)
	}
	sum := sha256.Sum256(text)
	return math.Ldexp(float64(binary.BigEndian.Uint64(sum[:8])>>11), -53)
}

// Parent is the release that a release descends from. The first has none, which is refused.
func (l *Library) Parent(name, version string) (string, error) {
	entries, err := l.lock()
	if err != nil {
		return "", err
	}
	entry := entries.find(name, version)
	if entry == nil {
		return "", fault.New(fault.Invalid, "%s@%s is not in %s", name, version, lockFile).WithHint("restore the lock: git checkout %s", lockFile)
	}
	if entry.Parent == "" {
		return "", fault.New(fault.Invalid, "%s@%s is the first release: there is none to roll back to", name, version)
	}
	return entry.Parent, nil
}

// Keep reads what it takes to give every release of a prompt that there is, so that none
// is read from its file later, where the file system of the library keeps what it gave.
func (l *Library) Keep(name string) error {
	versions, err := l.releases(name)
	if err != nil {
		return err
	}
	for _, version := range versions {
		_, _ = readText(l.fsys, promptFile(name, version)) // who asks for it hears what is wrong
	}
	return nil
}

// Released reports whether a prompt has a release, or the lock knows one. What cannot be
// read is no draft alone.
func (l *Library) Released(name string) bool {
	versions, err := l.releases(name)
	return err != nil || len(versions) > 0
}

// ValidLabel reports whether a word can be a label, and says what one is.
func ValidLabel(name string) (rule string, ok bool) { return labelRule, validLabel(name) }

// Unlabelled is the error of a prompt that has no label production, with the command
// that sets it.
func (l *Library) Unlabelled(name string) error { return l.unlabelled(name) }
