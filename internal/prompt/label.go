package prompt

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// production is the label that serving follows.
const production = "production"

// label is a movable name for a release.
type label struct {
	name    string
	version string
	percent float64         // share of the traffic, 0 where none is given
	place   fault.Place     // of the name
	value   strictyaml.Node // the version's text
}

func labelsFile(name string) string { return path.Join(promptsDir, name, "labels.yaml") }

// readLabels reads labels.yaml of a prompt: version, or {version, percent}.
func readLabels(fsys fs.FS, name string) ([]label, string, error) {
	file := labelsFile(name)
	text, err := readText(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", unreadable(fault.Place{File: file}, "the labels", err)
	}
	node, err := strictyaml.Parse(file, []byte(text), 1)
	if err != nil || !node.Exists() {
		return nil, text, err
	}
	var problems fault.List
	if node.Kind() != strictyaml.Mapping {
		problems.Add(node.Mismatch("a mapping from labels to versions"))
	}
	var labels []label
	for _, field := range node.Fields() {
		l := label{name: field.Key, place: field.Place, value: field.Value}
		if field.Value.Kind() == strictyaml.Mapping {
			var raw struct {
				Version strictyaml.Node `yaml:"version,required"`
				Percent strictyaml.Node `yaml:"percent,required"`
			}
			problems.Add(field.Value.Decode(&raw))
			l.value = raw.Version
			if raw.Percent.Exists() {
				percent, err := strconv.ParseFloat(raw.Percent.Text(), 64)
				if raw.Percent.Kind() != strictyaml.Number || err != nil || !(percent > 0 && percent <= 100) {
					problems.Add(raw.Percent.Mismatch("a percentage above 0, up to 100"))
				}
				l.percent = percent
			}
		}
		if !validLabel(l.name) {
			problems.Add(fault.At(field.Place, "%q cannot be a label", l.name).WithHint("%s", labelRule))
		}
		l.version = l.value.Text()
		if l.value.Exists() && (l.value.Kind() != strictyaml.String || !validVersion(l.version)) {
			problems.Add(l.value.Mismatch("a version such as 1.2.0"))
		}
		labels = append(labels, l)
	}
	return labels, text, problems.Err()
}

const labelRule = "letters, digits, - and _; not draft, and not a version"

func validLabel(name string) bool { return validName(name) && name != draftName && !validVersion(name) }

func findLabel(labels []label, name string) *label {
	for i := range labels {
		if labels[i].name == name {
			return &labels[i]
		}
	}
	return nil
}

func labelNames(labels []label) []string {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = l.name
	}
	slices.Sort(names)
	return names
}

// SetLabel points a label to a release that exists and has not drifted. A share of
// the traffic that the label has stays.
func SetLabel(rootDir, name, labelName, version string) error {
	lib := NewLibrary(dirFS(rootDir))
	if err := lib.exists(name); err != nil {
		return err
	}
	if !validLabel(labelName) {
		return fault.New(fault.Usage, "%q cannot be a label", labelName).WithHint("%s", labelRule)
	}
	if _, err := lib.release(name, version); err != nil {
		return err
	}
	return writeLabel(rootDir, lib, name, labelName, version)
}

// Rollback points a label to the parent of the release that it names now, and
// gives that version.
func Rollback(rootDir, name, labelName string) (version string, err error) {
	lib := NewLibrary(dirFS(rootDir))
	if err := lib.exists(name); err != nil {
		return "", err
	}
	labels, _, err := readLabels(lib.fsys, name)
	if err != nil {
		return "", err
	}
	current := findLabel(labels, labelName)
	if current == nil {
		return "", fault.New(fault.Invalid, "%s has no label %q", name, labelName).WithHint("%s", fault.Allowed(labelName, labelNames(labels)))
	}
	entries, err := lib.lock()
	if err != nil {
		return "", err
	}
	entry := entries.find(name, current.version)
	if entry == nil {
		return "", drifted(labelsFile(name), "the label %q names %s, which is not in %s", labelName, current.version, lockFile).
			WithHint("restore the lock: git checkout %s", lockFile)
	}
	if entry.Parent == "" {
		return "", fault.New(fault.Invalid, "%s@%s is the first release: there is none to roll back to", name, current.version)
	}
	if _, err := lib.release(name, entry.Parent); err != nil {
		return "", err
	}
	return entry.Parent, writeLabel(rootDir, lib, name, labelName, entry.Parent)
}

// writeLabel changes the one version in the file and leaves the rest as it stands.
func writeLabel(rootDir string, lib *Library, name, labelName, version string) error {
	labels, text, err := readLabels(lib.fsys, name)
	if err != nil {
		return err
	}
	changed, ok := "", false
	if old := findLabel(labels, labelName); old != nil {
		changed, ok = replaceAt(text, old.value.Place(), old.version, version)
	} else if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		changed, ok = text+lineEnd(text)+labelName+": "+version+"\n", true
	}
	if !ok {
		changed = writeLabels(append(slices.DeleteFunc(labels, func(l label) bool { return l.name == labelName }), label{name: labelName, version: version}))
	}
	return writeFile(rootDir, labelsFile(name), []byte(changed))
}

func lineEnd(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return ""
	}
	return "\n"
}

// replaceAt replaces a scalar where it stands, behind a quote or not.
func replaceAt(text string, place fault.Place, before, after string) (string, bool) {
	lines := strings.SplitAfter(text, "\n")
	if place.Line < 1 || place.Line > len(lines) {
		return "", false
	}
	line := []rune(lines[place.Line-1])
	if place.Col < 1 || place.Col > len(line) {
		return "", false
	}
	head, tail := string(line[:place.Col-1]), string(line[place.Col-1:])
	for _, q := range []string{"", `"`, "'"} {
		if rest, ok := strings.CutPrefix(tail, q+before+q); ok {
			lines[place.Line-1] = head + q + after + q + rest
			return strings.Join(lines, ""), true
		}
	}
	return "", false
}

func writeLabels(labels []label) string {
	slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(l.name + ": ")
		if l.percent > 0 {
			b.WriteString("{version: " + l.version + ", percent: " + strconv.FormatFloat(l.percent, 'f', -1, 64) + "}\n")
			continue
		}
		b.WriteString(l.version + "\n")
	}
	return b.String()
}
