package prompt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

const triageLabels = "prompts/triage/labels.yaml"

// twoReleases is a project with releases 0.1.0 and 0.2.0.
func twoReleases(t *testing.T) string {
	t.Helper()
	root := onDisk(t)
	release(t, root, Minor)
	edit(t, root, triageDraft, "You label", "You sort")
	release(t, root, Minor)
	return root
}

func TestResolve(t *testing.T) {
	root := twoReleases(t)
	write(t, root, triageLabels, "production: 0.1.0\ncanary: {version: 0.2.0, percent: 1}\n")
	write(t, root, "prompts/fresh/draft.prompty", "---\nname: fresh\n---\nuser:\nhi\n")
	if err := os.MkdirAll(filepath.Join(root, "prompts/gone"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		ref  string
		use  Use
		want string // a version, or an error
	}{
		{"triage", Develop, "draft"},
		{"triage", Serve, "0.1.0"},
		{"triage@draft", Serve, "draft"},
		{"triage@0.2.0", Serve, "0.2.0"},
		{"triage@production", Develop, "0.1.0"},
		{"triage@canary", Serve, "0.2.0"},
		{"fresh", Develop, "draft"},
		{"fresh", Serve, "fresh has no label \"production\", so it is not served\n  release it: llmx prompt release fresh --minor; then set the label: llmx prompt label fresh production 0.1.0"},
		{"triag", Develop, "there is no prompt \"triag\"\n  did you mean \"triage\"? allowed: fresh, triage"},
		{"gone", Develop, "there is no prompt \"gone\"\n  allowed: fresh, triage"},
		{"../triage", Develop, "there is no prompt \"../triage\"\n  did you mean \"triage\"? allowed: fresh, triage"},
		{"triage@0.3.0", Develop, "triage has no release \"0.3.0\"\n  did you mean \"0.2.0\"? allowed: 0.2.0, 0.1.0"},
		{"triage@prodution", Develop, "triage has no release or label \"prodution\"\n  did you mean \"production\"? allowed: draft, canary, production, 0.2.0, 0.1.0"},
		{"triage@prodution", Serve, "triage has no release or label \"prodution\"\n  did you mean \"production\"? allowed: canary, production, 0.2.0, 0.1.0"},
		{"triage@", Develop, "triage has no release or label \"\"\n  allowed: draft, canary, production, 0.2.0, 0.1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			lib := NewLibrary(dirFS(root))
			p, err := lib.Resolve(tt.ref, tt.use)
			if err != nil {
				if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
					t.Error(diff)
				}
				return
			}
			if p.Version != tt.want {
				t.Errorf("version %s, want %s", p.Version, tt.want)
			}
			if again, err := lib.Resolve(p.Ref().String(), Serve); err != nil || again != p {
				t.Errorf("the exact reference gives another prompt: %v", err)
			}
		})
	}
}

func TestResolveWithoutDraftIsTheHighestRelease(t *testing.T) {
	root := twoReleases(t)
	if err := os.Remove(filepath.Join(root, triageDraft)); err != nil {
		t.Fatal(err)
	}
	p, err := NewLibrary(dirFS(root)).Resolve("triage", Develop)
	if err != nil || p.Version != "0.2.0" {
		t.Errorf("%v %v", p, err)
	}
	_, err = NewLibrary(dirFS(root)).Resolve("triage", Serve)
	refuses(t, err, fault.Invalid, "triage has no label \"production\", so it is not served\n  set it: llmx prompt label triage production 0.2.0")
}

func TestResolveReadsNothingElse(t *testing.T) {
	fsys := draft("---\nname: t\n---\nuser:\nhi\n")
	fsys["prompts/broken/draft.prompty"] = fsys["prompts/t/labels.yaml"]
	fsys["prompts/broken/draft.prompty"] = project(map[string]string{"x": "\xff"})["x"]
	fsys[lockFile] = project(map[string]string{"x": "<<<<<<<"})["x"]
	if _, err := NewLibrary(fsys).Resolve("t", Develop); err != nil {
		t.Error(err)
	}
}

func TestSetLabelAndRollback(t *testing.T) {
	root := twoReleases(t)
	step := func(err error, want string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, root, triageLabels)); diff != "" {
			t.Error(diff)
		}
	}
	step(SetLabel(root, "triage", "production", "0.1.0"), "production: 0.1.0\n")
	write(t, root, triageLabels, "# who serves what\nproduction: '0.1.0' # live\ncanary: {version: 0.1.0, percent: 2.5}")
	step(SetLabel(root, "triage", "production", "0.2.0"), "# who serves what\nproduction: '0.2.0' # live\ncanary: {version: 0.1.0, percent: 2.5}")
	step(SetLabel(root, "triage", "canary", "0.2.0"), "# who serves what\nproduction: '0.2.0' # live\ncanary: {version: 0.2.0, percent: 2.5}")
	step(SetLabel(root, "triage", "staging", "0.2.0"), "# who serves what\nproduction: '0.2.0' # live\ncanary: {version: 0.2.0, percent: 2.5}\nstaging: 0.2.0\n")
	version, err := Rollback(root, "triage", "production")
	step(err, "# who serves what\nproduction: '0.1.0' # live\ncanary: {version: 0.2.0, percent: 2.5}\nstaging: 0.2.0\n")
	if version != "0.1.0" {
		t.Errorf("rolled back to %s", version)
	}
	_, err = Rollback(root, "triage", "production")
	refuses(t, err, fault.Invalid, "triage@0.1.0 is the first release: there is none to roll back to")
	_, err = Rollback(root, "triage", "prod")
	refuses(t, err, fault.Invalid, "triage has no label \"prod\"\n  allowed: canary, production, staging")
	write(t, root, triageLabels, "{production: 0.1.0, canary: {version: 0.2.0, percent: 1}}\n")
	step(SetLabel(root, "triage", "staging", "0.1.0"), "canary: {version: 0.2.0, percent: 1}\nproduction: 0.1.0\nstaging: 0.1.0\n")
}

func TestSetLabelRefuses(t *testing.T) {
	root := twoReleases(t)
	refuses(t, SetLabel(root, "triag", "production", "0.1.0"), fault.Invalid, "there is no prompt \"triag\"\n  did you mean \"triage\"? allowed: triage")
	refuses(t, SetLabel(root, "triage", "production", "0.1.5"), fault.Invalid, "triage has no release \"0.1.5\"\n  did you mean \"0.1.0\"? allowed: 0.2.0, 0.1.0")
	refuses(t, SetLabel(root, "triage", "draft", "0.1.0"), fault.Usage, "\"draft\" cannot be a label\n  letters, digits, - and _; not draft, and not a version")
	edit(t, root, "prompts/triage/0.1.0.prompty", "You label", "You sort")
	if err := SetLabel(root, "triage", "production", "0.1.0"); fault.ClassOf(err) != fault.Drifted {
		t.Errorf("an edited release gets a label: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, triageLabels)); !os.IsNotExist(err) {
		t.Errorf("a refused label is written: %v", err)
	}
}

func TestBadLabels(t *testing.T) {
	tests := []struct{ name, labels, want string }{
		{"a list", "- x\n", "prompts/triage/labels.yaml:1:1: want a mapping from labels to versions, got a list"},
		{"half a version", "production: 1.2\n", "prompts/triage/labels.yaml:1:13: want a version such as 1.2.0, got a number (\"1.2\")"},
		{"a v", "production: v1.2.0\n", "prompts/triage/labels.yaml:1:13: want a version such as 1.2.0, got a string (\"v1.2.0\")"},
		{"a label named draft", "draft: 0.1.0\n", "prompts/triage/labels.yaml:1:1: \"draft\" cannot be a label\n  letters, digits, - and _; not draft, and not a version"},
		{"percent too large", "canary: {version: 0.1.0, percent: 101}\n", "prompts/triage/labels.yaml:1:35: want a percentage above 0, up to 100, got a number (\"101\")"},
		{"no percent", "canary: {version: 0.1.0}\n", "prompts/triage/labels.yaml:1:9: the key \"percent\" is missing"},
		{"unknown key", "canary: {version: 0.1.0, percent: 1, share: 1}\n", "prompts/triage/labels.yaml:1:38: unknown key \"share\"\n  allowed: version, percent"},
		{"no such release", "production: 0.3.0\n", "prompts/triage/labels.yaml:1:13: the label \"production\" names 0.3.0, which is no release of triage\n  did you mean \"0.2.0\"? allowed: 0.2.0, 0.1.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := twoReleases(t)
			write(t, root, triageLabels, tt.labels)
			_, err := NewLibrary(dirFS(root)).Check()
			refuses(t, err, fault.Invalid, tt.want)
			if _, err := NewLibrary(dirFS(root)).Resolve("triage@production", Serve); err == nil {
				t.Error("the label resolves")
			}
		})
	}
}

func TestCheckRemarks(t *testing.T) {
	root := twoReleases(t)
	write(t, root, "prompts/lost.prompty", "x")
	write(t, root, "prompts/triage/1.2.prompty", "x")
	write(t, root, "prompts/triage/labels.yml", "x")
	write(t, root, "prompts/u/draft.prompty", "---\nname: u\ninputs: {q: {kind: string}}\n---\nuser:\nhi\n System:\n")
	warnings, err := NewLibrary(dirFS(root)).Check()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Error())
	}
	if diff := cmp.Diff([]string{
		"prompts/lost.prompty: the file is not used\n  a prompt stands in prompts/<name>/, as draft.prompty or 1.2.0.prompty",
		"prompts/triage/1.2.prompty: the file is not used\n  a prompt file is named draft.prompty, or by a whole version: 1.2.0.prompty",
		"prompts/triage/labels.yml: the file is not used\n  labels stand in prompts/<name>/labels.yaml",
		"prompts/u/draft.prompty:3:10: the input \"q\" is declared and never used\n  write {{ q }} where it belongs, or remove it",
		"prompts/u/draft.prompty:7:1: the line \"System:\" is text, not a role header\n  a role header is written system: at the start of its line",
	}, got); diff != "" {
		t.Error(diff)
	}
	names, err := NewLibrary(dirFS(root)).Names()
	if err != nil || strings.Join(names, " ") != "triage u" {
		t.Errorf("names %v %v", names, err)
	}
}
