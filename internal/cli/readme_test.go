package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files that the README shows are valid as they stand there.
func TestReadmeFilesAreValid(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"version: 1\n": "llmx.yaml", "---\nname: triage\n": "prompts/triage/draft.prompty", "suite: triage\n": "suites/triage.yaml"}
	dir := t.TempDir()
	blocks := strings.Split(string(readme), "\n```")
	for _, block := range blocks {
		_, text, _ := strings.Cut(block, "\n") // after the fence's language
		for begin, name := range files {
			if !strings.HasPrefix(text, begin) {
				continue
			}
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			delete(files, begin)
		}
	}
	if len(files) > 0 {
		t.Fatalf("the README shows no %v", files)
	}
	code, out, errs := keyless(t, dir, "lint")
	if code != 0 || out != "ok: 1 prompt, 1 suite, 1 case, 0 warnings\n" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
