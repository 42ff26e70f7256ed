package suite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

// project is a suite s that takes its cases from one file.
func project(name, data string) fstest.MapFS {
	return fstest.MapFS{
		"suites/s.yaml":  {Data: []byte("suite: s\nprompt: triage\ncases: [{from: " + name + "}]\n")},
		"suites/" + name: {Data: []byte(data)},
	}
}

func TestLoadRefusesRows(t *testing.T) {
	const ok = `{"id":"ok","ticket":"x","golden":1}` + "\n"
	tests := map[string]struct{ file, data, want string }{
		"a line that is no JSON":       {"c.jsonl", ok + "\n" + `{"id": "a", "ticket": x}`, "suites/c.jsonl:3:23: not valid JSON: "},
		"a line cut short":             {"c.jsonl", ok + `{"id": "a"`, "suites/c.jsonl:2:11: not valid JSON: "},
		"two values in a line":         {"c.jsonl", `{"id": "a"} {"id": "b"}`, "suites/c.jsonl:1:13: not valid JSON: more text after the value"},
		"a key twice":                  {"c.jsonl", `{"id": "a", "golden": 1, "golden": 2}`, "suites/c.jsonl:1:26: not valid JSON: "},
		"a line that is no object":     {"c.jsonl", ok + "[1]\n", "suites/c.jsonl:2: a row must be an object"},
		"not UTF-8":                    {"c.jsonl", ok + "{\"id\": \"\xff\"}\n", "suites/c.jsonl:2:9: the file is not UTF-8"},
		"a line over 8 MB":             {"c.jsonl", ok + `{"id": "` + strings.Repeat("a", 8<<20) + `"}`, "suites/c.jsonl:2: the line has more than 8 MB"},
		"no id":                        {"c.jsonl", `{"ticket":"x","golden":1}`, "suites/c.jsonl:1: the case has no id"},
		"an id that is no string":      {"c.jsonl", `{"id":[1],"ticket":"x","golden":1}`, "suites/c.jsonl:1: the id must be a string"},
		"no check":                     {"c.jsonl", ok + `{"id":"a","ticket":"x"}`, `suites/c.jsonl:2: the case "a" has no check`},
		"an id twice":                  {"c.jsonl", ok + "\n" + ok, "suites/c.jsonl:3: the case id \"ok\" is given twice\n  it stands at suites/c.jsonl:1 already"},
		"an unknown input":             {"c.jsonl", `{"id":"a","tikcet":"x","golden":1}`, "suites/c.jsonl:1: the prompt has no input \"tikcet\"\n  did you mean \"ticket\"?"},
		"inputs in vars":               {"c.jsonl", `{"id":"a","vars":{"ticket":"x"},"golden":1}`, "suites/c.jsonl:1: a row has no vars\n  write each input as a column"},
		"tags of another type":         {"c.jsonl", `{"id":"a","ticket":"x","golden":1,"tags":[1]}`, "suites/c.jsonl:1: a tag must be a string, not 1"},
		"meta of another type":         {"c.jsonl", `{"id":"a","ticket":"x","golden":1,"meta":1}`, "suites/c.jsonl:1: the column meta must be an object"},
		"golden twice":                 {"c.jsonl", `{"id":"a","ticket":"x","golden":1,"golden.label":"b"}`, "suites/c.jsonl:1: the column golden.label has no place"},
		"golden both leaf and branch":  {"c.jsonl", `{"id":"a","ticket":"x","golden.a":1,"golden.a.b":"b"}`, "suites/c.jsonl:1: the column golden.a.b has no place"},
		"golden without a name":        {"c.jsonl", `{"id":"a","ticket":"x","golden.":1}`, "suites/c.jsonl:1: the column golden. has no place"},
		"an unknown check":             {"c.jsonl", `{"id":"a","ticket":"x","expect":[{"contians":"x"}]}`, "suites/c.jsonl:1: the column expect: unknown check \"contians\""},
		"a check that is no YAML":      {"c.jsonl", `{"id":"a","ticket":"x","expect":"{contains: "}`, "suites/c.jsonl:1: the column expect: not valid YAML"},
		"CSV: too few columns":         {"c.csv", "id,ticket,golden\na,x,1\nb,x\n", "suites/c.csv:3: the row has 2 columns, the header 3\n  a cell with a comma stands in quotes"},
		"CSV: too many columns":        {"c.csv", "id,ticket,golden\na,x,y,1\n", "suites/c.csv:2: the row has 4 columns, the header 3"},
		"CSV: a stray quote":           {"c.csv", "id,ticket,golden\na,say \"hi\",1\n", "suites/c.csv:2:7: not valid CSV: bare \" in non-quoted"},
		"CSV: a quote never closed":    {"c.csv", "id,ticket,golden\na,\"x,1\nb,x,1\n", "suites/c.csv:"},
		"CSV: a row over 8 MB":         {"c.csv", "id,ticket,golden\na,\"" + strings.Repeat("a\n", 5<<20) + "\",1\n", "suites/c.csv:2: a row has more than 8 MB\n  is a quote never closed?"},
		"CSV: a header over 8 MB":      {"c.csv", strings.Repeat("a", 9<<20), "suites/c.csv:1: a row has more than 8 MB"},
		"CSV: a long row after lines":  {"c.csv", "id,ticket,golden\na,x,\"1\n2\"\n" + strings.Repeat("a", 9<<20), "suites/c.csv:4: a row has more than 8 MB"},
		"CSV: no header":               {"c.csv", "", "suites/c.csv:1: the file has no header"},
		"CSV: no column id":            {"c.csv", "ids,ticket\na,x\n", "suites/c.csv:1:1: the header has no column id\n  did you mean \"ids\"?"},
		"CSV: a column twice":          {"c.csv", "id,ticket,id\na,x,b\n", "suites/c.csv:1:11: the column \"id\" is there twice"},
		"CSV: a column without a name": {"c.csv", "id,,golden\na,x,1\n", "suites/c.csv:1:4: column 2 has no name"},
		"CSV: not UTF-8":               {"c.csv", "id,ticket,golden\na,\xff,1\n", "suites/c.csv:2:3: the file is not UTF-8"},
		"CSV: a number that is none":   {"c.csv", "id,ticket,priority,golden\na,x,high,1\n", "suites/c.csv:2:5: the column priority: want number in JSON, got \"high\""},
		"YAML: no list":                {"c.yaml", "id: a\n", "suites/c.yaml:1:1: want a list of rows, got a mapping"},
		"YAML: no mapping":             {"c.yaml", "- a\n", "suites/c.yaml:1:3: want a row, got a string"},
		"YAML: a check's place":        {"c.yaml", "- id: a\n  ticket: x\n  expect: [{contians: x}]\n", "suites/c.yaml:3:13: unknown check \"contians\""},
		"YAML: a key twice":            {"c.yaml", "- id: a\n  id: b\n", "suites/c.yaml:2:3: the key \"id\" is given twice"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := suite.Load(project(test.file, test.data), "suites/s.yaml", deps())
			if err == nil {
				t.Fatal("it is accepted")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Error(cmp.Diff(test.want, err.Error()))
			}
			if class := fault.ClassOf(err); class != fault.Invalid {
				t.Errorf("class %s, want invalid", class)
			}
		})
	}
}

func TestLoadReportsTheProblemsOfAllRowsUpToABound(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `{"id":"c%d","ticket":"x"}`+"\n", i)
	}
	_, err := suite.Load(project("c.jsonl", b.String()), "suites/s.yaml", deps())
	list, ok := errors.AsType[fault.List](err)
	if !ok || len(list) != 101 {
		t.Fatalf("%d problems", len(list))
	}
	if got := list[100].Error(); got != "suites/s.yaml: only the first 100 problems are shown" {
		t.Errorf("last: %s", got)
	}
	if !strings.HasPrefix(list[99].Error(), "suites/c.jsonl:100: ") {
		t.Errorf("the hundredth: %v", list[99])
	}
}

func TestTheBoundOfARowIsNotOfTheFile(t *testing.T) {
	const rows = 10
	var b strings.Builder
	b.WriteString("id,ticket,golden\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%s,bug\n", i, strings.Repeat("x", 1<<20))
	}
	if s := load(t, project("c.csv", b.String()), "suites/s.yaml", deps()); s.Count != rows {
		t.Errorf("%d cases, want %d", s.Count, rows)
	}
}

// A check that cannot be read is one problem, not one more for every case that has
// no other check.
func TestABrokenCheckIsReportedOnce(t *testing.T) {
	for name, text := range map[string]string{
		"the suite's": one("{ticket: x}", "tags: [b]") + "expect: [{regex: '('}]\n",
		"the case's":  one("{ticket: x}", "expect: [{regex: '('}]"),
		"with a row":  one("{ticket: '('}", "expect: [{regex: '{{ row.ticket }}'}]"),
	} {
		root := fstest.MapFS{"suites/s.yaml": {Data: []byte("suite: s\nprompt: triage\n" + text)}}
		_, err := suite.Load(root, "suites/s.yaml", deps())
		list, _ := errors.AsType[fault.List](err)
		if len(list) != 1 || !strings.Contains(list[0].Message, "invalid regex") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadRefusesLargeYAMLUnread(t *testing.T) {
	root := fstest.MapFS{"suites/s.yaml": {Data: make([]byte, 100<<20)}}
	_, err := suite.Load(root, "suites/s.yaml", deps())
	if err == nil || !strings.Contains(err.Error(), "suites/s.yaml: the file has 100 MB; at most 8 MB are read") {
		t.Errorf("got %v", err)
	}
}

func TestByteOrderMarkAndNoLastNewline(t *testing.T) {
	for name, data := range map[string]string{
		"c.jsonl": "\ufeff" + `{"id":"a","ticket":"x","golden":1}` + "\r\n\r\n" + `{"id":"b","ticket":"x","golden":1}`,
		"c.csv":   "\ufeffid,ticket,golden\r\na,x,1\r\n\r\nb,x,1",
	} {
		if s := load(t, project(name, data), "suites/s.yaml", deps()); s.Count != 2 {
			t.Errorf("%s: %d cases, want 2", name, s.Count)
		}
	}
}

func TestCasesTellThatAFileHasChanged(t *testing.T) {
	const row = `{"id":"a","ticket":"x","golden":1}`
	tests := map[string]struct{ now, want string }{
		"a row less": {"", "the suite had 1 cases and now has 0"},
		"a row more": {row + "\n" + strings.Replace(row, "a", "b", 1), "the suite had 1 cases and now has 2"},
		"a bad row":  {`{"id":"a"`, "suites/c.jsonl:1:10: not valid JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := project("c.jsonl", row)
			s := load(t, root, "suites/s.yaml", deps())
			root["suites/c.jsonl"] = &fstest.MapFile{Data: []byte(test.now)}
			var last error
			for _, err := range s.Cases() {
				if last != nil {
					t.Fatal("something follows an error")
				}
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), test.want) {
				t.Errorf("got %v", last)
			}
		})
	}
	root := project("c.jsonl", row)
	s := load(t, root, "suites/s.yaml", deps())
	delete(root, "suites/c.jsonl")
	for _, err := range s.Cases() {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without the file: got %v", err)
		}
	}
}

func TestCasesStopWhenTheReaderStops(t *testing.T) {
	root := project("c.jsonl", `{"id":"a","ticket":"x","golden":1}`+"\n"+`{"id":"b","ticket":"x","golden":1}`+"\n")
	closed := &closing{FS: root}
	s := load(t, closed, "suites/s.yaml", deps())
	for c, err := range s.Cases() {
		if c.ID != "a" || err != nil {
			t.Fatal(c.ID, err)
		}
		break
	}
	if closed.open != 0 {
		t.Errorf("%d files are left open", closed.open)
	}
}

// closing counts the files that are open.
type closing struct {
	fs.FS
	open int
}

func (c *closing) Open(name string) (fs.File, error) {
	file, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	c.open++
	return &counted{file, c}, nil
}

type counted struct {
	fs.File
	of *closing
}

func (c *counted) Close() error {
	c.of.open--
	return c.File.Close()
}

func FuzzJSONL(f *testing.F) {
	fuzzRows(f, "c.jsonl", `{"id":"a","ticket":"x","golden.a":1,"meta.b":2,"tags":"a;b","expect":"schema"}`)
}

func FuzzCSV(f *testing.F) {
	fuzzRows(f, "c.csv", "id,ticket,priority,golden.a,meta,tags,expect\na,\"x\ny\",1,2,{},a;b,schema\n")
}

// fuzzRows holds that any file is either refused, with problems that all stand in a
// file of the suite, or read twice alike.
func fuzzRows(f *testing.F, name, seed string) {
	f.Add([]byte(seed))
	f.Add([]byte("\ufeff" + seed + "\n\n" + seed))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := suite.Load(project(name, string(data)), "suites/s.yaml", deps())
		if err != nil {
			list := fault.List{}
			list.Add(err)
			for _, problem := range list {
				if problem.Class != fault.Invalid && problem.Class != fault.Empty || problem.Place.File == "" {
					t.Fatalf("%s at %q: %v", problem.Class, problem.Place, problem)
				}
			}
			return
		}
		count := 0
		for c, err := range s.Cases() {
			if err != nil || c.ID == "" || len(c.Checks) == 0 {
				t.Fatalf("case %q with %d checks: %v", c.ID, len(c.Checks), err)
			}
			count++
		}
		if count != s.Count {
			t.Fatalf("%d cases, then %d", s.Count, count)
		}
	})
}
