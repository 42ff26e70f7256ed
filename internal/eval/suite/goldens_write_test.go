package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestWriteAllPreparesBeforeItReplaces(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "first.yaml")
	if err := os.WriteFile(first, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := writeAll(dir, []*goldenFile{{name: "first.yaml", after: []byte("new")}, {name: "gone/second.jsonl", after: []byte("new")}})
	if fault.ClassOf(err) != fault.Store || strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "gone/second.jsonl") {
		t.Errorf("got %v, want a failure of class store that names the file, without the machine's path", err)
	}
	if text, err := os.ReadFile(first); err != nil || string(text) != "old" {
		t.Errorf("the first file is %q, %v, though the second could not be written", text, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A wrong edit must be seen before it is written, whatever made it.
func TestVerifyRefusesWrongEdits(t *testing.T) {
	const inline = "suite: s\nprompt: p\ncases:\n- {id: a, golden: 1}\n- {id: b, golden: 1}\n"
	tests := map[string]struct {
		name, before, after, want string
		verify                    func(*goldenEdit, *goldenFile) error
	}{
		"right":            {"s.yaml", inline, strings.Replace(inline, "1", "2", 1), "", verifySuite},
		"other value":      {"s.yaml", inline, strings.Replace(inline, "1", "3", 1), `"a" would not be read`, verifySuite},
		"other key":        {"s.yaml", inline, strings.Replace(inline, "golden: 1", "golden: 2, tags: []", 1), `"a" would not be read`, verifySuite},
		"other case":       {"s.yaml", inline, strings.ReplaceAll(inline, "1", "2"), `"b" would change`, verifySuite},
		"number to text":   {"s.yaml", inline, strings.ReplaceAll(inline, "id: b, golden: 1", "id: b, golden: '1'"), `would`, verifySuite},
		"header":           {"s.yaml", inline, strings.Replace(inline, "p\n", "q\n", 1), "another part of it would change", verifySuite},
		"case lost":        {"s.yaml", inline, "suite: s\nprompt: p\ncases:\n- {id: a, golden: 2}\n", "another part", verifySuite},
		"not valid":        {"s.yaml", inline, inline + "}", "no longer be valid", verifySuite},
		"rows right":       {"r.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", "{\"id\":\"a\",\"golden\":2}\n{\"id\":\"b\"}\n", "", verifyRows},
		"row other value":  {"r.jsonl", "{\"id\":\"a\"}\n", "{\"id\":\"a\",\"golden\":3}\n", `"a" would not be read`, verifyRows},
		"row other column": {"r.jsonl", "{\"id\":\"a\",\"x\":1}\n", "{\"id\":\"a\",\"x\":2,\"golden\":2}\n", `"a" would change`, verifyRows},
		"other row":        {"r.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", "{\"id\":\"a\",\"golden\":2}\n{\"id\":\"c\"}\n", `"b" would change`, verifyRows},
		"row lost":         {"r.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n", "{\"id\":\"a\",\"golden\":2}\n", "a row would be lost", verifyRows},
		"row added":        {"r.jsonl", "{\"id\":\"a\"}\n", "{\"id\":\"a\",\"golden\":2}\n{\"id\":\"b\"}\n", "a row would be added", verifyRows},
		"cells right":      {"r.csv", "id,golden\na,1\n", "id,golden\na,2\n", "", verifyRows},
		"cell other value": {"r.csv", "id,golden\na,1\n", "id,golden\na,3\n", "would not be read", verifyRows},
		"cell not cleared": {"r.csv", "id,golden,golden.x\na,,1\n", "id,golden,golden.x\na,2,1\n", "would not be read", verifyRows},
		"cell broken":      {"r.csv", "id,golden\na,1\n", "id,golden\na,\"2\n", "a row would be lost", verifyRows},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wanted, err := decodeRaw(`{"a":2}`)
			if err != nil {
				t.Fatal(err)
			}
			g := &goldenEdit{wanted: wanted.(map[string]any), seen: map[string]*goldenChange{"a": {}}}
			err = test.verify(g, &goldenFile{name: test.name, data: []byte(test.before), after: []byte(test.after)})
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || fault.ClassOf(err) != fault.Internal {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
