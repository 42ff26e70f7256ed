package prompt

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmx-dev/llmx/internal/fault"
)

// onDisk writes a project of the triage prompt into a directory.
func onDisk(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, file := range triageProject() {
		write(t, root, name, string(file.Data))
	}
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func edit(t *testing.T, root, name, before, after string) {
	t.Helper()
	text := read(t, root, name)
	if !strings.Contains(text, before) {
		t.Fatalf("%s does not hold %q", name, before)
	}
	write(t, root, name, strings.ReplaceAll(text, before, after))
}

const triageDraft = "prompts/triage/draft.prompty"

func release(t *testing.T, root string, bump Bump) string {
	t.Helper()
	version, err := Release(root, "triage", bump)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func refuses(t *testing.T, err error, class fault.Class, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want: %s", want)
	}
	if got := fault.ClassOf(err); got != class {
		t.Errorf("class %s, want %s", got, class)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestReleaseFreezesTheDraft(t *testing.T) {
	root := onDisk(t)
	draft, err := NewLibrary(dirFS(root)).Resolve("triage@draft", Develop)
	if err != nil {
		t.Fatal(err)
	}
	if version := release(t, root, Minor); version != "0.1.0" {
		t.Fatalf("the first release is %s", version)
	}
	frozen, err := NewLibrary(dirFS(root)).Resolve("triage@0.1.0", Develop)
	if err != nil {
		t.Fatal(err)
	}
	if frozen.Hash != draft.Hash || string(frozen.Flat()) != string(draft.Flat()) || string(frozen.Flat()) != read(t, root, "prompts/triage/0.1.0.prompty") {
		t.Errorf("the release is not what the draft flattens to:\n%s", frozen.Flat())
	}
	if diff := cmp.Diff(draft.Output, frozen.Output); diff != "" {
		t.Error(diff)
	}
	// The release no longer follows what the draft includes.
	write(t, root, "prompts/_how.j2", "long")
	again, err := NewLibrary(dirFS(root)).Resolve("triage@0.1.0", Develop)
	if err != nil || again.Hash != draft.Hash {
		t.Errorf("the release changed with an include: %v", err)
	}
	_, err = NewLibrary(dirFS(root)).Resolve("triage@draft", Develop)
	if err != nil {
		t.Fatal(err)
	}
	var line locked
	if err := json.Unmarshal([]byte(read(t, root, lockFile)), &line); err != nil {
		t.Fatal(err)
	}
	want := locked{Prompt: "triage", Version: "0.1.0", Hash: draft.Hash}
	if diff := cmp.Diff(want, line, cmpopts.IgnoreFields(locked{}, "Parts")); diff != "" {
		t.Error(diff)
	}
	left, err := filepath.Glob(filepath.Join(root, "prompts", "*", ".llmx-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files are left behind: %v %v", left, err)
	}
}

func TestReleaseVersions(t *testing.T) {
	root := onDisk(t)
	if version := release(t, root, Major); version != "1.0.0" {
		t.Errorf("the first release by major is %s", version)
	}
	_, err := Release(root, "triage", Patch)
	refuses(t, err, fault.Invalid, "the draft of triage is the same as 1.0.0: there is nothing to release")
	for i, want := range []struct {
		bump    Bump
		version string
	}{{Patch, "1.0.1"}, {Minor, "1.1.0"}, {Patch, "1.1.1"}, {Major, "2.0.0"}} {
		edit(t, root, triageDraft, "support tickets.", "support tickets. .")
		if version := release(t, root, want.bump); version != want.version {
			t.Errorf("release %d is %s, want %s", i, version, want.version)
		}
	}
	versions, err := NewLibrary(dirFS(root)).Versions("triage")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range versions {
		got = append(got, v.Version+"<"+v.Parent)
	}
	if diff := cmp.Diff([]string{"2.0.0<1.1.1", "1.1.1<1.1.0", "1.1.0<1.0.1", "1.0.1<1.0.0", "1.0.0<"}, got); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Count(read(t, root, lockFile), "\n"); lines != 5 {
		t.Errorf("the lock has %d lines", lines)
	}
	if got := nextVersion("2.0.0-rc.1", Patch); got != "2.0.0" {
		t.Errorf("after 2.0.0-rc.1 comes %s", got)
	}
}

func TestReleaseWithoutLockLeavesNothing(t *testing.T) {
	root := onDisk(t)
	if err := os.Mkdir(filepath.Join(root, "prompts/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	entries := lock{{Prompt: "triage", Version: "0.1.0", Hash: "h"}}
	if err := os.MkdirAll(filepath.Join(root, lockFile, "occupied"), 0o755); err != nil { // a directory in the lock's place
		t.Fatal(err)
	}
	err := writeRelease(root, promptFile("triage", "0.1.0"), []byte("text"), entries)
	if err == nil || !strings.HasPrefix(err.Error(), "prompts/prompts.lock: the file cannot be written: ") || strings.Contains(err.Error(), root) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, promptFile("triage", "0.1.0"))); !os.IsNotExist(err) {
		t.Errorf("the release stands without its lock: %v", err)
	}
}

func TestDriftNamesWhatChanged(t *testing.T) {
	const file = "prompts/triage/0.1.0.prompty"
	hint := "\n  undo the edit: git checkout " + file + "; to keep it, put it into " + triageDraft + " and run: llmx prompt release triage --patch"
	tests := []struct {
		name          string
		before, after string
		want          string
	}{
		{"a section", "You label", "You sort", "system: changed"},
		{"front matter", "temperature: 0,", "temperature: 1,", "model changed"},
		{"so that it does not load", "{{ ticket }}", "{{ tickt }}", ""},
		{"many", "model:", "tags: [x]\nmodel:", "tags was added"},
		{"a comment", "name: triage", "name: triage # x", "comments or white space changed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := onDisk(t)
			release(t, root, Patch)
			was, err := NewLibrary(dirFS(root)).Resolve("triage@0.1.0", Develop)
			if err != nil {
				t.Fatal(err)
			}
			edit(t, root, file, tt.before, tt.after)
			lib := NewLibrary(dirFS(root))
			_, err = lib.Resolve("triage@0.1.0", Serve)
			if tt.want == "" {
				refuses(t, err, fault.Drifted, file+":37:4: the release triage@0.1.0 was edited: the variable \"tickt\" is not defined\n  undo the edit: git checkout "+file)
				return
			}
			now, loadErr := load(dirFS(root), "triage", "0.1.0")
			if loadErr != nil {
				t.Fatal(loadErr)
			}
			refuses(t, err, fault.Drifted, file+": the release triage@0.1.0 was edited: "+tt.want+"; its hash is "+now.Hash+", and prompts/prompts.lock has "+was.Hash+hint)
			if _, err := lib.Check(); fault.ClassOf(err) != fault.Drifted {
				t.Errorf("Check says %v", err)
			}
			versions, err := lib.Versions("triage")
			if err != nil || len(versions) != 1 || fault.ClassOf(versions[0].Drift) != fault.Drifted {
				t.Errorf("Versions says %v %v", versions, err)
			}
		})
	}
}

func TestDriftOfLockAndFile(t *testing.T) {
	root := onDisk(t)
	release(t, root, Patch)
	if err := os.Rename(filepath.Join(root, "prompts/triage/0.1.0.prompty"), filepath.Join(root, "prompts/triage/0.2.0.prompty")); err != nil {
		t.Fatal(err)
	}
	lib := NewLibrary(dirFS(root))
	_, err := lib.Resolve("triage@0.1.0", Develop)
	refuses(t, err, fault.Drifted, "prompts/triage/0.1.0.prompty: the release triage@0.1.0 is in prompts/prompts.lock, but its file is missing\n"+
		"  restore it: git checkout prompts/triage/0.1.0.prompty")
	_, err = lib.Resolve("triage@0.2.0", Develop)
	refuses(t, err, fault.Drifted, "prompts/triage/0.2.0.prompty: the release triage@0.2.0 is not in prompts/prompts.lock\n"+
		"  restore the lock: git checkout prompts/prompts.lock; or release the text anew: rename the file to draft.prompty and run: llmx prompt release triage --patch")
	_, err = lib.Check()
	if lines := strings.Count(err.Error(), "prompts/triage/0."); lines < 2 {
		t.Errorf("Check reports not both: %v", err)
	}
}

func TestLineEndsOfWindowsAreNoDrift(t *testing.T) {
	root := onDisk(t)
	release(t, root, Patch)
	edit(t, root, "prompts/triage/0.1.0.prompty", "\n", "\r\n")
	edit(t, root, lockFile, "\n", "\r\n")
	if _, err := NewLibrary(dirFS(root)).Resolve("triage@0.1.0", Develop); err != nil {
		t.Error(err)
	}
}

func TestBadLock(t *testing.T) {
	tests := []struct{ name, lock, want string }{
		{"conflict", "<<<<<<< HEAD\n", "prompts/prompts.lock:1: the lock has conflict markers\n  keep the lines of both sides: each is a release of its own"},
		{"not JSON", "{\n", "prompts/prompts.lock:1: the line is no release of the lock\n  restore the file: git checkout prompts/prompts.lock"},
		{"unknown key", `{"prompt":"t","version":"1.0.0","hash":"h","x":1}`, "prompts/prompts.lock:1: the line is no release of the lock\n  restore the file: git checkout prompts/prompts.lock"},
		{"no version", `{"prompt":"t","version":"1.0","hash":"h"}`, "prompts/prompts.lock:1: the line wants prompt, version, parent and hash\n  restore the file: git checkout prompts/prompts.lock"},
		{"twice", `{"prompt":"t","version":"1.0.0","hash":"h"}` + "\n\n" + `{"prompt":"t","version":"1.0.0","hash":"i"}`,
			"prompts/prompts.lock:3: the release t@1.0.0 is locked twice\n  it stands at line 1 already"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := project(map[string]string{lockFile: tt.lock, "prompts/t/1.0.0.prompty": "---\nname: t\n---\nuser:\nhi\n"})
			_, err := NewLibrary(fsys).Resolve("t@1.0.0", Develop)
			refuses(t, err, fault.Invalid, tt.want)
		})
	}
}

func TestReleaseThatDoesNotDescendIsRemarked(t *testing.T) {
	root := onDisk(t)
	release(t, root, Minor)
	edit(t, root, triageDraft, "You label", "You sort")
	release(t, root, Minor)
	edit(t, root, triageDraft, "You sort", "You order")
	release(t, root, Minor)
	edit(t, root, lockFile, `"version":"0.3.0","parent":"0.2.0"`, `"version":"0.3.0","parent":"0.1.0"`)
	p, err := NewLibrary(dirFS(root)).Resolve("triage@0.3.0", Develop)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Warnings) != 1 || p.Warnings[0].Error() != "prompts/triage/0.3.0.prompty: triage@0.3.0 does not descend from 0.2.0, the release before it, but from the release 0.1.0\n"+
		"  what changed in 0.2.0 may be missing; compare: llmx prompt diff triage@0.2.0 triage@0.3.0" {
		t.Errorf("warnings %v", p.Warnings)
	}
}
