package suite

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

var anyCheck = func(fs.FS) error { return nil }

// project makes a directory of files, and gives a function that reads them.
func projectOf(t *testing.T, files map[string]string) (string, func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func aNewCase(id string) NewCase {
	var golden any = map[string]any{"label": "bug"}
	return NewCase{ID: id, Tags: []string{"from-call"}, Vars: map[string]any{"ticket": "a: b # c\n\"d\" \u2028\x07 ü", "n": json.Number("1.50")}, Golden: &golden, Meta: map[string]any{"date": "2026-11-26"}}
}

const newLines = `  - id: call-1
    tags: [from-call]
    vars:
      n: 1.50
      ticket: "a: b # c\n\"d\" \u2028\u0007 ü"
    golden: {"label": "bug"}
    meta: {"date": "2026-11-26"}
`

func TestAppendedCasesStandLikeTheirNeighbours(t *testing.T) {
	undented := strings.ReplaceAll(strings.TrimPrefix(newLines, "  "), "\n  ", "\n")
	for name, test := range map[string]struct{ before, after string }{
		"a list": {"suite: s\ncases:\n  - id: a\n    vars: {ticket: x}\n", "suite: s\ncases:\n  - id: a\n    vars: {ticket: x}\n" + newLines},
		"not indented, and more behind it": {"cases:\n- id: a   # why\n  vars:\n    ticket: x  # here\n# of the gates\ngates: {}\n",
			"cases:\n- id: a   # why\n  vars:\n    ticket: x  # here\n" + undented + "# of the gates\ngates: {}\n"},
		"empty lines between": {"cases:\n  - id: a\n\n  - id: b\n\ngates: {}\n", "cases:\n  - id: a\n\n  - id: b\n\n" + newLines + "\ngates: {}\n"},
		"in brackets":         {"cases:\n  - {id: a,\n     golden: 1}\nx: 1\n", "cases:\n  - {id: a,\n     golden: 1}\n" + newLines + "x: 1\n"},
		"a block of text":     {"cases:\n  - id: a\n    vars:\n      ticket: |\n        one\n\n        two\nx: 1\n", "cases:\n  - id: a\n    vars:\n      ticket: |\n        one\n\n        two\n" + newLines + "x: 1\n"},
		"the file's last":     {"cases:\n  - id: a\n    vars:\n      ticket: |\n        one\n", "cases:\n  - id: a\n    vars:\n      ticket: |\n        one\n" + newLines},
		"no line break":       {"cases:\n  - from: a.jsonl", "cases:\n  - from: a.jsonl\n" + strings.TrimSuffix(newLines, "\n")},
		"no case":             {"suite: s\n", "suite: s\ncases:\n" + newLines},
		"the key alone":       {"cases:   # none yet\ngates: {}\n", "cases:   # none yet\n" + newLines + "gates: {}\n"},
		"windows":             {"cases:\r\n  - id: a\r\nx: 1\r\n", "cases:\r\n  - id: a\r\n" + strings.ReplaceAll(newLines, "\n", "\r\n") + "x: 1\r\n"},
	} {
		dir, read := projectOf(t, map[string]string{"suites/s.yaml": test.before})
		checked := ""
		check := func(files fs.FS) error {
			data, err := fs.ReadFile(files, "suites/s.yaml")
			checked = string(data)
			return err
		}
		added, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{aNewCase("call-1")}, check, true)
		if err != nil || read("suites/s.yaml") != test.before {
			t.Errorf("%s: dry: %v", name, err)
			continue
		}
		if _, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{aNewCase("call-1")}, anyCheck, false); err != nil || read("suites/s.yaml") != test.after {
			t.Errorf("%s: %v\n got %q\nwant %q", name, err, read("suites/s.yaml"), test.after)
		}
		if checked != test.after {
			t.Errorf("%s: the check was shown %q", name, checked)
		}
		if !strings.HasPrefix(strings.TrimLeft(added, " \r\n"), "- id: call-1") || !strings.HasSuffix(added, "\n") {
			t.Errorf("%s: told %q", name, added)
		}
		document, err := strictyaml.Parse("s.yaml", []byte(test.after), 1)
		items := document.Get("cases").Items()
		if err != nil || items[len(items)-1].Get("vars").Get("ticket").Text() != aNewCase("").Vars["ticket"] {
			t.Errorf("%s: read back %v", name, err)
		}
	}
}

func TestRowsAreAppended(t *testing.T) {
	const suite = "suite: s\ncases:\n  - from: data/a.jsonl\n  - from: data/b.yaml\n  - from: data/c.csv\n"
	dir, read := projectOf(t, map[string]string{
		"suites/s.yaml": suite, "suites/data/a.jsonl": `{"id": "a", "ticket": "x"}`, "suites/data/b.yaml": "# rows\n- id: b\n  ticket: x\n", "suites/data/c.csv": "id,ticket\nc,x\n",
	})
	for into, want := range map[string]string{
		"data/a.jsonl": `{"id": "a", "ticket": "x"}` + "\n" + `{"id": "call-1", "tags": ["from-call"], "n": 1.50, "ticket": "a: b # c\n\"d\" \u2028\u0007 ü", "golden": {"label": "bug"}, "meta": {"date": "2026-11-26"}}` + "\n",
		"data/b.yaml":  "# rows\n- id: b\n  ticket: x\n- id: call-1\n  tags: [from-call]\n  n: 1.50\n  ticket: \"a: b # c\\n\\\"d\\\" \\u2028\\u0007 ü\"\n  golden: {\"label\": \"bug\"}\n  meta: {\"date\": \"2026-11-26\"}\n",
	} {
		if _, err := AppendCases(dir, "suites/s.yaml", into, []NewCase{aNewCase("call-1")}, anyCheck, false); err != nil || read("suites/"+into) != want {
			t.Errorf("%s: %v\n got %q\nwant %q", into, err, read("suites/"+into), want)
		}
	}
	for into, says := range map[string]string{"data/c.csv": "not appended to a csv file", "data/d.jsonl": `no file of cases "data/d.jsonl"`} {
		if _, err := AppendCases(dir, "suites/s.yaml", into, []NewCase{aNewCase("call-1")}, anyCheck, false); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", into, err)
		}
	}
	odd := aNewCase("call-2")
	odd.Vars["tags"] = "x"
	if _, err := AppendCases(dir, "suites/s.yaml", "data/a.jsonl", []NewCase{odd}, anyCheck, false); err == nil || !strings.Contains(err.Error(), `the input "tags" cannot stand in a row`) {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeAppendedIsLeft(t *testing.T) {
	for name, test := range map[string]struct{ before, says string }{
		"brackets":          {"cases: [{id: a}]\n", "s.yaml:1:8: cases are appended to a list with dashes"},
		"empty brackets":    {"cases: []\n", "a list with dashes"},
		"an anchor":         {"cases: &all\n  - id: a\n", "a list with dashes, and this one is written in brackets, or has an anchor"},
		"no YAML":           {"cases: [\n", "s.yaml"},
		"the end of a text": {"cases:\n  - id: a\n    vars:\n      ticket: |\n        one", "without changing something else"},
	} {
		dir, read := projectOf(t, map[string]string{"suites/s.yaml": test.before})
		_, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{aNewCase("call-1")}, anyCheck, false)
		if err == nil || !strings.Contains(err.Error(), test.says) || read("suites/s.yaml") != test.before {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir, read := projectOf(t, map[string]string{"suites/s.yaml": "cases:\n  - id: a\n"})
	refused := errors.New("no")
	if _, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{aNewCase("call-1")}, func(fs.FS) error { return refused }, false); !errors.Is(err, refused) || read("suites/s.yaml") != "cases:\n  - id: a\n" {
		t.Errorf("%v", err)
	}
	bad := aNewCase("call-1")
	bad.Vars["ticket"] = "\xff"
	if _, err := AppendCases(dir, "suites/s.yaml", "", []NewCase{bad}, anyCheck, false); fault.ClassOf(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}
