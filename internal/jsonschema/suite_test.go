package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	if len(known) > mostKnown {
		t.Errorf("%d known failures are listed, and there were %d: the list can only shrink", len(known), mostKnown)
	}
	ran := 0
	for _, draft := range drafts {
		for _, file := range suiteFiles(t, root, draft.folder) {
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

// mostKnown is how many failures were known when this was written. Lower it when the list
// has become shorter.
const mostKnown = 396

// TestSuitePassRate logs the pass rate of each draft as the README has it:
//
//	go test -run TestSuitePassRate -v ./internal/jsonschema
func TestSuitePassRate(t *testing.T) {
	root, known := suiteRoot(t), knownFailures(t)
	table := "\n| draft | keywords | formats | in all | left out: they fetch from a server |\n|---|---|---|---|---|\n"
	for _, draft := range drafts {
		keywords, formats := tallyDraft(t, root, draft.folder, known)
		all := draftTally{keywords.ran + formats.ran, keywords.failed + formats.failed, keywords.fetching + formats.fetching}
		table += fmt.Sprintf("| %s | %s | %s | %s | %d |\n", strings.TrimPrefix(draft.folder, "draft"), keywords, formats, all, all.fetching)
	}
	t.Log(table)
}

type draftTally struct{ ran, failed, fetching int }

func (d draftTally) String() string {
	passed := d.ran - d.failed
	return fmt.Sprintf("%d of %d, %.1f %%", passed, d.ran, math.Floor(1000*float64(passed)/float64(d.ran))/10)
}

// tallyDraft counts what a draft requires, and the formats, which it does not. That
// those which are known fail, and no others, is held by TestSuite.
func tallyDraft(t *testing.T, root, folder string, known map[string]bool) (keywords, formats draftTally) {
	for _, file := range suiteFiles(t, root, folder) {
		tally := &keywords
		if filepath.Base(filepath.Dir(file)) == "format" {
			tally = &formats
		}
		for _, group := range readSuite(t, file) {
			if fetches(group) {
				tally.fetching += len(group.Tests)
				continue
			}
			tally.ran += len(group.Tests)
			for _, test := range group.Tests {
				if known[nameOf(folder, file, group.Description, test.Description)] {
					tally.failed++
				}
			}
		}
	}
	return keywords, formats
}

func nameOf(folder, file, group, test string) string {
	return fmt.Sprintf("%s/%s: %s: %s", folder, strings.TrimSuffix(filepath.Base(file), ".json"), group, test)
}

// suiteFiles are the files of a draft: all that is required, and the formats.
func suiteFiles(t *testing.T, root, folder string) []string {
	files, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	files = slices.DeleteFunc(files, func(file string) bool {
		return filepath.Base(file) == "format.json" // says that formats are annotations; here they are asserted
	})
	formats, err := filepath.Glob(filepath.Join(root, folder, "optional", "format", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return append(files, formats...)
}

// fetches reports a schema that is fetched from a server.
func fetches(group suiteGroup) bool { return bytes.Contains(group.Schema, []byte("localhost:1234")) }

func readSuite(t *testing.T, file string) (groups []suiteGroup) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &groups); err != nil {
		t.Fatal(err)
	}
	return groups
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
	ran := 0
	for _, group := range readSuite(t, file) {
		if fetches(group) {
			continue
		}
		schema, compileErr := compileAs(dialect, group.Schema)
		whole, err := Bundle(group.Schema, "root.json", func(name string) ([]byte, error) { return nil, fmt.Errorf("%s was read", name) })
		if _, refused := Compile(group.Schema); refused == nil && (err != nil || string(whole) != string(group.Schema)) {
			t.Errorf("%s/%s: %s: it refers to no file, and was not left alone: %v", folder, filepath.Base(file), group.Description, err)
		}
		for _, test := range group.Tests {
			ran++
			name := nameOf(folder, file, group.Description, test.Description)
			got := "compile: " + fmt.Sprint(compileErr)
			if compileErr == nil {
				value, err := Decode(test.Data)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				violations := schema.Validate(value)
				got = fmt.Sprintf("valid %t", len(violations) == 0)
				for _, v := range violations {
					if node, err := Parse(test.Data); err != nil || node.At(v.Pointer) == nil || v.Keyword == "" || v.Expected == "" || v.Got == "" {
						t.Errorf("%s: the violation %+v does not say where, what is expected and what was got", name, v)
					}
				}
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
