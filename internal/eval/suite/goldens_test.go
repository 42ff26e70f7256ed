package suite_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// writeFiles makes a project of files by name, and returns its directory.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readFiles(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func goldensOf(t testing.TB, text string) map[string]any {
	t.Helper()
	value, err := jsonschema.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

const suiteHead = "suite: s\nprompt: triage\ncases:\n"

// inlineEdits are edits of cases in the suite file, after its head.
var inlineEdits = map[string]struct{ before, goldens, after string }{
	"flow object with comment": {
		"  - id: a\n    golden: {label: bug} # why\n    tags: [x]\n", `{"a":{"label":"billing"}}`,
		"  - id: a\n    golden: {\"label\": \"billing\"} # why\n    tags: [x]\n"},
	"plain scalar with comment": {
		"  - id: a\n    golden: it's http://x#y  # why\n", `{"a":"billing"}`,
		"  - id: a\n    golden: \"billing\"  # why\n"},
	"plain scalar over lines": {
		"  - id: a\n    golden: one\n      two\n\n      three # why\n    # next\n    tags: []\n", `{"a":2}`,
		"  - id: a\n    golden: 2 # why\n    # next\n    tags: []\n"},
	"quoted scalars": {
		"- id: a\n  golden: 'it''s # no {comment'\n- id: b\n  golden: \"say \\\"#, \\\\\"\n- id: c\n  golden: \"over\n\n   lines\" # c\n", `{"a":"1","b":null,"c":[true]}`,
		"- id: a\n  golden: \"1\"\n- id: b\n  golden: null\n- id: c\n  golden: [true] # c\n"},
	"nested block": {
		"  - id: a # A\n    golden: # truth\n      # which label\n      label: bug # b\n      who:\n        - name: x\n          tags: [1,\n 2]\n        -\n      last: |\n        text\n\n    # next\n    vars: {x: 1}\n", `{"a":{"label":"é"}}`,
		"  - id: a # A\n    golden: {\"label\": \"é\"} # truth\n      # which label\n\n    # next\n    vars: {x: 1}\n"},
	"block list at the key's column": {
		"- id: a\n  golden:\n  - 1\n  - {b: ']'}\n  - # none\n  tags: []\n", `{"a":[2]}`,
		"- id: a\n  golden: [2] # none\n  tags: []\n"},
	"block scalars": {
		"- id: a\n  golden: |- # lines\n    one\n\n     # two\n\n  # next\n  tags: []\n- id: b\n  golden: >+2\n    x\n\n- id: c\n  golden: |\n- id: d\n", `{"a":"A","b":"B","c":"C"}`,
		"- id: a\n  golden: \"A\" # lines\n\n  # next\n  tags: []\n- id: b\n  golden: \"B\"\n- id: c\n  golden: \"C\"\n- id: d\n"},
	"block scalar without a last line break": {
		"- id: a\n  golden: |\n    one\n    two", `{"a":"x\ny"}`,
		"- id: a\n  golden: \"x\\ny\""},
	"value on the next line": {
		"- id: a\n  golden:\n    {a: 1,\n     b: 2}\n- id: b\n  golden:\n    x\n", `{"a":1,"b":2}`,
		"- id: a\n  golden:\n    1\n- id: b\n  golden:\n    2\n"},
	"empty values": {
		"- id: a\n  golden: # none yet\n- id: b\n  golden:\n  tags: []\n- {id: c, golden: , tags: []}\n- {id: d, golden}\n- id: e\n  golden: ~\n- id: f\n  golden: ''\n- {\"id\":\"g\",\"golden\":}\n", `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}`,
		"- id: a\n  golden: 1 # none yet\n- id: b\n  golden: 2\n  tags: []\n- {id: c, golden: 3 , tags: []}\n- {id: d, golden: 4}\n- id: e\n  golden: 5\n- id: f\n  golden: 6\n- {\"id\":\"g\",\"golden\": 7}\n"},
	"flow cases": {
		"- {id: ü𝒳, golden: {l: 'a, b}', k: [x, {y: 1}]} , tags: [a]} # c\n- {id: b, golden: two words, vars: {x: http://y}}\n- {\n  id: c, # c }\n  \"golden\" : [ # d\n   1, ], # e\n  }\n", `{"ü𝒳":1,"b":"2","c":{"x":3}}`,
		"- {id: ü𝒳, golden: 1 , tags: [a]} # c\n- {id: b, golden: \"2\", vars: {x: http://y}}\n- {\n  id: c, # c }\n  \"golden\" : {\"x\": 3}, # e\n  }\n"},
	"inserted in block cases": {
		"  - tags: [x]\n    id: a # A\n  - id: b\n    vars:\n      x: |+\n        text\n\n    # expect\n    expect: [schema]\n  - vars: {x: 1} # v\n    id: c\n    meta: {a: 1}", `{"a":1,"b":2,"c":3}`,
		"  - tags: [x]\n    id: a # A\n    golden: 1\n  - id: b\n    vars:\n      x: |+\n        text\n\n    golden: 2\n    # expect\n    expect: [schema]\n  - vars: {x: 1} # v\n    id: c\n    golden: 3\n    meta: {a: 1}"},
	"inserted in a last case without line break": {
		"- id: a\n  vars: {x: 1}", `{"a":{"k":[]}}`, "- id: a\n  vars: {x: 1}\n  golden: {\"k\": []}"},
	"inserted before a block scalar that ends the file": {
		"- id: a\n  vars:\n    x: |\n      text", `{"a":1}`, "- id: a\n  golden: 1\n  vars:\n    x: |\n      text"},
	"inserted in flow cases": {
		"- {id: a}\n- {id: b, vars: {x: 1}, expect: [schema]}\n- {\"id\":\"c\",\"tags\":[]}\n- {id: d,\n   vars: {x: \"}\"} # v\n  }\n", `{"a":1,"b":2,"c":3,"d":4}`,
		"- {id: a, golden: 1}\n- {id: b, vars: {x: 1}, golden: 2, expect: [schema]}\n- {\"id\":\"c\", \"golden\": 3,\"tags\":[]}\n- {id: d,\n   vars: {x: \"}\"}, golden: 4 # v\n  }\n"},
	"ids of other kinds": {
		"- id: 017\n  golden: 1\n- id: \"x y\"\n- ? id\n  : z\n  ? golden\n  : old\n", `{"017":2,"x y":3,"z":4}`,
		"- id: 017\n  golden: 2\n- id: \"x y\"\n  golden: 3\n- ? id\n  : z\n  ? golden\n  : 4\n"},
	"alias as a value": {
		"- id: a\n  golden: &g {l: 1}\n- id: b\n  golden: *g\n- {id: c, golden: *g }\n", `{"b":2,"c":3}`,
		"- id: a\n  golden: &g {l: 1}\n- id: b\n  golden: 2\n- {id: c, golden: 3 }\n"},
	"text that YAML and terminals mind": {
		"- id: a\n  golden: x\n", "{\"a\":\"tab\\t nl\\n del\u007f nel\u0085 ls\u2028 bom\ufeff / <b> \\\\ \\\" é𝒳 # : \\u001b\"}",
		"- id: a\n  golden: \"tab\\t nl\\n del\\u007f nel\\u0085 ls\\u2028 bom\\ufeff / <b> \\\\ \\\" é𝒳 # : \\u001b\"\n"},
	"other line breaks before": {
		"- id: a\u2028# ls\n  vars: {x: \"\u0085\"}\n  golden: 1\n", `{"a":2}`, "- id: a\u2028# ls\n  vars: {x: \"\u0085\"}\n  golden: 2\n"},
	"numbers as written": {"- {id: a, golden: 1}\n", `{"a":1.50}`, "- {id: a, golden: 1.50}\n"},
	"unchanged":          {"- {id: a, golden: {l: bug,  n: 1.0}}\n", `{"a":{"n":1.0,"l":"bug"}}`, "- {id: a, golden: {l: bug,  n: 1.0}}\n"},
}

func TestSetGoldensInline(t *testing.T) {
	for name, test := range inlineEdits {
		t.Run(name, func(t *testing.T) {
			for _, form := range []struct{ name, mark, lineBreak string }{{"lf", "", "\n"}, {"crlf and mark", "\ufeff", "\r\n"}} {
				as := func(text string) string { return form.mark + strings.ReplaceAll(suiteHead+text, "\n", form.lineBreak) }
				dir := writeFiles(t, map[string]string{"suites/s.yaml": as(test.before)})
				if _, err := suite.SetGoldens(dir, "suites/s.yaml", goldensOf(t, test.goldens), false); err != nil {
					t.Fatalf("%s: %v", form.name, err)
				}
				if diff := cmp.Diff(map[string]string{"suites/s.yaml": as(test.after)}, readFiles(t, dir)); diff != "" {
					t.Errorf("%s:\n%s", form.name, diff)
				}
			}
		})
	}
}

// rowEdits are edits of files of rows.
var rowEdits = map[string]struct{ file, before, goldens, after string }{
	"JSON lines": {"r.jsonl",
		"\ufeff {\"id\": \"a\", \"golden\": {\"l\": \"}\\\"\"}, \"x\": [1, {\"golden\": 2}]}\n\n{\"golden\":\"x\",\"id\":7}\r\n{\"id\" : \"c\",\t\"x\" : \"é\" }",
		`{"a":{"l":"y","m":1},"7":null,"c":[1,2]}`,
		"\ufeff {\"id\": \"a\", \"golden\": {\"l\": \"y\", \"m\": 1}, \"x\": [1, {\"golden\": 2}]}\n\n{\"golden\":null,\"id\":7}\r\n{\"id\" : \"c\",\t\"x\" : \"é\",\t\"golden\": [1, 2] }"},
	"JSON lines, inserted in a single member": {"r.jsonl", "{\"id\":\"a\"}\n{\"id\": \"b\"}\n", `{"a":1,"b":2}`, "{\"id\":\"a\",\"golden\":1}\n{\"id\": \"b\", \"golden\": 2}\n"},
	"JSON lines, escaped name":                {"r.jsonl", `{"id":"a","\u0067olden":1,"x":1e2}`, `{"a":2}`, `{"id":"a","\u0067olden":2,"x":1e2}`},
	"JSON lines, dotted": {"r.jsonl",
		`{"id": "a", "golden.label": "bug", "x": 1, "golden.old": 2, "golden.who.name":  "Ann"}`, `{"a":{"label":"é","who":{"name":"Ann","age":3},"z":[]}}`,
		`{"id": "a", "golden.label": "é", "x": 1, "golden.who.name":  "Ann", "golden.who.age": 3, "golden.z": []}`},
	"JSON lines, dotted goes first and last": {"r.jsonl",
		`{"golden.a": 1, "golden.b": 2, "id": "a", "golden.c": 3 }`, `{"a":{"d":1}}`, `{"id": "a", "golden.d": 1 }`},
	"JSON lines, nothing is left for the whole": {"r.jsonl",
		`{"id":"a","golden":{"p":1},"golden.w.n":2}`, `{"a":{"w":{"n":3}}}`, `{"id":"a","golden.w.n":3}`},
	"JSON lines, dotted to text": {"r.jsonl", `{"id":"a","golden.a":1,"golden.b":2}`, `{"a":"x"}`, `{"id":"a","golden":"x"}`},
	"JSON lines, dotted and whole": {"r.jsonl",
		`{"id":"a","golden":{"p":1},"golden.b":2}`, `{"a":{"b":3,"c.d":4}}`, `{"id":"a","golden":{"c.d":4},"golden.b":3}`},
	"CSV": {"r.csv",
		"\ufeffid, golden ,x\r\n\r\na,old,\"1,\n2\"\nb,\"say \"\"hi\"\"\",\r\nc,,\"z\"", `{"a":"new, \"q\"\n","b":"plain","c":12.50}`,
		"\ufeffid, golden ,x\r\n\r\na,\"new, \"\"q\"\"\n\",\"1,\n2\"\nb,\"plain\",\r\nc,12.50,\"z\""},
	"CSV, JSON in cells": {"r.csv", "id,golden\na,\"{\"\"a\"\": 1}\"\nb,\"{\"\"a\"\": 1}\"\n", `{"a":{"a":1},"b":{"a":2}}`, "id,golden\na,\"{\"\"a\"\": 1}\"\nb,\"{\"\"a\"\":2}\"\n"},
	"CSV, dotted":        {"r.csv", "golden.l,id,golden.w.n,golden.o\nbug,a,1,2\n", `{"a":{"l":"billing","w":{"n":true}}}`, "golden.l,id,golden.w.n,golden.o\nbilling,a,true,\n"},
	"CSV, dotted and whole": {"r.csv", "id,golden,golden.l\na,,bug\nb,x,\n", `{"a":{"l":"y","k":1},"b":{"l":"z"}}`,
		"id,golden,golden.l\na,\"{\"\"k\"\":1}\",y\nb,,z\n"},
	"CSV, text that reads as a number":        {"r.csv", "id,golden\na,17\n", `{"a":"18"}`, "id,golden\na,18\n"},
	"CSV, strings that are JSON":              {"r.csv", "id,golden\na,17\nb,\"\"\"x\"\"\"\n", `{"a":"18","b":""}`, "id,golden\na,\"\"\"18\"\"\"\nb,\"\"\"\"\"\"\n"},
	"CSV, no line break at the end, lone \\r": {"r.csv", "id,golden,x\na,\"q\",b\rc\r\nb,r,d", `{"b":"s"}`, "id,golden,x\na,\"q\",b\rc\r\nb,s,d"},
	"YAML": {"r.yaml",
		"# rows\n- id: a\n  ticket: t # T\n  tags: [x]\n- id: b\n  golden: {l: 1}\n  x: |\n    y\n- {id: 0x10, x: null}\n", `{"a":"A","b":{"l":2},"16":3}`,
		"# rows\n- id: a\n  ticket: t # T\n  golden: \"A\"\n  tags: [x]\n- id: b\n  golden: {\"l\": 2}\n  x: |\n    y\n- {id: 0x10, x: null, golden: 3}\n"},
	"YAML, dotted": {"r.yaml",
		"- golden.z: 1\n  golden.y: 1\n  id: a\n  golden.l: bug # b\n  # old\n  golden.old: |\n    x\n  x: y\n- {golden.p: 1, golden.q: 2, id: b, golden.r: 3, golden.s: 4, x: 1}\n- id: c\n  golden.p: 2\n  golden.q: 1", `{"a":{"l":"x","new":1},"b":{"s":1},"c":{"p":3}}`,
		"- id: a\n  golden.l: \"x\" # b\n  # old\n  x: y\n  golden.new: 1\n- {id: b, golden.s: 1, x: 1}\n- id: c\n  golden.p: 3"},
}

func TestSetGoldensInRows(t *testing.T) {
	for name, test := range rowEdits {
		t.Run(name, func(t *testing.T) {
			head := suiteHead + "  - from: data/" + test.file + "\n"
			file := "suites/data/" + test.file
			dir := writeFiles(t, map[string]string{"suites/s.yaml": head, file: test.before})
			if _, err := suite.SetGoldens(dir, "suites/s.yaml", goldensOf(t, test.goldens), false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"suites/s.yaml": head, file: test.after}, readFiles(t, dir)); diff != "" {
				t.Error(diff)
			}
			if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the rights are %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestSetGoldensSaysWhatChanges(t *testing.T) {
	files := map[string]string{
		"suites/s.yaml":  suiteHead + "  - id: b\n    golden:\n      label: bug\n      n: 1\n  - from: r.jsonl\n  - from: r.csv\n  - id: a\n  - {id: same, golden: x}\n",
		"suites/r.jsonl": `{"id":"j","golden":"\u001b[31m\u202e"}` + "\n" + `{"id":"long","golden":"` + strings.Repeat("é", 300) + `"}` + "\n",
		"suites/r.csv":   "id,golden\nk,17\nsame2,5\n",
	}
	goldens := goldensOf(t, `{"a":null,"b":{"label":"billing"},"j":1,"k":18,"long":"x","same":"x","same2":5}`)
	want := []string{
		`suites/s.yaml:4: b: golden {"label":"bug","n":1} -> {"label":"billing"}`,
		`suites/r.jsonl:1: j: golden "\u001b[31m\u202e" -> 1`,
		`suites/r.jsonl:2: long: golden "` + strings.Repeat("é", 199) + `… -> "x"`,
		`suites/r.csv:2: k: golden 17 -> 18`,
		`suites/r.csv:3: same2: golden 5 unchanged`,
		`suites/s.yaml:8: a: golden none -> null`,
		`suites/s.yaml:10: same: golden "x" unchanged`,
	}
	dir := writeFiles(t, files)
	for _, dryRun := range []bool{true, false} {
		got, err := suite.SetGoldens(dir, "suites/s.yaml", goldens, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("dry run %v:\n%s", dryRun, diff)
		}
		if same := cmp.Equal(files, readFiles(t, dir)); same != dryRun {
			t.Errorf("dry run %v: the files are as they were: %v", dryRun, same)
		}
	}
	again, err := suite.SetGoldens(dir, "suites/s.yaml", goldens, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range again {
		if !strings.HasSuffix(line, " unchanged") {
			t.Errorf("set twice: %s", line)
		}
	}
}

func TestSetGoldensRefuses(t *testing.T) {
	tests := map[string]struct {
		cases, rows string // of the suite file; of r.csv
		goldens     string
		class       fault.Class
		want        string
	}{
		"unknown case":   {"- id: refund\n", "", `{"refnd":1}`, fault.Usage, `the suite s has no case "refnd"` + "\n  did you mean \"refund\"? allowed: row, refund, other"},
		"one of two":     {"- id: refund\n", "", `{"refund":1,"nobody":2}`, fault.Usage, `no case "nobody"`},
		"twice":          {"- id: a\n- id: a\n", "", `{"a":1}`, fault.Invalid, "suites/s.yaml:6:3: the case id \"a\" is given twice\n  it stands at suites/s.yaml:5:3 already"},
		"anchored case":  {"- &c\n  id: a\n", "", `{"a":1}`, fault.Invalid, "suites/s.yaml:5:3: the golden answer of \"a\" cannot be set here: the case stands in an anchor"},
		"aliased case":   {"- {id: b, meta: {m: &c {id: a}}}\n- *c\n", "", `{"a":1}`, fault.Invalid, "the case stands in an anchor"},
		"anchored value": {"- id: a\n  golden: &g 1\n", "", `{"a":2}`, fault.Invalid, "its golden answer has an anchor or a tag"},
		"anchor inside that is used": {"- id: a\n  golden: {x: &g 1}\n- id: b\n  golden: *g\n", "", `{"a":2}`, fault.Internal,
			"cannot be set in suites/s.yaml without changing something else: it would no longer be valid: not valid YAML: unknown anchor"},
		"shared by an alias around":   {"- {id: b, meta: &m {list: [1]}}\n- {id: a, meta: *m, golden: 1e400}\n", "", `{"a":1e400}`, fault.Internal, "would not be read as it should be"},
		"no colon":                    {"- id: a\n  ? golden\n  \n", "", `{"a":1}`, fault.Invalid, "its key golden has no colon"},
		"no column":                   {"", "id,golden.a\nc,1\n", `{"c":{"a":2,"b":3}}`, fault.Invalid, "suites/r.csv:1: the file has no column golden.b, which the golden answer needs\n  add it to the header"},
		"no column for a text":        {"", "id,golden.a\nc,1\n", `{"c":"x"}`, fault.Invalid, "no column golden, "},
		"empty text in CSV":           {"", "id,golden\nc,1\n", `{"c":""}`, fault.Invalid, `suites/r.csv:2: the golden answer of c cannot stand in the CSV column golden: ""`},
		"carriage return in CSV":      {"", "id,golden\nc,1\n", `{"c":"a\r\nb"}`, fault.Invalid, "cannot stand in the CSV"},
		"broken rows":                 {"- id: a\n", "id,golden\nc\n", `{"a":1}`, fault.Invalid, "suites/r.csv:2: the row has 1 columns, the header 2"},
		"golden.a and a golden text":  {"", "id,golden,golden.a\nc,x,y\n", `{"c":1}`, fault.Invalid, "suites/r.csv:2: the column golden.a has no place"},
		"anchored list, shared cases": {"- {id: b, golden: {x: &y [1]}, meta: {k: *y}}\n", "", `{"b":{"x":[2]}}`, fault.Internal, "unknown anchor"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"suites/s.yaml": suiteHead + "- from: r.csv\n" + test.cases, "suites/r.csv": test.rows}
			if test.rows == "" {
				files["suites/r.csv"] = "id,golden\nrow,1\n"
			}
			files["suites/r.jsonl"] = `{"id":"other","golden":1}` + "\n"
			files["suites/s.yaml"] += "- from: r.jsonl\n"
			goldens := goldensOf(t, test.goldens)
			goldens["other"] = json.Number("2")
			dir := writeFiles(t, files)
			_, err := suite.SetGoldens(dir, "suites/s.yaml", goldens, false)
			if err == nil || !strings.Contains(err.Error(), test.want) || fault.ClassOf(err) != test.class {
				t.Errorf("got %v (%s), want %q (%s)", err, fault.ClassOf(err), test.want, test.class)
			}
			if diff := cmp.Diff(files, readFiles(t, dir)); diff != "" {
				t.Errorf("something was written:\n%s", diff)
			}
		})
	}
}

func TestSetGoldensRefusesValuesThatAreNotJSON(t *testing.T) {
	dir := writeFiles(t, map[string]string{"suites/s.yaml": suiteHead + "- id: a\n"})
	for _, value := range []any{1.5, json.Number("1,2"), json.Number("null"), "\xff", map[string]any{"\xff": 1}, []any{struct{}{}}} {
		if _, err := suite.SetGoldens(dir, "suites/s.yaml", map[string]any{"a": value}, true); fault.ClassOf(err) != fault.Internal {
			t.Errorf("%#v: got %v", value, err)
		}
	}
}

func TestSetGoldensKeepsLinks(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"suites/s.yaml": suiteHead + "- {id: a, golden: 1}\n- from: linked.jsonl\n", "shared/r.jsonl": `{"id":"b","golden":1}`,
	})
	link := filepath.Join(dir, "suites", "linked.jsonl")
	if err := os.Symlink(filepath.Join("..", "shared", "r.jsonl"), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if _, err := suite.SetGoldens(dir, "suites/s.yaml", goldensOf(t, `{"a":2,"b":2}`), false); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	want := map[string]string{
		"suites/s.yaml":       suiteHead + "- {id: a, golden: 2}\n- from: linked.jsonl\n",
		"suites/linked.jsonl": `{"id":"b","golden":2}`, "shared/r.jsonl": `{"id":"b","golden":2}`,
	}
	if diff := cmp.Diff(want, readFiles(t, dir)); diff != "" {
		t.Error(diff)
	}
}
