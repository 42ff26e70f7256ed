package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drafts names the folders of the suite and the dialect that they are written in.
var drafts = []struct {
	folder  string
	dialect dialect
}{
	{"draft4", draft4}, {"draft6", draft6}, {"draft7", draft7}, {"draft2019-09", draft2019}, {"draft2020-12", draft2020},
}

// TestSuite runs the JSON Schema Test Suite. knownFailures are the cases that a
// library gets wrong; one that passes must leave the list.
func TestSuite(t *testing.T) {
	root := suiteRoot(t)
	known := knownFailures(t)
	ran := 0
	for _, draft := range drafts {
		files, err := filepath.Glob(filepath.Join(root, draft.folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", draft.folder, err)
		}
		formats, _ := filepath.Glob(filepath.Join(root, draft.folder, "optional", "format", "*.json"))
		for _, file := range append(files, formats...) {
			if filepath.Dir(file) == filepath.Join(root, draft.folder) && filepath.Base(file) == "format.json" {
				continue // says that formats are annotations; here they are asserted
			}
			ran += runSuiteFile(t, draft.folder, draft.dialect, file, known)
		}
	}
	if ran < 5000 {
		t.Errorf("only %d cases ran", ran)
	}
	for name := range known {
		t.Errorf("listed as a known failure, but it did not run: %s", name)
	}
}

type suiteGroup struct {
	Description string
	Schema      json.RawMessage
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

func runSuiteFile(t *testing.T, folder string, dialect dialect, file string, known map[string]bool) int {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var groups []suiteGroup
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, group := range groups {
		if bytes.Contains(group.Schema, []byte("localhost:1234")) {
			continue // the schema is fetched from a server
		}
		schema, compileErr := compileAs(dialect, group.Schema)
		for _, test := range group.Tests {
			ran++
			name := fmt.Sprintf("%s/%s: %s: %s", folder, strings.TrimSuffix(filepath.Base(file), ".json"), group.Description, test.Description)
			got := "compile: " + fmt.Sprint(compileErr)
			if compileErr == nil {
				value, err := Decode(test.Data)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got = fmt.Sprintf("valid %t", len(schema.Validate(value)) == 0)
			}
			passes := got == fmt.Sprintf("valid %t", test.Valid)
			switch {
			case passes && known[name]:
				t.Errorf("passes now, take it from the list: %s", name)
			case !passes && !known[name]:
				t.Errorf("%s: got %s, want valid %t", name, got, test.Valid)
			}
			delete(known, name)
		}
	}
	return ran
}

// compileAs compiles a schema that declares no dialect as one of the draft.
func compileAs(d dialect, raw json.RawMessage) (*Schema, error) {
	document, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	if object, ok := document.(map[string]any); ok {
		if _, declared := object["$schema"]; declared {
			return Compile(raw)
		}
	}
	compiled, err := d.compile(document)
	if err != nil {
		return nil, err
	}
	return &Schema{check: compiled}, nil
}

func knownFailures(t *testing.T) map[string]bool {
	data, err := os.ReadFile("testdata/known-failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known
}

// suiteRoot finds the suite beside the module, or skips.
func suiteRoot(t *testing.T) string {
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(directory) != directory; directory = filepath.Dir(directory) {
		if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
			break
		}
	}
	root := filepath.Join(directory, "..", "shared", "data", "json-schema-test-suite", "tests")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the JSON Schema Test Suite is not at ../shared/data/json-schema-test-suite")
	}
	return root
}
